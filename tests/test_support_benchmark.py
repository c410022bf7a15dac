"""The pairs that the check of sentences is measured with are what they are called."""

import gzip
import json
import re

import pytest

from benchmarks.support import ALTERED, ELSEWHERE, NEGATION, NUMBER, SETS, TRUE, VERBATIM, pairs, sources, table
from rag_app.records import Support

SAID = [
    part
    for n in range(40)
    for part in (
        f"In {1900 + n}, the council of Newtown bought {n + 3} engines from Harrison (a local firm), and was glad.",
        f"The station that Mister Watson built is open because the people of Ebertville paid for about {n + 40} beds.",
    )
]
PASSAGES = [f"{one} {other}" for one, other in zip(SAID[::2], SAID[1::2], strict=True)]


@pytest.fixture
def held(tmp_path):
    (tmp_path / "pairs").mkdir()
    for name in SETS:
        with gzip.open(tmp_path / "pairs" / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(
                json.dumps({"passage": text, "title": f"Town_{n}"}) + "\n" for n, text in enumerate(PASSAGES)
            )
    return sources(tmp_path)


def test_each_kind_is_made_and_says_what_it_is(held):
    made = pairs(held, seed=1, count=60)

    assert {pair.kind for pair in made} == {*TRUE, *ALTERED}
    verbatim = [pair for pair in made if pair.kind == VERBATIM]
    assert all(pair.sentence in pair.evidence.text for pair in verbatim)
    changed = [pair for pair in made if pair.kind in ALTERED]
    assert all(pair.sentence not in pair.evidence.text for pair in changed)
    assert all(" not " in pair.sentence for pair in made if pair.kind == NEGATION)
    assert all(
        numbers(pair.sentence) not in [numbers(part) for part in SAID if part in pair.evidence.text]
        for pair in made
        if pair.kind == NUMBER
    )


def numbers(text):
    return sorted(re.findall(r"\d+", text))


def test_the_same_seed_makes_the_same_pairs(held):
    assert pairs(held, seed=3, count=20) == pairs(held, seed=3, count=20)
    assert pairs(held, seed=3, count=20) != pairs(held, seed=4, count=20)


def test_table_counts_partly_as_flagged(held):
    made = pairs(held, seed=1, count=7)
    found = [Support.PARTLY if pair.kind == ELSEWHERE else Support.SUPPORTED for pair in made]

    told = {line.rsplit(maxsplit=3)[0].strip(): line.split()[-2:] for line in table(made, found).splitlines()[1:]}

    assert told[ELSEWHERE] == ["100.0%", "0.0%"]
    assert told["true"] == ["0.0%", "0.0%"]

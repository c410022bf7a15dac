import importlib.util
import shutil

import pytest

from benchmarks.highlights import drawn_sample, kind, outcome, samples
from benchmarks.known_text import PRODUCERS, known
from benchmarks.text import in_order, lost, ours, words

pytestmark = pytest.mark.slow

# Chromium is not on every machine, and fpdf2 not in an environment that was made before it was needed.
MISSING = {
    "Chromium": shutil.which("chromium") is None,
    "fpdf2": importlib.util.find_spec("fpdf") is None,
    "reportlab": False,
}


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("producer", PRODUCERS)
def test_known_words_are_read_in_order_and_none_is_lost(producer: str, columns: int):
    if MISSING[producer]:
        pytest.skip(f"{producer} is not installed")
    document = known(seed=7, columns=columns, leaves=3)
    made = PRODUCERS[producer](document)

    for number, text in enumerate(ours(made), start=1):
        wanted = words(document.page(number))
        assert in_order(wanted, words(text)) >= 0.99 * len(wanted)
    assert not lost(document, made)


def test_a_word_that_is_not_read_is_noticed():
    document = known(seed=7, columns=1, leaves=3)
    made = PRODUCERS["reportlab"](known(seed=8, columns=1, leaves=3))

    assert lost(document, made)


@pytest.mark.parametrize(
    ("wanted", "found", "length"),
    [("a b c d", "a x b d", 3), ("a b", "b a", 1), ("a", "", 0), ("", "a", 0), ("a a b", "a b a", 2)],
)
def test_words_in_order_are_the_longest_common_subsequence(wanted: str, found: str, length: int):
    assert in_order(wanted.split(), found.split()) == length


def test_marked_passages_are_read_back(tmp_path):
    for columns in (1, 2):
        (tmp_path / f"{columns}.pdf").write_bytes(PRODUCERS["reportlab"](known(seed=3, columns=columns, leaves=2)))

    found = [outcome(one) for one in drawn_sample(list(samples(sorted(tmp_path.glob("*.pdf")))), seed=1)]

    assert len(found) >= 4
    assert {one.kind for one in found} == {"equal"}


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ("abc", "equal"),
        ("acb", "same letters in another order"),
        ("ab", "part of it not marked"),
        ("abcd", "marked more than it"),
        ("abd", "part not marked and more marked"),
    ],
)
def test_failures_are_told_apart(found: str, name: str):
    assert kind("abc", found) == name

"""The benchmark of a cascade with a sister: its arithmetic, on candidates that are made up."""

import numpy as np
import pytest

from benchmarks.cascade import Asked
from benchmarks.rerankers import Candidates, Pace
from benchmarks.sister import PRESENT, WITH, Hinted, Outcome, measured, off, table, weights
from ingest.embedding import BUNDLED
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Question
from rag_app.rerank import calibration
from rag_app.rerank.cross_encoder import FOLDER

KNOWN = calibration.load(FOLDER)


def rows(seed: int, *, hint: bool) -> list[Hinted]:
    """Forty candidates each whose logits hang on the cosine and on something else, which the hint knows."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(8):
        cosines = np.sort(chance.uniform(0, 0.9, 40))[::-1]
        unseen = chance.normal(0, 3, 40)
        logits = 10 * cosines - 6 + unseen
        question = Question(f"q{number}", "how long is the notice", (Target("d0", 1, 1),))
        row = Candidates(question, [f"d{i}" for i in range(40)], [f"text {i}" for i in range(40)], cosines.tolist())
        columns = [np.ones(40), cosines, np.array(row.overlaps), *([unseen] if hint else [])]
        made.append(Hinted(Asked(row, logits.tolist()), np.column_stack(columns)))
    return made


def sets(*, hint: bool) -> dict[str, list[Hinted]]:
    return {"one": rows(1, hint=hint), "two": rows(2, hint=hint)}


def test_what_the_logits_hang_on_is_found():
    found = weights(rows(1, hint=True))

    assert found[[0, 1, 3]] == pytest.approx([-6, 10, 1])


def test_a_guess_that_knows_more_is_less_off():
    assert off(sets(hint=True)) == pytest.approx(0, abs=1e-6)
    assert 2.5 < off(sets(hint=False)) < 3.5


def test_with_a_sure_guess_the_first_three_are_the_same_and_less_is_read():
    wide, narrow = measured(sets(hint=False), 9.0, KNOWN), measured(sets(hint=True), 0.1, KNOWN)

    assert narrow.same == 1
    assert narrow.loss == pytest.approx(0)
    assert 12 <= narrow.read < wide.read


def test_the_time_of_a_sister_is_counted_with_what_is_read_after_her():
    pace = {BUNDLED: Pace(500.0, 100.0), WITH: Pace(40.0, 1250.0)}
    outcome = Outcome(2.0, 10.0, 0.001, 0.99)

    lines = table({PRESENT: [outcome], WITH: [outcome]}, pace).splitlines()

    assert [line.split()[-1] for line in lines[1:]] == ["100", "140"]

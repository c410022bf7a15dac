"""benchmarks/rerank.py and benchmarks/embed.py: their arithmetic, on things that take no time."""

import re

import numpy as np
import pytest

from benchmarks import embed, rerank
from benchmarks.cascade import Asked, Outcome, chosen, fitted, measured, pools_table
from benchmarks.rerank import (
    CASCADE,
    PLAIN,
    REFERENCE,
    Quality,
    first,
    joined,
    passages,
    quality,
    quality_table,
    run_by,
    sized,
    speed_table,
    top,
)
from benchmarks.rerankers import Candidates
from ingest import engines
from ingest.embedding import Embedder
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Question
from rag_app.rerank import calibration
from rag_app.rerank.cross_encoder import FOLDER

WORDS = "the notice period of every contract is three months unless it says otherwise".split()


class Scripted:
    """Scores that are known, in the place of a model and what is kept of it."""

    def __init__(self, *scores):
        self._scores = scores

    def scores(self, question, texts, tell):
        return [(score, 0.0) for score in self._scores]


@pytest.fixture
def rows():
    asked = Question("q", "how long is the notice period", (Target("a", 1, 1),))
    return {"tiny": [Candidates(asked, ["a", "b", "c", "d"], ["one", "two", "three", "four"], [0.1, 0.2, 0.3, 0.4])]}


def test_passages_are_as_long_as_asked_and_use_the_words_in_turn():
    found = passages([" ".join(WORDS)], 200, 3)

    assert [len(text.split()) for text in found] == pytest.approx([200] * 3, abs=2)
    assert found[0].split()[: len(WORDS)] == WORDS
    assert found[0] != found[1]


def test_candidates_are_cut_or_repeated_to_one_size(rows):
    row = sized(first(rows["tiny"][0], 2), 10)

    assert row.texts == [" ".join(["one"] * 10), " ".join(["two"] * 10)]
    assert (row.documents, row.cosines) == (["a", "b"], [0.1, 0.2])


def test_quality_is_the_mean_over_sets_and_compares_the_first_three(rows):
    models = {REFERENCE: Scripted(40, 3, 2, 1), "alike": Scripted(41, 2, 3, 1), "other": Scripted(-9, 2, 3, 4)}

    found = quality({**rows, "again": rows["tiny"]}, models)

    assert found[REFERENCE] == Quality(1.0, 1.0, 1.0, 1.0)
    assert found["alike"] == Quality(1.0, 1.0, 1.0, 1.0)
    assert found["other"].same == found["other"].ordered == 0
    assert 0 < found["other"].alone < 1
    assert found["alike" + CASCADE] == found["alike"]  # four candidates are all read


def test_the_joined_order_counts_the_cosine_too(rows):
    row = rows["tiny"][0]

    assert top(joined(row, [0.0] * 4)) == [3, 2, 1]
    assert top(joined(row, [40.0, 0.0, 0.0, 0.0]))[0] == 0


def test_speed_is_compared_with_the_plain_way():
    ways = {PLAIN: [100.0, 200.0, 400.0], "fast": [25.0, 40.0, 80.0]}

    lines = speed_table(ways).splitlines()

    assert lines[1].split()[-6:] == ["100", "1.00", "200", "1.00", "400", "1.00"]
    assert lines[2].split() == ["fast", "25", "4.00", "40", "5.00", "80", "5.00"]


def test_every_way_is_asked_once_more_than_counted(rows):
    calls = []

    found = rerank.paces({PLAIN: lambda row: calls.append(len(row.texts))}, rows["tiny"], turns=2)

    assert calls == [4, 4, 4] * 3
    assert len(found[PLAIN]) == 3


def test_quality_is_shown_by_way():
    table = quality_table({REFERENCE: Quality(0.5, 0.6, 1.0, 1.0), "fast": Quality(0.5, 0.5987, 0.98, 0.95)})

    assert table.splitlines()[2].split() == ["fast", "0.5000", "0.5987", "98.0%", "95.0%"]


# ---- how much is read


@pytest.fixture
def asked():
    """Twenty candidates whose logits are 10 times the cosine, less 5."""
    question = Question("q", "how long is the notice period", (Target("d0", 1, 1),))
    cosines = [0.9 - 0.04 * place for place in range(20)]
    row = Candidates(question, [f"d{place}" for place in range(20)], [f"text {place}" for place in range(20)], cosines)
    return Asked(row, [10 * cosine - 5 for cosine in cosines])


def test_the_fit_finds_what_the_logits_hang_on(asked):
    way = fitted([asked], margin=2.0)

    assert (way.bias, way.cosine, way.margin) == pytest.approx((-5, 10, 2.0))


def test_a_margin_that_is_small_reads_less_and_one_that_is_large_everything(asked):
    known = calibration.load(FOLDER)
    small, large = (measured({"one": [asked], "two": [asked]}, margin, known) for margin in (0.5, 50.0))

    assert 12 <= small.read < large.read == 20
    assert (small.loss, small.same, small.same_best) == (0, 1, 1)


def test_the_cascade_is_measured_on_other_sets_by_the_first_three(asked):
    known = calibration.load(FOLDER)
    lines = pools_table({"one": [asked], "two": [asked]}, fitted([asked], 0.5), known).splitlines()

    assert [line.split()[0] for line in lines[1:]] == ["one", "two", "mean"]
    assert 12 <= float(lines[-1].split()[1]) < 20
    assert lines[-1].split()[-2:] == ["100.0%", "100.0%"]


def test_the_least_margin_that_serves_is_chosen():
    found = [Outcome(1.0, 9, 0.02, 0.1, 1.0, 1.0), Outcome(2.0, 12, 0.001, 0.1, 0.98, 0.9)]
    good = [Outcome(4.0, 20, 0.0, 0.0, 1.0, 1.0), Outcome(3.0, 16, 0.004, 0.1, 0.99, 0.9)]

    assert chosen([*found, *good]).margin == 3.0
    with pytest.raises(SystemExit, match="No margin loses at most"):
        chosen(found)


@pytest.mark.slow
def test_the_engine_that_is_named_is_taken():
    assert run_by(engines.TORCH).choice.name == engines.TORCH
    assert [run_by(name).choice.name for name in rerank.names()] == rerank.names()
    assert rerank.shown(engines.TORCH).startswith("torch.")
    assert rerank.shown(rerank.names()[1]) == rerank.names()[1]
    assert Embedder("bundled", None, run_by(rerank.names()[1])).engine.startswith(rerank.names()[1])


def test_tokenising_is_told_as_a_share_of_reading(rows):
    told = rerank.tokenised(rows["tiny"], turns=1)

    # 4 times the question's 6 tokens, a passage's one and three that the model adds
    assert re.fullmatch(r"tokenising 4 passages, 40 tokens: [0-9.]+ of [0-9]+ ms, [0-9.]+%", told)


def test_embedding_is_compared_with_the_plain_way():
    right, near = np.array([[1, 0], [0, 1]], dtype=np.float32), np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    ways = {embed.PLAIN: embed.Way(lambda _: right, len), "near": embed.Way(lambda _: near, len)}

    found = embed.measured(ways, ["a", "b"], ["q"], turns=1)
    shown = embed.table({embed.PLAIN: embed.Pace(10, 8, 1), "near": embed.Pace(25, 2, 0.8)}).splitlines()

    assert [found[name].cosine for name in ways] == pytest.approx([1, 0.8])
    assert shown[2].split() == ["near", "25.0", "2.50", "2.00", "4.00", "0.80000"]

"""benchmarks/rerank.py and benchmarks/embed.py: their arithmetic, on things that take no time."""

import numpy as np
import pytest

from benchmarks import embed, rerank
from benchmarks.rerank import PLAIN, REFERENCE, Quality, passages, quality, quality_table, run_by, speed_table, top
from benchmarks.rerankers import Candidates
from ingest import engines
from ingest.embedding import Embedder
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Question

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


def test_quality_is_the_mean_over_sets_and_compares_the_first_three(rows):
    models = {REFERENCE: Scripted(4, 3, 2, 1), "alike": Scripted(9, 8, 7, -1), "other": Scripted(1, 2, 3, 4)}

    found = quality({**rows, "again": rows["tiny"]}, models, rerank.alone)

    assert found[REFERENCE] == found["alike"] == Quality(1.0, 1.0)
    assert found["other"].same == 0
    assert 0 < found["other"].ndcg < 1


def test_the_joined_order_counts_the_cosine_too(rows):
    row = rows["tiny"][0]

    assert top(rerank.joined(row, [0.0] * 4)) == [3, 2, 1]
    assert top(rerank.joined(row, [20.0, 0.0, 0.0, 0.0]))[0] == 0


def test_speed_is_compared_with_the_plain_way():
    ways = {PLAIN: [100.0, 200.0, 400.0], "fast": [25.0, 40.0, 80.0]}

    lines = speed_table(ways).splitlines()

    assert lines[1].split()[-6:] == ["100", "1.00", "200", "1.00", "400", "1.00"]
    assert lines[2].split() == ["fast", "25", "4.00", "40", "5.00", "80", "5.00"]


def test_every_way_is_asked_once_more_than_counted():
    calls = []
    ways = {PLAIN: lambda question, texts: calls.append(len(texts))}

    found = rerank.paces(ways, ["q"], ["text"] * 100, turns=2)

    assert calls == [20, 50, 100] * 3
    assert len(found[PLAIN]) == 3


def test_quality_is_shown_by_way_and_manner():
    one = {REFERENCE: Quality(0.5, 1.0), "fast": Quality(0.4987, 0.98)}

    assert quality_table({"alone": one, "joined": one}).splitlines()[2].split() == [
        "fast", "0.4987", "98.0%", "0.4987", "98.0%"
    ]  # fmt: skip


def test_the_engine_that_is_named_is_taken():
    assert run_by(engines.TORCH).choice.name == engines.TORCH
    assert [run_by(name).choice.name for name in rerank.names()] == rerank.names()
    assert rerank.shown(engines.TORCH).startswith("torch.")
    assert rerank.shown(rerank.names()[1]) == rerank.names()[1]
    assert Embedder("bundled", None, run_by(rerank.names()[1])).engine.startswith(rerank.names()[1])


def test_embedding_is_compared_with_the_plain_way():
    right, near = np.array([[1, 0], [0, 1]], dtype=np.float32), np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    ways = {embed.PLAIN: embed.Way(lambda _: right, len), "near": embed.Way(lambda _: near, len)}

    found = embed.measured(ways, ["a", "b"], ["q"], turns=1)
    shown = embed.table({embed.PLAIN: embed.Pace(10, 8, 1), "near": embed.Pace(25, 2, 0.8)}).splitlines()

    assert [found[name].cosine for name in ways] == pytest.approx([1, 0.8])
    assert shown[2].split() == ["near", "25.0", "2.50", "2.00", "4.00", "0.80000"]

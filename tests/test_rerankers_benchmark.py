"""The comparison of rerankers: its arithmetic, on a data set of five documents."""

import json

import pytest
from fakes import HashEmbedder, WordReranker

from benchmarks.rerankers import (
    DENSE,
    PLAIN,
    candidates,
    paces,
    quality,
    quality_table,
    ratios,
    read_sets,
    sets_table,
    speed_table,
)
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.rerank.ranking import ranked

TEXTS = ("notice period of three months", "the canteen serves soup", "leave is thirty days", "soup", "three months")
QUESTIONS = {"q1": ("how long is the notice period", "0"), "q2": ("how many days is leave", "2")}


class Scripted(WordReranker):
    """Knows the right document of each question by heart, or the wrong ones."""

    def __init__(self, name, sign):
        super().__init__()
        self.name, self._sign = name, sign

    def identity(self):
        return self.name

    def scores(self, question, texts):
        right = {text: TEXTS[int(document)] for text, document in QUESTIONS.values()}[question]
        return [self._sign * float(right in text) for text in texts]

    def ordered(self, hits, scores):
        return ranked(hits, scores)


@pytest.fixture
def folder(tmp_path):
    own = tmp_path / "retrieval" / "tiny"
    own.mkdir(parents=True)
    rows = [{"_id": str(number), "title": "", "text": text} for number, text in enumerate(TEXTS)]
    (own / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [{"_id": name, "text": text} for name, (text, _) in QUESTIONS.items()]
    (own / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (own / "qrels.tsv").write_text("".join(f"{name}\t{right}\t1\n" for name, (_, right) in QUESTIONS.items()))
    return tmp_path / "retrieval"


@pytest.fixture
def models(tmp_path):
    kept = Kept(tmp_path / "cache")
    yield {name: Models(HashEmbedder(), Scripted(name, sign), kept) for name, sign in (("best", 1), ("worst", -1))}
    kept.close()


@pytest.fixture
def values(folder, models):
    sets = {name: candidates(dataset, models["best"], None) for name, dataset in read_sets(folder).items()}
    return quality(sets, models)


def test_a_reranker_that_knows_the_answers_is_perfect_and_its_opposite_finds_them_last(values):
    assert [row[1:] for row in values["tiny"]["best"]] == [(1, 1, 1)] * 2
    assert [row[2] for row in values["tiny"]["worst"]] == [1 / 5] * 2


def test_dense_is_the_order_by_cosine(values):
    assert [row[2] for row in values["tiny"][DENSE]] == [1, 1]


def test_the_table_tells_each_way_as_a_multiple_of_dense(values):
    lines = {line.split()[0]: line.split()[1:] for line in quality_table(values).splitlines()[1:]}

    assert lines["dense"] == ["1.000", "1.000", "1.000", "1.000"]
    assert lines["best"] == ["1.000", "1.000", "1.000", "1.000"]
    assert lines["worst"] == ["0.387", "0.000", "0.200", "0.387"]


def test_the_ratio_to_dense_has_an_interval(values):
    best, worst = ratios(values).splitlines()

    assert best.split() == ["best", "to", "dense", "1.000", "to", "1.000"]
    assert worst.split() == ["worst", "to", "dense", "0.387", "to", "0.387"]


def test_every_set_tells_how_far_each_way_is_from_dense(values):
    lines = sets_table(values).splitlines()

    assert lines[0] == "tiny, 2 questions"
    assert lines[-1].split() == ["worst", "0.387", "-0.613", "(-0.613", "to", "-0.613)"]


def test_a_limit_asks_fewer_questions(folder, models):
    assert len(candidates(read_sets(folder)["tiny"], models["best"], 1)) == 1


def test_no_set_is_told(tmp_path):
    with pytest.raises(SystemExit, match="There is no BEIR set in"):
        read_sets(tmp_path)


def test_every_way_is_asked_about_the_same_passages_in_turns(folder, models):
    rows = candidates(read_sets(folder)["tiny"], models["best"], None)
    asked = []
    ways = {name: lambda question, texts, name=name: asked.append((name, question, *texts)) for name in (PLAIN, "own")}

    found = paces(ways, rows)

    assert [name for name, *_ in asked] == [PLAIN, "own"] * 6
    assert [words for _, *words in asked[::2]] == [words for _, *words in asked[1::2]]
    assert speed_table(found).splitlines()[1].endswith("1.00")

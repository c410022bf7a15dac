"""The bundled cross-encoder and its calibration, as they ship."""

import json
from dataclasses import replace

import pytest
from examples import make_hit
from reranker_contract import RerankerContract
from toy_models import bert

from ingest.compute import Compute
from ingest.errors import ModelError
from rag_app.rerank.calibration import Calibration, load, save
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker, LocalReranker

QUESTION = "How long is the notice period?"
RULE = "Employees can leave three months after they have given notice."


@pytest.fixture(scope="module")
def bundled():
    return BundledReranker(Compute())


def test_what_answers_comes_before_what_is_about_it(bundled):
    hits = [
        make_hit("The notice board hangs beside the canteen.", name="a"),
        make_hit("Lunch is served at noon.", name="b"),
        make_hit(RULE, name="c"),
    ]

    ranked = bundled.rerank(QUESTION, hits)

    assert ranked[0].chunk.text == RULE
    assert [hit.rerank_rank for hit in ranked] == [1, 2, 3]
    assert 1 >= ranked[0].relevance >= ranked[1].relevance >= ranked[2].relevance >= 0


def test_order_and_scores_do_not_hang_on_the_order_of_the_candidates(bundled):
    hits = [make_hit(f"Rule {n}: " + "words " * n, name=str(n)) for n in range(30)]

    forwards = {hit.chunk.id: hit.relevance for hit in bundled.rerank(QUESTION, hits)}
    backwards = {hit.chunk.id: hit.relevance for hit in bundled.rerank(QUESTION, hits[::-1])}

    assert forwards == pytest.approx(backwards, abs=1e-4)


class TestBundledReranker(RerankerContract):
    @pytest.fixture
    def reranker(self, bundled):
        return bundled


def test_no_texts_are_no_error(bundled):
    assert bundled.relevance(QUESTION, []) == []


def test_the_calibration_that_ships_is_a_rising_probability():
    calibration = load(FOLDER)

    assert 0 < calibration.threshold < 1
    assert 0 <= calibration.relevance(-8, 0) < calibration.relevance(0, 0.5) < calibration.relevance(8, 1) <= 1


@pytest.mark.parametrize("value", [-1e6, 1e6])
def test_no_logit_is_too_large_for_the_calibration(value):
    assert Calibration(0, 1, 0, 0.5, 0, 1).relevance(value, 0) in {0.0, 1.0}


def test_a_calibration_is_read_as_it_was_written(tmp_path):
    written = Calibration(bias=-1.5, logit=0.75, cosine=2.0, threshold=0.25, alone_bias=-2.0, alone_logit=0.5)

    save(written, tmp_path)

    assert load(tmp_path) == written


def test_a_classifier_with_several_labels_is_refused_as_a_reranker(tmp_path):
    with pytest.raises(ModelError, match="it gives 3 scores a pair instead of one"):
        LocalReranker(str(bert(tmp_path, labels=3)), Compute()).load()


def test_a_folder_without_a_model_says_so(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))

    with pytest.raises(ModelError, match="holds no cross-encoder that can be loaded"):
        LocalReranker(str(tmp_path), Compute()).load()


def test_the_search_by_words_has_a_say_in_the_order_and_none_in_the_relevance(bundled):
    known = load(FOLDER)
    raised = [known.raised(rank) for rank in (1, 2, 10, 50)]

    assert raised == sorted(raised, reverse=True)
    assert raised[0] > raised[-1] > known.raised(None) == 0

    hits = [make_hit("Alike in all that is scored.", name=str(n), relevance=None) for n in range(2)]
    hits = [replace(hit, cosine=0.4, overlap=0.2, lexical_rank=rank) for hit, rank in zip(hits, (9, 1), strict=True)]
    first, second = bundled.ordered(hits, [1.0, 1.0])
    told = {hit.chunk.id: hit for hit in bundled.ordered([replace(hit, lexical_rank=None) for hit in hits], [1.0, 1.0])}

    assert [first.lexical_rank, second.lexical_rank] == [1, 9]
    assert sorted(hit.relevance for hit in told.values()) == pytest.approx(sorted([first.relevance, second.relevance]))
    assert first.relevance > second.relevance

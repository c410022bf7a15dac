"""Every kind of reranker can be evaluated: its scores apart from its order, and kept under what they hang on."""

import json
import shutil

import pytest
from evaluation_sets import dataset
from examples import make_hit
from fakes import HashEmbedder
from rerank_server import RerankServer, ok, scored

from ingest.compute import Compute
from ingest.errors import RerankerError
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.run import Plan, evaluate
from rag_app.evaluate.summary import as_json, summary
from rag_app.rerank.calibration import Calibration, save
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker
from rag_app.rerank.http import HttpReranker

PLAN = Plan(candidates=50, shown=3)
QUESTION = "notice period in months"
TEXTS = {"right": "the notice period counts three months", "wrong": "notice", "other": "bananas"}


@pytest.fixture
def asked():
    return dataset(TEXTS, {QUESTION: ["right"], "yellow bananas": ["other"]})


@pytest.fixture
def folder(tmp_path):
    """The bundled model, where it may be changed."""
    return shutil.copytree(FOLDER, tmp_path / "model")


def identity(folder):
    return BundledReranker(Compute(), folder).identity()


def test_another_calibration_needs_no_new_scores(folder):
    before = identity(folder)

    save(Calibration(0.0, 1.0, 0.0, 0.5, 0.0, 1.0), folder)

    assert identity(folder) == before


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_another_model_needs_new_scores(folder, name):
    before = identity(folder)

    with (folder / name).open("ab") as file:
        file.write(b" ")

    assert identity(folder) != before


@pytest.mark.slow
def test_the_scores_make_the_order_and_the_relevance():
    reranker = BundledReranker(Compute())
    hits = [make_hit("Lunch is at noon.", name="a"), make_hit("The notice period is three months.", name="b")]

    at_once = reranker.rerank(QUESTION, hits)
    apart = reranker.ordered(hits, [-3.0, 4.0])

    assert [hit.chunk.id for hit in at_once] == [hit.chunk.id for hit in apart] == ["chunk-b", "chunk-a"]
    assert [hit.rerank_rank for hit in apart] == [1, 2]
    assert apart[0].relevance > apart[1].relevance


def test_a_server_is_evaluated_and_tells_no_relevance(asked, tmp_path):
    with RerankServer(lambda body, _: ok(scored("tei", body))) as server:
        reranker = HttpReranker("tei", base_url=server.base_url)
        run = evaluate(asked, Models(HashEmbedder(), reranker, Kept(tmp_path)), PLAN)
        again = evaluate(asked, Models(HashEmbedder(), reranker, Kept(tmp_path)), PLAN)
        requests = len(server.requests)

    assert as_json(run, summary(run))["stages"]["dense+rerank"]["mrr@10"] == 1
    assert {outcome.chances for outcome in run.outcomes} == {()}
    assert (requests, again.computed.scores) == (2, 0)


@pytest.mark.slow
def test_a_server_that_fails_ends_the_evaluation_and_what_it_scored_is_kept(asked, tmp_path):
    down = (503, {"Retry-After": "0"}, json.dumps({"error": "busy"}).encode())
    with RerankServer(lambda body, earlier: down if earlier else ok(scored("tei", body))) as server:
        reranker = HttpReranker("tei", base_url=server.base_url)
        with pytest.raises(RerankerError, match="503"):
            evaluate(asked, Models(HashEmbedder(), reranker, Kept(tmp_path)), PLAN)
        models = Models(HashEmbedder(), reranker, Kept(tmp_path))

        assert models.pairs_missing(QUESTION, list(TEXTS.values())) == 0
        assert models.pairs_missing("yellow bananas", list(TEXTS.values())) == 3

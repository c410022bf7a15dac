"""Candidates from the index: dense, lexical, or both fused; joined with the library, which decides."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.index.generation import Index
from ingest.library import Library
from ingest.records import Chunk, Document, Place
from rag_app.fusion import fuse
from rag_app.records import Hit, Timings

LIMIT = 50  # passages asked of each side
BESIDE = 4  # word searches at most that run beside the embedding of their questions
T = TypeVar("T")
Ranked = list[tuple[Place, float]]


class QuestionEmbedder(Protocol):
    """What retrieval needs of an embedder."""

    name: str

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""
        ...


class DenseRetriever:
    """Passages about the question: nearest by cosine."""

    def __init__(self, library: Library, index: Index, embedder: QuestionEmbedder) -> None:
        self._library, self._index, self._embedder = library, index, embedder

    def retrieve(self, question: str, spaces: Sequence[str], limit: int) -> tuple[list[Hit], Timings]:
        """The `limit` nearest passages, best first."""
        vector, embed_ms = _timed(lambda: self._embedder.embed_question(question))
        found, dense_ms = _timed(lambda: self._index.dense(vector, spaces, limit))
        passages = _joined(self._library, [found], spaces, limit)
        return (
            [
                Hit(*passages[place], dense_rank=rank, cosine=score)
                for rank, (place, score) in enumerate(_visible(found, passages, limit), start=1)
            ],
            Timings(embed=embed_ms, dense=dense_ms),
        )


class LexicalRetriever:
    """Passages with the question's words: best by BM25."""

    def __init__(self, library: Library, index: Index) -> None:
        self._library, self._index = library, index

    def retrieve(self, question: str, spaces: Sequence[str], limit: int) -> tuple[list[Hit], Timings]:
        """The `limit` best passages by BM25, best first; fewer where fewer share a word with the question."""
        found, lexical_ms = _timed(lambda: self._index.lexical(question, spaces, limit))
        passages = _joined(self._library, [found], spaces, limit)
        return (
            [
                Hit(*passages[place], lexical_rank=rank, bm25=score)
                for rank, (place, score) in enumerate(_visible(found, passages, limit), start=1)
            ],
            Timings(lexical=lexical_ms),
        )


class HybridRetriever:
    """Both, fused by reciprocal rank. Every hit gets its cosine, also one that only its words brought in."""

    def __init__(self, library: Library, index: Index, embedder: QuestionEmbedder) -> None:
        self._library, self._index, self._embedder = library, index, embedder
        self._beside = ThreadPoolExecutor(BESIDE, thread_name_prefix="words")

    def retrieve(self, question: str, spaces: Sequence[str], limit: int) -> tuple[list[Hit], Timings]:
        """The `limit` best passages of dense top 50 and lexical top 50, best first."""
        asked = max(LIMIT, limit)
        searching = self._beside.submit(
            copy_context().run, _timed, lambda: self._index.lexical(question, spaces, asked)
        )
        vector, embed_ms = _timed(lambda: self._embedder.embed_question(question))
        dense, dense_ms = _timed(lambda: self._index.dense(vector, spaces, asked))
        lexical, lexical_ms = searching.result()
        passages = _joined(self._library, [dense, lexical], spaces, asked)
        by_meaning, by_words = _visible(dense, passages, asked), _visible(lexical, passages, asked)
        chosen = fuse([[place for place, _ in by_meaning], [place for place, _ in by_words]], limit)
        cosines = self._cosines(vector, chosen, dict(dense))
        dense_ranks, lexical_ranks = _ranks(by_meaning), _ranks(by_words)
        bm25 = dict(by_words)
        hits = [
            Hit(
                *passages[place],
                dense_rank=dense_ranks.get(place),
                cosine=cosines.get(place),
                lexical_rank=lexical_ranks.get(place),
                bm25=bm25.get(place),
            )
            for place in chosen
        ]
        return hits, Timings(embed=embed_ms, dense=dense_ms, lexical=lexical_ms)

    def _cosines(
        self, question: NDArray[np.float32], places: Sequence[Place], known: Mapping[Place, float]
    ) -> dict[Place, float]:
        missing = self._library.vectors_at([place for place in places if place not in known], self._embedder.name)
        return {**known, **{place: float(vector @ question) for place, vector in missing.items()}}


def _joined(
    library: Library, sides: Sequence[Ranked], spaces: Sequence[str], limit: int
) -> dict[Place, tuple[Chunk, Document]]:
    """The visible passages among the first `limit` of each side, and among all where too few of those are visible."""
    passages = library.chunks_at({place for side in sides for place, _ in side[:limit]}, spaces)
    if any(place not in passages for side in sides for place, _ in side[:limit]):
        passages |= library.chunks_at({place for side in sides for place, _ in side[limit:]}, spaces)
    return passages


def _visible(found: Ranked, passages: Mapping[Place, tuple[Chunk, Document]], limit: int) -> Ranked:
    return [item for item in found if item[0] in passages][:limit]


def _ranks(found: Ranked) -> dict[Place, int]:
    return {place: rank for rank, (place, _) in enumerate(found, start=1)}


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the milliseconds it took."""
    started = time.perf_counter()
    value = work()
    return value, (time.perf_counter() - started) * 1000

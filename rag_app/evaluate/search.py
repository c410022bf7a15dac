"""First stages over a data set's passages, joined as `rag_app/retrieve.py` does: exact scan, words in memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.index.tantivy import WordIndex
from ingest.records import Place
from rag_app.evaluate.records import Passage, Vectors
from rag_app.fusion import fuse
from rag_app.retrieve import LIMIT


@dataclass(frozen=True, slots=True)
class Found:
    """Passages of one question by their 0-based place in the data set, each list best first."""

    dense: tuple[int, ...]  # LIMIT at most, as `lexical`
    lexical: tuple[int, ...]
    hybrid: tuple[int, ...]  # `candidates` at most
    cosines: dict[int, float]  # -1 to 1, of every passage found
    dense_ms: float  # wall time without the question's vector
    lexical_ms: float
    fuse_ms: float

    def everything(self) -> list[int]:
        """Each passage found, once."""
        return list(self.cosines)


class Searcher:
    """Searches the passages of one data set."""

    def __init__(self, passages: Sequence[Passage], vectors: Vectors) -> None:
        self._vectors = vectors
        self._spaces = sorted({passage.document.space for passage in passages})
        self._index = {
            Place(passage.chunk.document_id, passage.chunk.position): n for n, passage in enumerate(passages)
        }
        self._words = WordIndex(None)
        for document, own in _by_document(passages):
            self._words.add(document.document, [passage.chunk for passage in own])
        self._words.commit()

    def search(self, question: str, vector: NDArray[np.float32], candidates: int) -> Found:
        """Both first stages, and both joined and cut to `candidates`."""
        asked = max(LIMIT, candidates)
        started = time.perf_counter()
        cosines = self._vectors @ vector
        dense = [int(place) for place in np.argsort(-cosines, kind="stable")[:asked]]  # ties: as they stand in the set
        scanned = time.perf_counter()
        lexical = [self._index[place] for place, _ in self._words.search(question, self._spaces, asked)]
        searched = time.perf_counter()
        hybrid = fuse([dense, lexical], candidates)
        fused = time.perf_counter()
        everything = dict.fromkeys([*dense[:LIMIT], *lexical[:LIMIT], *hybrid])
        return Found(
            tuple(dense[:LIMIT]),
            tuple(lexical[:LIMIT]),
            tuple(hybrid),
            {place: float(cosines[place]) for place in everything},
            (scanned - started) * 1000,
            (searched - scanned) * 1000,
            (fused - searched) * 1000,
        )

    def close(self) -> None:
        """Let go of the words."""
        self._words.close()


def _by_document(passages: Sequence[Passage]) -> list[tuple[Passage, list[Passage]]]:
    """Each document's first passage with all of them."""
    owned: dict[str, list[Passage]] = {}
    for passage in passages:
        owned.setdefault(passage.document.id, []).append(passage)
    return [(own[0], own) for own in owned.values()]

"""Reads the best passage again, sentence by sentence, where it is in doubt whether it answers.

A short passage of several subjects is near to no question as a whole, and one of them may still answer; a passage
about the question may hold no sentence that does. docs/training.md has what it gave.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.sentences import sentences
from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text

DOUBT = 0.5  # relevance from which on nothing is read again
SHORTEST = 4  # words of a sentence that is read alone
READ = 4  # parts the cross-encoder reads: those nearest to the question; 16 told no more (docs/training.md)


class Judge(Protocol):
    """The bundled cross-encoder."""

    @property
    def looks_closer(self) -> bool:
        """Whether its calibration knows what a closer look tells."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw logit, in the order given."""
        ...

    def closer(self, relevance: float, logits: Sequence[float], cosines: Sequence[float]) -> float:
        """The relevance (0 to 1) anew, from the one a passage has and its parts' logits and cosines."""
        ...


class Embedder(Protocol):
    """The bi-encoder, at the pace of questions."""

    def embed_parts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, (texts, dimensions), each of length 1."""
        ...

    def embed_question(self, question: str) -> NDArray[np.float32]:
        """Vector of a question, (dimensions,), of length 1."""
        ...


class CloserLook:
    """Tells the relevance of the best passage anew."""

    def __init__(self, judge: Judge, embedder: Embedder) -> None:
        self._judge, self._embedder = judge, embedder

    def look(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The hits in their order; the most relevant of those used may be told more or less, others never more."""
        used = [place for place, hit in enumerate(hits) if hit.used and hit.relevance is not None]
        best = max(used, key=lambda place: hits[place].relevance or 0.0, default=None)
        if best is None or not self._judge.looks_closer or (hits[best].relevance or 0.0) >= DOUBT:
            return list(hits)
        relevance = self._relevance(question, hits[best])
        return [
            replace(hit, relevance=relevance if place == best else min(hit.relevance, relevance))
            if hit.relevance is not None
            else hit
            for place, hit in enumerate(hits)
        ]

    def _relevance(self, question: str, hit: Hit) -> float:
        own = parts(reranked_text(hit))
        cosines = self._embedder.embed_parts(own) @ self._embedder.embed_question(question)
        nearest = [int(place) for place in np.argsort(-cosines)[:READ]]
        logits = self._judge.scores(question, [own[place] for place in nearest])
        return self._judge.closer(hit.relevance or 0.0, logits, [float(cosines[place]) for place in nearest])


def parts(text: str) -> list[str]:
    """Each sentence of a text, and each two that follow each other; the text itself where it has none."""
    said = [text[start:end] for start, end in sentences(text)]
    alone = [one for one in said if len(one.split()) >= SHORTEST]
    pairs = [" ".join(pair) for pair in pairwise(said)]
    return list(dict.fromkeys(alone + pairs)) or [text]

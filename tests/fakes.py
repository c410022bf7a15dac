"""Typed stand-ins for seams; never for the thing under test."""

import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ingest.errors import GeneratorError, RerankerError
from rag_app.records import Hit, Mode, Turn

DIMENSIONS = 384


class HashEmbedder:
    """A hashed bag of words: the same text has the same vector, texts that share words are nearer."""

    name = "hash:1"
    dimensions = DIMENSIONS

    def identity(self) -> str:
        return self.name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self.embed_question(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSIONS)

    def embed_question(self, question: str) -> NDArray[np.float32]:
        vector = np.full(DIMENSIONS, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", question.lower()):
            vector[int(hashlib.md5(word.encode()).hexdigest(), 16) % DIMENSIONS] += 1
        return vector / np.float32(np.linalg.norm(vector))

    def pieces(self, text: str) -> int:
        return len(re.findall(r"\w+|\S", text))


class WordReranker:
    """Relevance is the share of the question's words that the passage has."""

    name = "words"

    def __init__(self, threshold: float = 0.3, notice: str = "") -> None:
        self.threshold, self.notice = threshold, notice

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        scores = self.relevance(question, [hit.chunk.text for hit in hits])
        order = sorted(range(len(hits)), key=lambda index: -scores[index])
        return [
            replace(hits[index], relevance=scores[index], rerank_rank=rank) for rank, index in enumerate(order, start=1)
        ]

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        asked = set(re.findall(r"\w+", question.lower()))
        return [len(asked & set(re.findall(r"\w+", text.lower()))) / max(1, len(asked)) for text in texts]


class FailingReranker:
    """A reranker whose server is down."""

    name = "down"

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        raise RerankerError("rerank.example did not answer.")


class ScriptedGenerator:
    """Writes what it is told to, and remembers what it was given."""

    mode = Mode.MODEL
    model = "scripted"

    def __init__(self, *pieces: str, fault: str = "", before: Callable[[], None] | None = None) -> None:
        self._pieces, self._fault, self._before = pieces, fault, before
        self.passages: list[Hit] = []
        self.question = ""
        self.closed = False

    async def generate(
        self, question: str, passages: Sequence[Hit], turns: Sequence[Turn]
    ) -> AsyncGenerator[str, None]:
        self.question, self.passages = question, list(passages)
        try:
            for piece in self._pieces:
                yield piece
            if self._fault:
                raise GeneratorError(self._fault)
        finally:
            self.closed = True


class SameQuestion:
    """Rewrites nothing, unless it was told what to answer."""

    def __init__(self, rewritten: str = "") -> None:
        self._rewritten = rewritten

    async def rewrite(self, question: str, turns: Sequence[Turn]) -> str:
        return self._rewritten or question

"""Hard negatives: passages that a retriever takes for the answer and that are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np

from ingest.embedding import Vectors
from ingest.index.tantivy import WordIndex
from ingest.records import Chunk, Document

DEEP = 40  # how far down the list negatives are taken: a reranker sees fifty
NEAR = 8  # the hardest
SPACE = "pool"


class Embeds(Protocol):
    """What mining needs of an embedder."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, (texts, dimensions), each of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage of the pool, as a retriever found it."""

    place: int  # in the pool
    cosine: float  # of question and passage


class Pool:
    """The passages of one source, to be searched by meaning and by words."""

    def __init__(self, texts: Sequence[str], embedder: Embeds) -> None:
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # like lengths together: less padding
        vectors = embedder.embed([texts[index] for index in order])
        self.texts = list(texts)
        self.vectors: Vectors = np.empty_like(vectors)
        self.vectors[order] = vectors
        self._words = WordIndex(None)
        document = Document("pool", SPACE, "", "", "", 1, len(texts), 0, "")
        self._words.add(document, [_chunk(index, text) for index, text in enumerate(texts)])
        self._words.commit()

    def by_meaning(self, vector: Vectors, limit: int) -> list[Candidate]:
        """The passages nearest to a question's vector (dimensions,), nearest first."""
        cosines = self.vectors @ vector
        limit = min(limit, len(cosines))
        first = np.argpartition(-cosines, limit - 1)[:limit]
        return [Candidate(int(i), float(cosines[i])) for i in first[np.argsort(-cosines[first])]]

    def by_words(self, question: str, vector: Vectors, limit: int) -> list[Candidate]:
        """The passages that share the question's words, best first."""
        found = [place.position for place, _ in self._words.search(question, [SPACE], limit)]
        return [Candidate(index, float(self.vectors[index] @ vector)) for index in found]


def negatives(
    meaning: Sequence[Candidate],
    words: Sequence[Candidate],
    right: frozenset[int],
    highest: float,
    count: int,
    rng: Random,
) -> list[int]:
    """Places of `count` passages that do not answer, or fewer.

    By turns one of the nearest, one by words and one further down.

    `right` are the places of passages known to answer. A passage with a cosine above `highest` is left out: it may
    answer too (Qu et al., RocketQA, NAACL 2021, on false negatives).
    """
    sound = [item.place for item in meaning if item.place not in right and item.cosine <= highest]
    spoken = [item.place for item in words if item.place not in right and item.cosine <= highest]
    draws = [sound[:NEAR], spoken[: DEEP // 2], sound[NEAR:DEEP]]
    chosen: list[int] = []
    for turn in range(count * len(draws)):
        left = [place for place in draws[turn % len(draws)] if place not in chosen]
        if left and len(chosen) < count:
            chosen.append(rng.choice(left))
    return chosen


def _chunk(index: int, text: str) -> Chunk:
    return Chunk(str(index), "pool", index, 1, 1, 1, "1", "", text, 0, len(text))

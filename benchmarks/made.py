"""Libraries of any size without a file being read: passages made from real ones by perturbing words and vectors.

The real ones are the documentation in this checkout, or those of a folder of data (benchmarks/real.py).
A made passage has about half the words of a real one. The others are drawn from all that the real ones say, as often as
they say it, and one in five of those is a word of a large vocabulary of its own, so that most words are rare, as they
are in real text. Its vector lies between those of three real passages, mostly at the first, and a little beside.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.library import Library
from ingest.pipeline import document_id
from ingest.records import Chunk, Document

ROOT = Path(__file__).resolve().parents[1]
SPACE = "documents"
RECIPE = "made"
WORDS = 120  # of a passage that is cut from the documentation
A_DOCUMENT = 50  # passages
REPLACED, RARE = 0.5, 0.2  # of the words; of those replaced
WEIGHTS = (0.7, 0.2, 0.1)  # of three real vectors
NOISE = 0.15  # length of what is added, beside about 1
_SENTENCE = re.compile(r"(?<=[.?!])\s+")


@dataclass(frozen=True, slots=True)
class Real:
    """Passages of real documents."""

    texts: Sequence[str]
    vectors: NDArray[np.float32]  # (passages, dimensions), of length 1


def documented() -> list[str]:
    """Passages of the documentation in this checkout."""
    files = [*sorted((ROOT / "docs" / "handbook").glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    words = " ".join(file.read_text(encoding="utf-8") for file in files).split()
    return [" ".join(words[start : start + WORDS]) for start in range(0, len(words) - WORDS, WORDS)]


def questions(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """The questions about the handbook, then the longest sentences of passages drawn at random."""
    lines = (ROOT / "docs_corpus" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [str(json.loads(line)["question"]) for line in lines]
    drawn = random.Random(seed).sample(list(texts), min(len(texts), max(0, count - len(asked))))
    return [*asked, *(max(_SENTENCE.split(text), key=len)[:300] for text in drawn)][:count]


class Maker:
    """Makes passages; the same seed makes the same ones."""

    def __init__(self, real: Real, seed: int = 0) -> None:
        self._real = real
        self._dice = np.random.default_rng(seed)
        self._tokens = [np.array(text.split(), dtype=object) for text in real.texts]
        self._said = np.concatenate(self._tokens)

    def passages(self, count: int) -> tuple[list[str], NDArray[np.float32]]:
        """Texts and their vectors, (passages, dimensions), of length 1."""
        dice, real = self._dice, self._real
        near = dice.integers(len(real.texts), size=(count, len(WEIGHTS)))
        vectors = np.einsum("w,pwd->pd", np.array(WEIGHTS, dtype=np.float32), real.vectors[near])
        noise = dice.standard_normal(vectors.shape, dtype=np.float32)
        vectors += NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return [self._text(self._tokens[first]) for first in near[:, 0]], vectors.astype(np.float32)

    def _text(self, tokens: NDArray[np.object_]) -> str:
        dice, words = self._dice, tokens.copy()
        places = np.flatnonzero(dice.random(len(words)) < REPLACED)
        words[places] = dice.choice(self._said, size=len(places))
        rare = places[dice.random(len(places)) < RARE]
        words[rare] = [f"w{number:x}" for number in dice.integers(1_000_000, size=len(rare))]
        return " ".join(words)


def documents(maker: Maker, passages: int) -> Iterator[tuple[Document, list[Chunk], NDArray[np.float32]]]:
    """Documents of A_DOCUMENT passages, the last one of what is left, with their vectors."""
    for number, start in enumerate(range(0, passages, A_DOCUMENT)):
        texts, vectors = maker.passages(min(A_DOCUMENT, passages - start))
        yield (*document(f"made {number}", texts), vectors)


def document(title: str, texts: Sequence[str]) -> tuple[Document, list[Chunk]]:
    """A document of one page a text."""
    content = hashlib.sha256("\f".join([title, *texts]).encode()).hexdigest()
    identifier = document_id(SPACE, content)
    chunks = [
        Chunk(f"{identifier}-{n}", identifier, n, n + 1, n + 1, n + 1, str(n + 1), "", text, 0, len(text))
        for n, text in enumerate(texts)
    ]
    size = sum(map(len, texts))
    return Document(
        identifier, SPACE, content, title, f"{title}.pdf", len(texts), len(texts), size, "2026-01-01T00:00:00"
    ), chunks


def put(library: Library, embedder: str, one: Document, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> None:
    """Store a document as ingestion does, in place of the one that had its name."""
    library.begin(one, RECIPE, chunks)
    library.add_vectors(one.id, embedder, 0, vectors)
    library.publish(one.id, one.space, one.path, size=one.size, mtime_ns=1)

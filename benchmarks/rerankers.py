"""Compare the rerankers that are on this machine: how well they order, and how long it takes.

python -m benchmarks.rerankers --data DIR [--limit N] [--model FOLDER ...]

Quality: nDCG@10, hit@3 and MRR@10 over the dense top 50 of every BEIR set under DIR/retrieval, for the bundled
cross-encoder, the models of `rag models` that are downloaded, and folders. A model with a calibration beside its
weights is shown twice: alone, and joined with the cosine and the overlap of words, which is how the application ranks
by the bundled one.

Speed: questions with 50 passages each, the models taking turns so that all meet the same machine; the last column
compares with `CrossEncoder.predict` of the bundled weights in fp32 with that library's defaults, in the same turns.

Nothing is downloaded. Vectors and scores are kept under --cache and are not computed again.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder, on_this_machine
from rag_app.evaluate.datasets import is_beir, read_beir
from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import HIT, METRICS, MRR, NDCG, gains, measured
from rag_app.evaluate.models import Models
from rag_app.evaluate.progress import Progress
from rag_app.evaluate.records import Dataset, Question
from rag_app.evaluate.run import Plan, sampled
from rag_app.overlap import overlaps
from rag_app.rerank import calibration
from rag_app.rerank.catalogue import ENTRIES, Place
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker, LocalReranker

CANDIDATES = 50
SHOWN = (NDCG, HIT, MRR)
DENSE, JOINED, PLAIN = "dense", " joined", "CrossEncoder.predict, fp32"
TURNS = 5  # of every model, each a question with its 50 passages
WORDS = 130  # of a passage in the measurement of speed: about 180 tokens, as the application's passages have

Reranker = BundledReranker | LocalReranker
Values = dict[str, list[tuple[float, ...]]]  # way of ranking -> METRICS of every question


@dataclass(frozen=True, slots=True)
class Candidates:
    """The dense top 50 of one question."""

    question: Question
    documents: Sequence[str]  # ids, best first
    texts: Sequence[str]
    cosines: Sequence[float]  # -1 to 1

    @property
    def overlaps(self) -> list[float]:
        """Of the question's words with each passage, 0 to 1."""
        return overlaps(self.question.text, self.texts)

    def measured(self, scores: Sequence[float]) -> tuple[float, ...]:
        """METRICS of the order that scores give; equal scores keep the dense order."""
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        found = [(self.documents[place], 1) for place in order]
        return measured(gains(found, self.question.targets), self.question.targets)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one way of scoring takes."""

    ms: float  # median of the turns, for one question with its 50 passages
    pairs: float  # a second


def present(folders: Sequence[Path], compute: Compute) -> dict[str, Reranker]:
    """The local rerankers on this machine, by name."""
    found: dict[str, Reranker] = {BUNDLED: BundledReranker(compute)}
    downloaded = [entry.name for entry in ENTRIES if entry.place is Place.HUB and on_this_machine(entry.name)]
    for name in [*downloaded, *map(str, folders)]:
        own = calibrated(name) is not None  # read as the application reads its own
        found[name] = BundledReranker(compute, Path(name), name) if own else LocalReranker(name, compute)
    return found


def calibrated(name: str) -> calibration.Calibration | None:
    """The calibration that lies beside a model's weights, if there is one."""
    folder = FOLDER if name == BUNDLED else Path(name)
    return calibration.load(folder) if (folder / calibration.FILE).is_file() else None


def candidates(dataset: Dataset, models: Models, limit: int | None, count: int = CANDIDATES) -> list[Candidates]:
    """The dense top 50, or `count`, of a set's questions, or of `limit` of them."""
    texts = [passage.text for passage in dataset.passages]
    progress = Progress(f"Embedding {dataset.name}", models.passages_missing(texts))
    vectors = models.passage_vectors(texts, progress.add)
    progress.end()
    rows = []
    for question in sampled(dataset.questions, Plan(candidates=CANDIDATES, shown=0, limit=limit)):
        cosines = vectors @ models.question_vector(question.text)[0]
        places = np.argsort(-cosines, kind="stable")[:count]
        rows.append(
            Candidates(
                question,
                [dataset.passages[place].document.path for place in places],
                [texts[place] for place in places],
                [float(cosines[place]) for place in places],
            )
        )
    return rows


def scored(rows: Sequence[Candidates], name: str, models: Models) -> Iterator[tuple[str, list[tuple[float, ...]]]]:
    """For each way of ranking with one model its METRICS, question by question."""
    progress = Progress(f"Scoring with {name}", sum(models.pairs_missing(row.question.text, row.texts) for row in rows))
    logits = [[score for score, _ in models.scores(row.question.text, row.texts, progress.add)] for row in rows]
    progress.end()
    pairs = list(zip(rows, logits, strict=True))
    yield name, [row.measured(scores) for row, scores in pairs]
    known = calibrated(name)
    if known is not None:
        yield (
            name + JOINED,
            [row.measured(list(map(known.relevance, scores, row.cosines, row.overlaps))) for row, scores in pairs],
        )


def quality(sets: Mapping[str, Sequence[Candidates]], models: Mapping[str, Models]) -> dict[str, Values]:
    """METRICS of every question, by set and by way of ranking; dense first."""
    values: dict[str, Values] = {}
    for name, rows in sets.items():
        values[name] = {DENSE: [row.measured(row.cosines) for row in rows]}
        for model, kept in models.items():
            values[name].update(scored(rows, model, kept))
    return values


def quality_table(values: Mapping[str, Values]) -> str:
    """The mean over the sets of each metric, and nDCG@10 as a multiple of dense."""
    lines = [f"{'':<58}" + "".join(f"{metric:>9}" for metric in SHOWN) + "  to dense"]
    ways = next(iter(values.values()))
    base = _over_sets(values, DENSE, NDCG)
    for way in ways:
        cells = "".join(f"{_over_sets(values, way, metric):>9.3f}" for metric in SHOWN)
        lines.append(f"{way:<58}{cells}{_over_sets(values, way, NDCG) / base:>10.3f}")
    return "\n".join(lines)


def sets_table(values: Mapping[str, Values], seed: int = 0) -> str:
    """For each set and way of ranking nDCG@10, and how far it is from dense with its 95 % interval."""
    lines = []
    for name, ways in values.items():
        lines.append(f"{name}, {len(ways[DENSE])} questions")
        column = {way: np.array([row[METRICS.index(NDCG)] for row in rows]) for way, rows in ways.items()}
        draws = bootstrap_means(np.stack([one - column[DENSE] for one in column.values()], axis=1), seed)
        for (way, one), (low, high) in zip(column.items(), interval(draws).T, strict=True):
            change = "" if way == DENSE else f"{(one - column[DENSE]).mean():+.3f} ({low:+.3f} to {high:+.3f})"
            lines.append(f"  {way:<56}{one.mean():>9.3f}  {change}".rstrip())
    return "\n".join(lines)


def ratios(values: Mapping[str, Values], seed: int = 0) -> str:
    """The 95 % interval of nDCG@10 as a multiple of dense, for each way of ranking; questions drawn within each set."""
    ways, place = list(next(iter(values.values()))), METRICS.index(NDCG)
    draws = np.mean(
        [
            bootstrap_means(np.array([[row[place] for row in own[way]] for way in ways]).T, seed)
            for own in values.values()
        ],
        axis=0,
    )
    lows, highs = interval(draws / draws[:, :1])
    told = zip(ways[1:], lows[1:], highs[1:], strict=True)
    return "\n".join(f"{way:<58}to dense {low:.3f} to {high:.3f}" for way, low, high in told)


def _over_sets(values: Mapping[str, Values], way: str, metric: str) -> float:
    """Every set weighs the same."""
    place = METRICS.index(metric)
    return mean(mean(row[place] for row in ways[way]) for ways in values.values())


def paces(ways: Mapping[str, Callable[[str, Sequence[str]], object]], asked: Sequence[Candidates]) -> dict[str, Pace]:
    """How long each way takes for a question's passages; they take turns, and the first turn is not counted."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    pairs = len(asked[0].texts)
    for turn in range(TURNS + 1):
        row = asked[turn % len(asked)]
        texts = [" ".join(text.split()[:WORDS]) for text in row.texts]
        for name, score in ways.items():
            started = time.perf_counter()
            score(row.question.text, texts)
            if turn:
                times[name].append(time.perf_counter() - started)
    return {name: Pace(median(own) * 1000, pairs / median(own)) for name, own in times.items()}


def speed_table(found: Mapping[str, Pace]) -> str:
    """Pairs a second, milliseconds for a question's passages, and how many times faster than the plain way."""
    lines = [f"{'':<58}{'pairs/s':>9}{'ms for 50':>11}{'x plain':>9}"]
    for name, pace in found.items():
        lines.append(f"{name:<58}{pace.pairs:>9.1f}{pace.ms:>11.0f}{found[PLAIN].ms / pace.ms:>9.2f}")
    return "\n".join(lines)


def plain() -> Callable[[str, Sequence[str]], object]:
    """The bundled weights as sentence-transformers runs them by itself."""
    import torch
    from sentence_transformers import CrossEncoder

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = CrossEncoder(str(FOLDER), device=device, local_files_only=True, model_kwargs={"dtype": torch.float32})
    return lambda question, texts: model.predict([(question, text) for text in texts], show_progress_bar=False)


def read_sets(folder: Path) -> dict[str, Dataset]:
    """The BEIR sets in a folder, by name."""
    found = {path.name: read_beir(path) for path in sorted(folder.iterdir()) if path.is_dir() and is_beir(path)}
    if not found:
        raise SystemExit(f"There is no BEIR set in {folder}. --data takes the folder that has retrieval/ in it.")
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--limit", type=int, help="questions of each set, drawn at random; all of them if unset")
    parser.add_argument("--model", type=Path, action="append", default=[], help="the folder of another cross-encoder")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where vectors and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    compute = Compute()
    embedder, kept = Embedder(BUNDLED, compute), Kept(arguments.cache)
    rerankers = present(arguments.model, compute)
    models = {name: Models(embedder, reranker, kept) for name, reranker in rerankers.items()}
    datasets = read_sets(arguments.data / "retrieval")
    sets = {name: candidates(dataset, models[BUNDLED], arguments.limit) for name, dataset in datasets.items()}
    values = quality(sets, models)
    print(f"Mean over {len(sets)} sets, dense top {CANDIDATES}\n\n{quality_table(values)}\n")
    print(f"95 % intervals\n{ratios(values)}\n\n{sets_table(values)}\n")
    asked = [row for rows in sets.values() for row in rows if len(row.texts) == CANDIDATES][:TURNS]
    ways = {PLAIN: plain(), **{name: reranker.scores for name, reranker in rerankers.items()}}
    print(speed_table(paces(ways, asked)))


if __name__ == "__main__":
    main()

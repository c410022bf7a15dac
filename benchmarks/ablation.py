"""What each part of the training recipe is worth: the same short training again and again, each with a part left out.

python -m benchmarks.ablation --data DIR [--to build/ablation] [--share .1] [--groups N] [--limit N] [--arm NAME ...]

Every arm learns from N groups drawn from a share of the pairs, with the same seed and the same number of steps.
"other draws" is the recipe again with other negatives, cuts and contrasts: what differs between it and "recipe" is
chance. "second round" takes the negatives that the model of "recipe" thinks most of. "mean" is the mean of the weights
of "recipe" and "other draws", so it took twice the work.

Each is measured on N questions of every set under DIR/retrieval (nDCG@10), of the sets of pairs that no training sees
(hit@3), both over the dense top 50, and on the written questions of four_reasons; alone and joined with the cosine and
the overlap by the weights that ship. The intervals are of the paired bootstrap over questions against "recipe".

Run again after an interruption it goes on where it was.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks import four_reasons, pools
from benchmarks.calibrate import COSINE, OVERLAP
from benchmarks.rerankers import DENSE, JOINED, Candidates, candidates, quality, read_sets
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder, Vectors
from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import HIT, METRICS, NDCG, RECALL
from rag_app.evaluate.models import Models
from rag_app.rerank import calibration
from rag_app.rerank.calibration import Calibration
from rag_app.rerank.cross_encoder import PIECES, BundledReranker, Scorer
from rag_app.train import groups as kept_groups
from rag_app.train.average import average
from rag_app.train.fine_tune import Progress, Recipe, Training
from rag_app.train.groups import Group
from rag_app.train.pairs import claims, examples
from rag_app.train.prepare import DRAWN, SIZE, Draw, Part, prepared
from rag_app.train.second_round import hardest

RECIPE, OTHER, SECOND, MEAN = "recipe", "other draws", "second round", "mean"
WITHOUT = {
    "without bm25": frozenset({Part.BM25}),
    "without contrasts": frozenset({Part.CONTRASTS}),
    "without sentences": frozenset({Part.SENTENCES}),
    "without tables, topics": frozenset({Part.TABLES, Part.TOPICS}),
}
ARMS = (RECIPE, OTHER, *WITHOUT, SECOND, MEAN)  # what stands on another's model comes after it
SEED = 7
ALONE, TOGETHER = "alone", "joined"
FIGURES, MODEL = "figures.json", "model"
# Only the order counts. Small, so that no two of the probabilities are rounded to the same one.
RANKING = Calibration(
    bias=-3.0,
    logit=0.1,
    cosine=COSINE / 10,
    overlap=OVERLAP / 10,
    threshold=0.0,
    alone_bias=0.0,
    alone_logit=0.1,
)

Rows = Sequence[Sequence[float]]  # METRICS of every question
Values = Mapping[str, Mapping[str, Rows]]  # set -> way of ranking -> them


@dataclass(frozen=True, slots=True)
class Size:
    """How much each arm gets."""

    share: float  # of the pairs to draw from
    groups: int  # to learn from
    limit: int  # questions of each set to measure on


@dataclass(frozen=True, slots=True)
class Figures:
    """What one arm measures."""

    retrieval: Values
    pools: Values
    wins: tuple[int, int]  # of the written questions, alone and joined


class Remembering:
    """The bundled embedder, which embeds no text twice: the arms share most of theirs."""

    def __init__(self) -> None:
        self._embedder = Embedder(BUNDLED, Compute())
        self._known: dict[str, Vectors] = {}
        self.folder = self._embedder.folder

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As the embedder does."""
        fresh = list(dict.fromkeys(text for text in texts if text not in self._known))
        if fresh:
            self._known.update(zip(fresh, self._embedder.embed(fresh), strict=True))
        return np.stack([self._known[text] for text in texts])


class Bench:
    """Trains and measures, and keeps what is done under a folder."""

    def __init__(self, data: Path, to: Path, cache: Path, size: Size) -> None:
        self._data, self._to, self._cache, self._size = data, to, cache, size
        self._embedder = Remembering()
        self._kept = Kept(cache)

    def figures(self, arm: str) -> Figures:
        """An arm's figures, made now if they were not before. Raises TrainingDataError, ModelError."""
        folder = self._folder(arm)
        file = folder / f"{self._size.limit}-{FIGURES}"
        if not file.exists():
            if not (folder / MODEL / calibration.FILE).exists():
                self._make(arm, folder)
            found = self._measured(folder / MODEL)
            temporary = file.with_name(file.name + ".new")
            temporary.write_text(json.dumps([found.retrieval, found.pools, found.wins]), encoding="utf-8")
            temporary.replace(file)
        retrieval, pooled, wins = json.loads(file.read_text(encoding="utf-8"))
        return Figures(retrieval, pooled, tuple(wins))

    def _folder(self, arm: str) -> Path:
        """Another for another size."""
        return self._to / f"{arm.replace(',', '').replace(' ', '-')}-{self._size.groups}-{self._size.share:g}"

    def _make(self, arm: str, folder: Path) -> None:
        started = time.monotonic()
        if arm == MEAN:
            average([self._folder(of) / MODEL for of in (RECIPE, OTHER)], folder / MODEL)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            # The same seed in every arm: the head begins at the same weights.
            training = Training(self._embedder.folder, self._groups(arm), Recipe(seed=SEED), folder)
            training.run(_told)
            training.save(folder / MODEL)
        calibration.save(RANKING, folder / MODEL)
        sys.stderr.write(f"{arm}: made in {(time.monotonic() - started) / 60:.1f} minutes\n")

    def _groups(self, arm: str) -> Sequence[Group]:
        draw = Draw(SEED + (arm == OTHER), WITHOUT.get(arm, frozenset()), share=self._size.share)
        if arm != SECOND:
            return self._drawn(draw)[: self._size.groups]
        file = self._folder(SECOND) / "groups.jsonl.gz"
        if not file.exists():
            scorer = Scorer(self._folder(RECIPE) / MODEL, Compute(), PIECES)
            groups = self._drawn(replace(draw, size=DRAWN))[: self._size.groups]
            kept_groups.save(hardest(groups, scorer, SIZE), file)
        return kept_groups.load(file)

    def _drawn(self, draw: Draw) -> Sequence[Group]:
        file = self._to / f"groups-{draw.name}.jsonl.gz"
        if not file.exists():
            folder = self._data / "pairs"
            kept_groups.save(prepared(examples(folder, draw.seed), claims(folder), self._embedder, draw), file)
        return kept_groups.load(file)

    def _measured(self, folder: Path) -> Figures:
        models = Models(Embedder(BUNDLED, Compute()), BundledReranker(Compute(), folder, str(folder)), self._kept)
        ways = {str(folder): models}
        retrieval = _short(quality(self._retrieval(models), ways), folder)
        pooled = _short(quality(pools.sets(self._data, self._cache, models, self._size.limit), ways), folder)
        written = [item for item in four_reasons.items() if item.kind in four_reasons.KINDS]
        rows = four_reasons.scored(written, folder)
        alone = sum(four_reasons.won(row.alone) for row in rows)
        joined = sum(row.joined is not None and four_reasons.won(row.joined) for row in rows)
        return Figures(retrieval, pooled, (alone, joined))

    def _retrieval(self, models: Models) -> dict[str, list[Candidates]]:
        found = read_sets(self._data / "retrieval")
        return {name: candidates(dataset, models, self._size.limit) for name, dataset in found.items()}


def _short(values: Values, folder: Path) -> dict[str, dict[str, Rows]]:
    """The same with names of ways that do not tell which model it was."""
    names = {DENSE: DENSE, str(folder): ALONE, str(folder) + JOINED: TOGETHER}
    return {name: {names[way]: rows for way, rows in ways.items()} for name, ways in values.items()}


def _told(progress: Progress) -> None:
    if progress.step % 40 == 0:
        sys.stderr.write(
            f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {progress.pairs_per_s:.0f} pairs/s, "
            f"{progress.left_s / 60:.1f} minutes left\n"
        )


def over_sets(values: Values, way: str, metric: str) -> float:
    """The mean of a metric; every set weighs the same."""
    place = METRICS.index(metric)
    return mean(mean(row[place] for row in ways[way]) for ways in values.values())


def change(one: Values, other: Values, way: str, metric: str, seed: int = 0) -> tuple[float, float, float]:
    """How far a metric is above that of another arm on the same questions, and the ends of its 95 % interval."""
    place = METRICS.index(metric)
    draws, found = [], []
    for name, ways in one.items():
        own, base = (np.array([row[place] for row in rows]) for rows in (ways[way], other[name][way]))
        draws.append(bootstrap_means((own - base)[:, None], seed)[:, 0])
        found.append(float((own - base).mean()))
    low, high = interval(np.mean(draws, axis=0)[:, None])[:, 0]
    return mean(found), float(low), float(high)


def table(found: Mapping[str, Figures]) -> str:
    """A line for each arm: the figures, and how far they are from those of the recipe."""
    first = next(iter(found.values()))
    most = mean(mean(row[METRICS.index(RECALL)] > 0 for row in ways[DENSE]) for ways in first.pools.values())
    dense = over_sets(first.retrieval, DENSE, NDCG), over_sets(first.pools, DENSE, HIT)
    lines = [
        f"dense: nDCG@10 {dense[0]:.3f}; hit@3 {dense[1]:.3f}, hit@50 {most:.3f}",
        "",
        f"{'':<24}{'nDCG@10':<16}{'of dense':<16}{'hit@3':<16}{'gap closed':<18}{'four reasons':<16}",
        f"{'':<24}" + f"{'alone':<8}{'joined':<8}" * 3 + f"{'alone':<9}{'joined':<9}alone   joined",
    ]
    for arm, own in found.items():
        ordered = [over_sets(own.retrieval, way, NDCG) for way in (ALONE, TOGETHER)]
        hits = [over_sets(own.pools, way, HIT) for way in (ALONE, TOGETHER)]
        cells = [f"{value:<8.3f}" for value in (*ordered, *(value / dense[0] for value in ordered), *hits)]
        cells += [f"{(value - dense[1]) / (most - dense[1] or math.nan):<9.1%}" for value in hits]
        lines.append(f"{arm:<24}" + "".join(cells) + f"{own.wins[0]:<8}{own.wins[1]}")
    return "\n".join(lines)


def changes(found: Mapping[str, Figures]) -> str:
    """How far each arm is from the recipe, with 95 % intervals."""
    base = found[RECIPE]
    lines = [f"{'less the recipe':<24}" + "".join(f"{name:<26}" for name in _COLUMNS)]
    for arm, own in found.items():
        if arm == RECIPE:
            continue
        cells = [
            change(values, others, way, metric)
            for values, others, metric in ((own.retrieval, base.retrieval, NDCG), (own.pools, base.pools, HIT))
            for way in (ALONE, TOGETHER)
        ]
        lines.append(
            f"{arm:<24}" + "".join(f"{f'{at:+.3f} ({low:+.3f} to {high:+.3f})':<26}" for at, low, high in cells)
        )
    return "\n".join(lines)


_COLUMNS = ("nDCG@10 alone", "nDCG@10 joined", "hit@3 alone", "hit@3 joined")


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/ and retrieval/")
    parser.add_argument("--to", type=Path, default=Path("build/ablation"), help="where models and figures are kept")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where vectors and scores are kept")
    parser.add_argument("--share", type=float, default=0.1, help="of the pairs to draw from (default .1)")
    parser.add_argument("--groups", type=int, default=3_800, help="groups each arm learns from (default 3800)")
    parser.add_argument("--limit", type=int, default=30, help="questions of each set (default 30)")
    parser.add_argument("--arm", choices=ARMS, action="append", help="only this one; all of them if unset")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    size = Size(arguments.share, arguments.groups, arguments.limit)
    bench = Bench(arguments.data, arguments.to, arguments.cache, size)
    found = {}
    for arm in [arm for arm in ARMS if arm == RECIPE or arm in (arguments.arm or ARMS)]:
        found[arm] = bench.figures(arm)
        sys.stderr.write(f"{arm}: measured\n")
    print(f"{table(found)}\n\n{changes(found)}")


if __name__ == "__main__":
    main()

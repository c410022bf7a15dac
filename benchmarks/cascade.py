"""Fit how far the reranker reads, for a stated loss.

python -m benchmarks.cascade --data DIR [--limit N] [--cache DIR] [--write]

Over the dense top 50 of N questions of every BEIR set under DIR/retrieval, ranked as the application ranks: for each
margin the passages read of a question, the change of nDCG@10 against reading all of them, in the mean of the sets and
in the worst of them, and for which share of the questions the first three and the first six are the same in the same
order. What a logit is guessed from is fitted without the set that is measured.

--write fits it on all sets, takes the least margin that loses at most LOSS and keeps SAME of the first three, and
writes it beside the bundled weights. Scores are kept under --cache and are not computed again.

--pools measures the cascade that ships as the application runs it, on the sets of pairs (benchmarks/pools.py) that it
was not fitted on: the passages read, hit@3 with everything read and with the cascade, and the same first three and six.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks import pools
from benchmarks.rerank import run_by, shown, top
from benchmarks.rerankers import Candidates, candidates, read_sets
from ingest import engines
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import HIT, METRICS, NDCG
from rag_app.evaluate.models import Models
from rag_app.rerank import calibration, cascade
from rag_app.rerank.calibration import Calibration
from rag_app.rerank.cascade import BEST, Cascade, Seen
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker

LOSS = 0.005  # of nDCG@10, as a share of what reading everything has
SAME = 0.99  # of the questions keep their first three
MARGINS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's candidates with the logit of each."""

    row: Candidates
    logits: Sequence[float]

    @property
    def seen(self) -> list[Seen]:
        """What is known of each before it is read."""
        return list(zip(self.row.cosines, self.row.overlaps, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one margin does."""

    margin: float
    read: float  # passages of a question
    loss: float  # of nDCG@10 in the mean of the sets, as a share; below 0 where it gains
    worst: float  # the same of the set that loses most
    same: float  # share of questions whose first three are the same
    same_best: float  # the same of the first BEST

    @property
    def serves(self) -> bool:
        """Whether it stays within what may be lost."""
        return self.loss <= LOSS and self.same >= SAME


def fitted(asked: Sequence[Asked], margin: float = 0.0) -> Cascade:
    """The least squares of logits on cosines and overlaps."""
    known = np.array([(1.0, *one) for row in asked for one in row.seen])
    logits = np.array([logit for row in asked for logit in row.logits])
    bias, cosine, overlap = np.linalg.lstsq(known, logits, rcond=None)[0]
    return Cascade(float(bias), float(cosine), float(overlap), margin)


def measured(sets: Mapping[str, Sequence[Asked]], margin: float, known: Calibration) -> Outcome:
    """What a margin does to each set, with what the others were fitted to."""
    rows = []
    for name, asked in sets.items():
        others = [one for other, own in sets.items() if other != name for one in own]
        rows.append(_of_set(asked, replace(fitted(others), margin=margin), known))
    read, full, short, same, same_best = (list(column) for column in zip(*rows, strict=True))
    losses = [1 - one / other for one, other in zip(short, full, strict=True)]
    return Outcome(margin, mean(read), 1 - mean(short) / mean(full), max(losses), mean(same), mean(same_best))


def _of_set(asked: Sequence[Asked], way: Cascade, known: Calibration, metric: str = NDCG) -> tuple[float, ...]:
    """Means: passages read, the metric whole and by the cascade, same first three and first BEST."""
    place, rows = METRICS.index(metric), []
    for one in asked:
        full = [known.value(logit, *seen) for logit, seen in zip(one.logits, one.seen, strict=True)]
        found = cascade.read(way, known, one.seen, one.row.texts, partial(_at, one.logits))
        gained = one.row.measured(full)[place], one.row.measured(found.values)[place]
        same = [top(full, count) == top(found.values, count) for count in (3, BEST)]
        rows.append((sum(found.read), *gained, *map(float, same)))
    return tuple(mean(column) for column in zip(*rows, strict=True))


def pools_table(sets: Mapping[str, Sequence[Asked]], way: Cascade, known: Calibration) -> str:
    """A line for each set, and the mean: passages read, hit@3 whole and by the cascade, same first three and BEST."""
    lines = [f"{'':<24}{'read':>8}{'hit@3 whole':>13}{'cascade':>9}{'same 3':>9}{f'same {BEST}':>9}"]
    rows = {name: _of_set(asked, way, known, HIT) for name, asked in sets.items()}
    rows["mean"] = tuple(mean(column) for column in zip(*rows.values(), strict=True))
    lines += [
        f"{name:<24}{read:>8.1f}{whole:>13.3f}{short:>9.3f}{same:>9.1%}{same_best:>9.1%}"
        for name, (read, whole, short, same, same_best) in rows.items()
    ]
    return "\n".join(lines)


def _at(logits: Sequence[float], places: Sequence[int]) -> list[float]:
    return [logits[place] for place in places]


def table(found: Sequence[Outcome], passages: int) -> str:
    """A line for each margin."""
    lines = [
        f"{'margin':>7}{f'read of {passages}':>12}{'nDCG@10':>10}{'worst set':>11}{'same 3':>9}{f'same {BEST}':>9}"
    ]
    lines += [
        f"{one.margin:>7.1f}{one.read:>12.1f}{-one.loss:>+10.2%}{-one.worst:>+11.2%}{one.same:>9.1%}{one.same_best:>9.1%}"
        for one in found
    ]
    return "\n".join(lines)


def chosen(found: Sequence[Outcome]) -> Outcome:
    """The least margin that serves. Raises SystemExit where none does."""
    serving = [one for one in found if one.serves]
    if not serving:
        raise SystemExit(f"No margin loses at most {LOSS:.1%} and keeps {SAME:.0%} of the first three.")
    return min(serving, key=lambda one: one.margin)


def main() -> None:
    """Print the table; with --write, write the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--limit", type=int, default=50, help="questions of each set (default 50)")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where vectors and scores are kept")
    parser.add_argument("--engine", default=engines.TORCH, help="whose scores are taken (default torch)")
    parser.add_argument("--write", action="store_true", help="write the fit beside the bundled weights")
    parser.add_argument("--pools", action="store_true", help="measure the one that ships on sets it has not seen")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    if arguments.pools:
        print(_checked(arguments.data, arguments.cache, arguments.limit))
        return
    reranker = BundledReranker(Compute(), engines=run_by(arguments.engine))
    models = Models(Embedder(BUNDLED, Compute(), run_by(engines.TORCH)), reranker, Kept(arguments.cache))
    sets = {}
    for name, dataset in read_sets(arguments.data / "retrieval").items():
        rows = candidates(dataset, models, arguments.limit)
        sets[name] = [Asked(row, _logits(models, row)) for row in rows]
    known = calibration.load(FOLDER)
    found = [measured(sets, margin, known) for margin in MARGINS]
    print(f"Mean over {len(sets)} sets, {arguments.limit} questions of each, logits by {shown(arguments.engine)}")
    print(table(found, max(len(one.logits) for own in sets.values() for one in own)))
    if arguments.write:
        way = fitted([one for own in sets.values() for one in own], chosen(found).margin)
        cascade.save(way, FOLDER)
        print(f"written: {way}")


def _checked(data: Path, cache: Path, limit: int) -> str:
    models = Models(Embedder(BUNDLED, Compute()), BundledReranker(Compute()), Kept(cache))
    way = cascade.load(FOLDER)
    if way is None:
        raise SystemExit(f"There is no {cascade.FILE} in {FOLDER}. Run this with --write first.")
    rows = pools.sets(data, cache, models, limit)
    sets = {name: [Asked(row, _logits(models, row)) for row in own] for name, own in rows.items()}
    return f"{limit} questions of each set, margin {way.margin}\n{pools_table(sets, way, calibration.load(FOLDER))}"


def _logits(models: Models, row: Candidates) -> list[float]:
    return [score for score, _ in models.scores(row.question.text, row.texts, lambda _: None)]


if __name__ == "__main__":
    main()

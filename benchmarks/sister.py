"""Whether a small sister of the cross-encoder would make the cascade quicker.

python -m benchmarks.sister --data DIR --sister FOLDER [--limit N] [--cache DIR]

The cascade guesses what the cross-encoder will say of a passage from cosine and overlap, which cost nothing. A sister
(python -m rag_app.train.sister) guesses better, but has to read all the candidates first. Over the dense top 50 of N
questions of every BEIR set under DIR/retrieval: how far the guesses are off, and for each margin the passages read, the
change of nDCG@10, the share of questions with the same first three, and the milliseconds a question that these come to.
What is guessed from is fitted without the set that is measured.

Times: the sister on the candidates of a question, and the cross-encoder on the same, the two taking turns.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cascade import MARGINS, Asked
from benchmarks.rerank import top
from benchmarks.rerankers import CANDIDATES, Pace, candidates, paces, read_sets
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import METRICS, NDCG
from rag_app.evaluate.models import Models
from rag_app.rerank import calibration, cascade
from rag_app.rerank.calibration import Calibration
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker, LocalReranker

PRESENT, WITH = "cosine and overlap", "with the sister"

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hinted:
    """A question's candidates with the logit of each, and what a guess can be made from."""

    asked: Asked
    known: Numbers  # (candidates, columns): 1, cosine, overlap and, where there is a sister, her logit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one margin does."""

    margin: float
    read: float  # passages of a question
    loss: float  # of nDCG@10 in the mean of the sets, as a share; below 0 where it gains
    same: float  # share of questions whose first three are the same


def weights(rows: Sequence[Hinted]) -> Numbers:
    """The least squares of the logits on what is known, (columns,)."""
    known, logits = np.concatenate([row.known for row in rows]), np.array(_logits(rows))
    found: Numbers = np.linalg.lstsq(known, logits, rcond=None)[0]
    return found


def _logits(rows: Sequence[Hinted]) -> list[float]:
    return list(chain.from_iterable(row.asked.logits for row in rows))


def _left_out(sets: Mapping[str, Sequence[Hinted]]) -> dict[str, Numbers]:
    """For each set the weights that the other sets give."""
    return {name: weights([row for other, rows in sets.items() if other != name for row in rows]) for name in sets}


def off(sets: Mapping[str, Sequence[Hinted]]) -> float:
    """How many logits a guess is off: the root of the mean square, over all sets."""
    found = _left_out(sets)
    squares = [
        mean(np.square(row.known @ found[name] - row.asked.logits).mean() for row in rows)
        for name, rows in sets.items()
    ]
    return float(np.sqrt(mean(squares)))


def measured(sets: Mapping[str, Sequence[Hinted]], margin: float, known: Calibration) -> Outcome:
    """What a margin does to each set, with what the others were fitted to."""
    found = _left_out(sets)
    rows = [
        tuple(map(mean, zip(*(_of(row, found[name], margin, known) for row in own), strict=True)))
        for name, own in sets.items()
    ]
    read, full, short, same = (mean(column) for column in zip(*rows, strict=True))
    return Outcome(margin, read, 1 - short / full, same)


def _of(row: Hinted, found: Numbers, margin: float, known: Calibration) -> tuple[float, float, float, float]:
    asked, place = row.asked, METRICS.index(NDCG)
    full = [known.value(logit, *seen) for logit, seen in zip(asked.logits, asked.seen, strict=True)]
    guesses = [float(guess) for guess in row.known @ found]
    ended = cascade.reading(guesses, margin, known, asked.seen, asked.row.texts, partial(_at, asked.logits))
    ndcg = asked.row.measured(full)[place], asked.row.measured(ended.values)[place]
    return (sum(ended.read), *ndcg, float(top(full, 3) == top(ended.values, 3)))


def _at(logits: Sequence[float], places: Sequence[int]) -> list[float]:
    return [logits[place] for place in places]


def table(found: Mapping[str, Sequence[Outcome]], pace: Mapping[str, Pace]) -> str:
    """A line for each margin and way of guessing, with the time that its reading comes to."""
    one = pace[BUNDLED].ms / CANDIDATES
    lines = [f"{'guess from':<22}{'margin':>7}{f'read of {CANDIDATES}':>12}{'nDCG@10':>10}{'same 3':>9}{'ms':>8}"]
    for way, outcomes in found.items():
        before = pace[WITH].ms if way == WITH else 0.0
        for own in outcomes:
            quality = f"{own.read:>12.1f}{-own.loss:>+10.2%}{own.same:>9.1%}"
            lines.append(f"{way:<22}{own.margin:>7.1f}{quality}{before + own.read * one:>8.0f}")
    return "\n".join(lines)


def hinted(models: Mapping[str, Models], data: Path, limit: int) -> dict[str, dict[str, list[Hinted]]]:
    """By way of guessing and by set the candidates of `limit` questions."""
    sets: dict[str, dict[str, list[Hinted]]] = {PRESENT: {}, WITH: {}}
    for name, dataset in read_sets(data / "retrieval").items():
        for own in sets.values():
            own[name] = []
        for row in candidates(dataset, models[BUNDLED], limit):
            logits, hints = (
                [score for score, _ in models[by].scores(row.question.text, row.texts, lambda _: None)]
                for by in (BUNDLED, WITH)
            )
            asked = Asked(row, logits)
            plain = np.array([(1.0, *seen) for seen in asked.seen])
            sets[PRESENT][name].append(Hinted(asked, plain))
            sets[WITH][name].append(Hinted(asked, np.column_stack([plain, hints])))
    return sets


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--sister", type=Path, required=True, help="the folder of the small cross-encoder")
    parser.add_argument("--limit", type=int, default=50, help="questions of each set (default 50)")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where vectors and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    compute = Compute()
    embedder, kept = Embedder(BUNDLED, compute), Kept(arguments.cache)
    rerankers: dict[str, Any] = {
        BUNDLED: BundledReranker(compute),
        WITH: LocalReranker(str(arguments.sister), compute),
    }
    models = {name: Models(embedder, reranker, kept) for name, reranker in rerankers.items()}
    sets = hinted(models, arguments.data, arguments.limit)
    rows = [row.asked.row for own in sets[PRESENT].values() for row in own if len(row.asked.logits) == CANDIDATES]
    pace = paces({name: reranker.scores for name, reranker in rerankers.items()}, rows)
    known = calibration.load(FOLDER)
    for way, own in sets.items():
        print(f"{way}: a guess is off by {off(own):.2f} logits")
    hers, ours = pace[WITH].ms, pace[BUNDLED].ms
    print(f"{CANDIDATES} passages: the sister {hers:.0f} ms, the cross-encoder {ours:.0f} ms\n")
    print(table({way: [measured(own, margin, known) for margin in MARGINS] for way, own in sets.items()}, pace))


if __name__ == "__main__":
    main()

"""Reads the candidates that can still come among the first, and no others. Pure.

What the cross-encoder will say of a passage is guessed from its cosine and its overlap, which are known already. The
candidates are read in the order of that guess; the reading ends when even `margin` logits more than guessed would not
bring the next one among the first. This is the stopping rule of Fagin, Lotem and Naor's threshold algorithm (PODS
2001), with a fitted bound in the place of a certain one; `benchmarks/cascade.py` fits it. Where many candidates are so
alike that the guesses do not part them, it ends after MOST: that changed the first three of no further question.
"""

import json
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rag_app.rerank.calibration import Calibration

FILE = "cascade.json"
BEST = 6  # places that the reading must not get wrong: as many as an answer is made from at most (rag_app/breadth.py)
FIRST, NEXT = 12, 8  # passages read at once: at the beginning, and each time after it
MOST = 36  # passages read of a question; with 28 the first three of one question in seventy were others
BELOW = 1.0  # logits that an unread passage is placed below its guess: what was worth reading is above it

Seen = tuple[float, float]  # cosine (-1 to 1) and overlap (0 to 1) of a candidate


@dataclass(frozen=True, slots=True)
class Cascade:
    """The guess of a logit: bias + cosine * the cosine + overlap * the overlap."""

    bias: float
    cosine: float
    overlap: float
    margin: float  # logits that a passage is given the chance to be better than its guess

    def guess(self, seen: Seen) -> float:
        """The logit to be expected."""
        return self.bias + self.cosine * seen[0] + self.overlap * seen[1]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of it, in the order of the candidates."""

    values: Sequence[float]  # in log-odds, by which passages are ordered; guessed where one was not read
    read: Sequence[bool]


def read(
    cascade: Cascade,
    calibration: Calibration,
    seen: Sequence[Seen],
    wordings: Sequence[Hashable],
    score: Callable[[Sequence[int]], Sequence[float]],
    *,
    raised: Sequence[float] | None = None,
) -> Reading:
    """Read candidates until no other can come among the first BEST.

    wordings: candidates of which this is the same count once among the first, as they do in an answer.
    score: the logits of the candidates at some places (0-based), in the order of the places.
    raised: what is added to the value of each, in log-odds; nothing without it.
    """
    guesses = [cascade.guess(one) for one in seen]
    return reading(guesses, cascade.margin, calibration, seen, wordings, score, raised=raised)


def reading(
    guesses: Sequence[float],
    margin: float,
    calibration: Calibration,
    seen: Sequence[Seen],
    wordings: Sequence[Hashable],
    score: Callable[[Sequence[int]], Sequence[float]],
    *,
    raised: Sequence[float] | None = None,
) -> Reading:
    """The same from guesses of the logits, whatever they were made of."""
    more = raised or [0.0] * len(seen)

    def value(place: int, logit: float) -> float:
        return calibration.value(logit, *seen[place]) + more[place]

    values = [value(place, guess - BELOW) for place, guess in enumerate(guesses)]
    order = sorted(range(len(seen)), key=lambda place: -values[place])
    done = 0
    while done < len(order):
        last = _last(order[:done], values, wordings)
        hoped = value(order[done], guesses[order[done]] + margin)
        if last is not None and (hoped < last or done >= MOST):
            for place in order[done:]:  # whatever is left to hope for: what was not read is not among the first
                values[place] = min(values[place], math.nextafter(last, -math.inf))
            break
        part = order[done : done + (NEXT if done else FIRST)]
        for place, logit in zip(part, score(part), strict=True):
            values[place] = value(place, logit)
        done += len(part)
    known = set(order[:done])
    return Reading(values, [place in known for place in range(len(order))])


def _last(places: Sequence[int], values: Sequence[float], wordings: Sequence[Hashable]) -> float | None:
    """The value of the last of the first BEST among some places; None where there are fewer."""
    best: dict[Hashable, float] = {}
    for place in places:
        best[wordings[place]] = max(values[place], best.get(wordings[place], values[place]))
    return sorted(best.values(), reverse=True)[BEST - 1] if len(best) >= BEST else None


def load(folder: Path) -> Cascade | None:
    """The cascade that lies beside a model's weights; None where none was fitted for it: then everything is read."""
    file = folder / FILE
    return Cascade(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def save(cascade: Cascade, folder: Path) -> None:
    """Write a cascade beside a model's weights."""
    (folder / FILE).write_text(json.dumps(asdict(cascade), indent=2) + "\n", encoding="utf-8")

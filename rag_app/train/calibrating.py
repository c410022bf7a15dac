"""Fitting a calibration: from the scores of passages known to be right or wrong to probabilities. Pure.

Used for the model that ships (`benchmarks/calibrate.py`) and for one trained on a team's own questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag_app.rerank.calibration import Calibration, log_odds
from rag_app.rerank.closer import DOUBT

PASSAGES = 3  # as many as an answer is given
SMALLEST = 1e-9  # change of a weight
RIDGE = 1e-3  # strength of the pull towards 0, against weights without bound where the two kinds do not overlap


@dataclass(frozen=True, slots=True)
class Scored:
    """One passage of one question."""

    cosine: float  # -1 to 1
    logit: float
    right: bool
    overlap: float = 0.0  # 0 to 1
    parts: tuple[tuple[float, float], ...] = ()  # logit and cosine of each part, where it may come first


@dataclass(frozen=True, slots=True)
class Case:
    """A question's candidates, with or without the ones that answer it."""

    passages: Sequence[Scored]
    answerable: bool


def cases(home: Sequence[Sequence[Scored]], foreign: Sequence[Sequence[Scored]] = ()) -> list[Case]:
    """Each question with its right passages, the same without them, and questions from elsewhere.

    Left out are questions of whose candidates none is right, or every one.
    """
    held = [row for row in home if any(item.right for item in row) and not all(item.right for item in row)]
    return [
        *(Case(row, answerable=True) for row in held),
        *(Case([item for item in row if not item.right], answerable=False) for row in held),
        *(Case(row, answerable=False) for row in foreign),
    ]


def fitted_joined(known: Sequence[Case], threshold: float, cosine: float, overlap: float) -> Calibration:
    """The calibration of an order that is given: by logit + `cosine` * cosine + `overlap` * overlap.

    What orders well on collections of every kind is chosen by a measure of ranking, not by the likelihood of the few
    sets that a calibration is fitted on; only bias and scale are fitted here (Platt, 1999).
    """
    draft = Calibration(0.0, 1.0, cosine, threshold, 0.0, 0.0, overlap)
    first = [item for case in known for item in chosen(draft, case)]
    alone_bias, alone_logit = fit(first, with_cosine=False)
    return replace(_by_place(draft, known), alone_bias=alone_bias, alone_logit=alone_logit)


def fitted(
    known: Sequence[Case], threshold: float, near: Calibration | None = None, pull: float = RIDGE
) -> Calibration:
    """The calibration: first an order from all passages, then the chances of those that come first in it.

    With `near`, few cases move it only a little: `pull` is the precision of a normal distribution around it.
    """
    joined = None if near is None else (near.bias, near.logit, near.cosine, near.overlap)
    alone = None if near is None else (near.alone_bias, near.alone_logit)
    everything = [item for case in known for item in case.passages]
    bias, logit, cosine, overlap = fit(everything, with_cosine=True, near=joined, pull=pull)
    draft = Calibration(bias, logit, cosine, threshold, 0.0, 0.0, overlap)
    first = [item for case in known for item in chosen(draft, case)]
    alone_bias, alone_logit = fit(first, with_cosine=False, near=alone, pull=pull)
    return replace(_by_place(draft, known, near, pull), alone_bias=alone_bias, alone_logit=alone_logit)


def with_closer(calibration: Calibration, known: Sequence[Case]) -> Calibration:
    """The calibration with the line for a passage in doubt that is read again, part by part.

    It tells whether the question is answerable, which is what the best passage's relevance decides. Fitted on all
    questions whose first passage has its parts: on those in doubt alone the parts got too much weight
    (docs/training.md).
    """
    rows = [(chosen(calibration, case)[0], case) for case in known]
    rows = [(first, case) for first, case in rows if first.parts]
    features = np.array(
        [
            [1.0, log_odds(max(_relevances(calibration, case.passages))), _best_part(calibration, first)]
            for first, case in rows
        ]
    )
    labels = np.array([float(case.answerable) for _, case in rows])
    bias, odds, part = logistic(features, labels, np.zeros(3), RIDGE)
    return replace(calibration, closer_bias=bias, closer_first=odds, closer_part=part)


def _best_part(calibration: Calibration, passage: Scored) -> float:
    return max(calibration.part(logit, cosine) for logit, cosine in passage.parts)


def _by_place(
    draft: Calibration, known: Sequence[Case], near: Calibration | None = None, pull: float = RIDGE
) -> Calibration:
    """The same order, with one line for the passage that comes first and one for those behind it."""
    rows = [chosen(draft, case) for case in known]

    def line(items: Sequence[Scored], nearest: tuple[float, float] | None) -> list[float]:
        values = [Scored(0.0, draft.value(item.logit, item.cosine, item.overlap), item.right) for item in items]
        return fit(values, with_cosine=False, near=nearest, pull=pull)

    bias, scale = line([item for row in rows for item in row[1:]], None if near is None else (0.0, 1.0))
    lift, stretch = line([row[0] for row in rows], None if near is None else (near.lift, near.stretch))
    scale = max(scale, SMALLEST)  # an order turned round would not be the same
    return replace(
        draft,
        bias=bias + scale * draft.bias,
        logit=scale * draft.logit,
        cosine=scale * draft.cosine,
        overlap=scale * draft.overlap,
        lift=lift - max(stretch, SMALLEST) / scale * bias,
        stretch=max(stretch, SMALLEST) / scale,
    )


def fit(
    rows: Sequence[Scored], *, with_cosine: bool, near: Sequence[float] | None = None, pull: float = RIDGE
) -> list[float]:
    """Bias and weight of the logit, `with_cosine` also of cosine and overlap, by Newton's method (logistic regression).

    The penalty is pull / 2 times the squared distance from `near` (zeros without it).
    """
    columns = 4 if with_cosine else 2
    features = np.array([[1.0, item.logit, item.cosine, item.overlap] for item in rows])[:, :columns]
    labels = np.array([item.right for item in rows], dtype=float)
    return logistic(features, labels, np.zeros(columns) if near is None else np.array(near), pull)


def logistic(
    features: NDArray[np.float64], labels: NDArray[np.float64], centre: NDArray[np.float64], pull: float
) -> list[float]:
    """Weights of a logistic regression by Newton's method; features (rows, columns), labels 0 or 1 (rows,).

    The penalty is pull / 2 times the squared distance from `centre` (columns,).
    """
    columns = len(centre)
    beta = centre.copy()

    def cost(weights: NDArray[np.float64]) -> float:
        values = features @ weights
        return float(np.sum(np.logaddexp(0, values) - labels * values) + pull / 2 * np.sum((weights - centre) ** 2))

    for _ in range(50):
        chance = _chance(features @ beta)
        slope = features.T @ (labels - chance) - pull * (beta - centre)
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + pull * np.eye(columns)
        step = np.linalg.solve(curve, slope)
        # A whole step from far away can land further off than it began, and the next one further still.
        while cost(beta + step) > cost(beta) and np.abs(step).max() > SMALLEST:
            step = step / 2
        beta = beta + step
    return [float(value) for value in beta]


def chosen(calibration: Calibration, case: Case) -> list[Scored]:
    """The passages an answer would be made from, best first."""
    ranked = sorted(case.passages, key=lambda item: -calibration.value(item.logit, item.cosine, item.overlap))
    return ranked[:PASSAGES]


def best_relevance(calibration: Calibration, case: Case) -> float:
    """The relevance (0 to 1) that decides whether the question is answered."""
    return _told(calibration, chosen(calibration, case))[0]


def _told(calibration: Calibration, row: Sequence[Scored]) -> list[float]:
    """The relevances of the passages of an answer, best first, the first one's after a closer look."""
    relevances = _relevances(calibration, row)
    if calibration.closer_part <= 0 or not row[0].parts or relevances[0] >= DOUBT:
        return relevances
    first = calibration.closer(relevances[0], _best_part(calibration, row[0]))
    return [first, *(min(relevance, first) for relevance in relevances[1:])]


def _relevances(calibration: Calibration, passages: Sequence[Scored]) -> list[float]:
    return calibration.relevances([calibration.value(item.logit, item.cosine, item.overlap) for item in passages])


def expected_error(calibration: Calibration, known: Sequence[Case], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al., AAAI 2015)."""
    rows = [chosen(calibration, case) for case in known]
    chance = np.array([value for row in rows for value in _told(calibration, row)])
    right = np.array([item.right for row in rows for item in row], dtype=float)
    which = np.minimum((chance * bins).astype(int), bins - 1)
    parts = [which == index for index in range(bins)]
    return float(sum(part.mean() * abs(chance[part].mean() - right[part].mean()) for part in parts if part.any()))


def refused(calibration: Calibration, known: Sequence[Case], *, answerable: bool) -> float:
    """The share (0 to 1) of the answerable, or of the other questions, that would not be answered."""
    asked = [case for case in known if case.answerable == answerable]
    read = [bool(chosen(calibration, case)[0].parts) for case in asked]
    bars = np.where(read, calibration.threshold, calibration.threshold_unread)
    return float(np.mean(np.array([best_relevance(calibration, case) for case in asked]) < bars))


def _chance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values)))

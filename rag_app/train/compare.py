"""Before and after: the same questions with the same candidates, ordered by two models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.metrics import METRICS, NDCG, RECALL, gains, measured
from rag_app.evaluate.models import Models
from rag_app.evaluate.progress import Progress
from rag_app.rerank.calibration import Calibration
from rag_app.rerank.ranking import reranked_text
from rag_app.train.asked import Asked
from rag_app.train.calibrating import Case, Scored, best_relevance, cases, expected_error, refused

SHOWN = tuple(name for name in METRICS if name != RECALL)  # the candidates are the same, so their recall is too
LOWEST = 0.05  # share of the answerable questions that may fall below a threshold

Scores = Sequence[Sequence[float]]  # for each question the logits of its candidates


@dataclass(frozen=True, slots=True)
class Compared:
    """Means over questions before and after."""

    questions: int
    before: Mapping[str, float]  # metric -> mean, 0 to 1
    after: Mapping[str, float]
    change: tuple[float, float]  # 95 % interval of the change of nDCG@10, question by question


def scores(asked: Sequence[Asked], models: Models, what: str) -> Scores:
    """The logits of every candidate; progress on stderr under the name `what`."""
    texts = [[reranked_text(hit) for hit in one.hits] for one in asked]
    missing = sum(models.pairs_missing(one.text, own) for one, own in zip(asked, texts, strict=True))
    progress = Progress(what, missing)
    found = [
        [score for score, _ in models.scores(one.text, own, progress.add)]
        for one, own in zip(asked, texts, strict=True)
    ]
    progress.end()
    return found


def figures(asked: Sequence[Asked], logits: Scores, calibration: Calibration) -> list[tuple[float, ...]]:
    """For each question METRICS, its candidates ordered by relevance as the application does."""
    return [_measured(one, own, calibration) for one, own in zip(asked, logits, strict=True)]


def compared(before: Sequence[tuple[float, ...]], after: Sequence[tuple[float, ...]], seed: int) -> Compared:
    """The means of two times the same questions, as `figures` gives them; at least one."""
    old, new = np.array(before), np.array(after)
    low, high = interval(bootstrap_means(new - old, seed))
    place = METRICS.index(NDCG)
    return Compared(
        len(old), _means(old.mean(axis=0)), _means(new.mean(axis=0)), (float(low[place]), float(high[place]))
    )


def judged(asked: Sequence[Asked], logits: Scores) -> list[Case]:
    """Questions for fitting and measuring a calibration: as they are, and with what answers them taken away."""
    rows = []
    for one, own in zip(asked, logits, strict=True):
        right = one.right
        rows.append(
            [
                Scored(hit.cosine or 0.0, logit, index in right, hit.overlap or 0.0)
                for index, (hit, logit) in enumerate(zip(one.hits, own, strict=True))
                # What stands on a right page without being what was labelled is neither right nor wrong.
                if index in right or index not in one.barred
            ]
        )
    return cases(rows)


def threshold(calibration: Calibration, known: Sequence[Case], shipped: float) -> float:
    """The relevance below which one in twenty answerable questions falls, between half of `shipped` and `shipped`.

    Never higher: a team's own questions all have an answer and are alike, so they say nothing of the questions that
    would be refused. Never far lower: the less certain a model, the less it would refuse.
    """
    best = [best_relevance(calibration, case) for case in known if case.answerable]
    return float(np.clip(np.quantile(best, LOWEST), shipped / 2, shipped))


def abstaining(calibration: Calibration, known: Sequence[Case]) -> dict[str, float]:
    """How well relevance is a probability, and which questions are refused: rounded, 0 to 1."""
    return {
        "calibration_error": round(expected_error(calibration, known), 4),
        "answerable_refused": round(refused(calibration, known, answerable=True), 4),
        "emptied_refused": round(refused(calibration, known, answerable=False), 4),
        "threshold": round(calibration.threshold, 4),
    }


def _measured(asked: Asked, logits: Sequence[float], calibration: Calibration) -> tuple[float, ...]:
    relevance = [
        calibration.relevance(logit, hit.cosine, hit.overlap) for hit, logit in zip(asked.hits, logits, strict=True)
    ]
    order = sorted(range(len(relevance)), key=lambda index: -relevance[index])
    return measured(gains([asked.places[index] for index in order], asked.targets), asked.targets)


def _means(values: Sequence[float]) -> dict[str, float]:
    named = dict(zip(METRICS, values, strict=True))
    return {name: round(float(named[name]), 4) for name in SHOWN}

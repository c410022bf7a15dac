"""Outcomes -> figures: means with intervals, what reranking adds, and where it adds it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from rag_app.evaluate.answers import AnswerFigures, answer_figures
from rag_app.evaluate.answers import as_json as answers_as_json
from rag_app.evaluate.intervals import Values, bootstrap_means, interval
from rag_app.evaluate.metrics import METRICS, first_right, measured
from rag_app.evaluate.records import BASES, DENSE, RERANKED, STAGES, Outcome, Run

RIGHT, WRONG, MISSING = "top1_right", "top1_wrong", "not_in_50"
GROUPS = (RIGHT, WRONG, MISSING)  # by what dense retrieval alone made of the question


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over questions, or a mean difference, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of a run."""

    stages: Mapping[str, Mapping[str, Figure]]  # stage, metric
    ms: Mapping[str, float]  # stage -> median over the questions
    lifts: Mapping[str, Mapping[str, Figure]]  # first stage, metric: reranked minus not, question by question
    groups: Mapping[str, tuple[int, Mapping[str, Mapping[str, float]]]]  # group -> its questions, stage, metric
    answers: AnswerFigures | None = None  # None where only the search was measured


def summary(run: Run) -> Summary:
    """The figures of a run; every question weighs the same."""
    values = {stage: _values(run.outcomes, stage) for stage in STAGES}
    table = np.hstack([values[stage] for stage in STAGES])
    draws = bootstrap_means(table, run.seed)
    width = len(METRICS)
    drawn = {stage: draws[:, place * width : (place + 1) * width] for place, stage in enumerate(STAGES)}
    return Summary(
        stages={stage: _figures(values[stage], drawn[stage]) for stage in STAGES},
        ms={stage: median(outcome.rankings[stage].ms for outcome in run.outcomes) for stage in STAGES},
        lifts={
            base: _figures(values[base + RERANKED] - values[base], drawn[base + RERANKED] - drawn[base])
            for base in BASES
        },
        groups=_groups(run.outcomes, values),
        answers=None if run.answered is None else answer_figures(run.answered, run.seed),
    )


def group_of(outcome: Outcome) -> str:
    """Which of GROUPS a question is in."""
    rank = first_right(outcome.rankings[DENSE].gains)
    if rank is None:
        return MISSING
    return RIGHT if rank == 1 else WRONG


def as_json(run: Run, figures: Summary) -> dict[str, Any]:
    """What `rag evaluate --json` prints."""
    dataset = run.dataset
    return {
        "dataset": dataset.name,
        "questions": len(run.outcomes),
        "passages": len(dataset.passages),
        "embedder": run.embedder,
        "reranker": run.reranker,
        "seed": run.seed,
        "page_tolerance": run.page_tolerance,
        "stages": {
            stage: {**_means(own), "ci95": _intervals(own), "ms": round(figures.ms[stage], 2)}
            for stage, own in figures.stages.items()
        },
        "lift": {base: {**_means(own), "ci95": _intervals(own)} for base, own in figures.lifts.items()},
        "by_dense": {
            group: {"questions": count, "stages": {stage: _rounded(means) for stage, means in stages.items()}}
            for group, (count, stages) in figures.groups.items()
        },
        "computed": {"vectors": run.computed.vectors, "scores": run.computed.scores},
        "unreadable": [
            {"path": one.path, "reason": one.reason, "questions": one.questions} for one in dataset.unreadable
        ],
        "notices": list(dataset.notices),
        **({} if figures.answers is None else {"answers": answers_as_json(figures.answers)}),
    }


def _values(outcomes: Sequence[Outcome], stage: str) -> Values:
    """All metrics of a stage, (questions, metrics)."""
    return np.array([measured(outcome.rankings[stage].gains, outcome.question.targets) for outcome in outcomes])


def _figures(values: Values, draws: Values) -> dict[str, Figure]:
    low, high = interval(draws)
    means = values.mean(axis=0)
    return {
        metric: Figure(float(means[place]), float(low[place]), float(high[place]))
        for place, metric in enumerate(METRICS)
    }


def _groups(
    outcomes: Sequence[Outcome], values: Mapping[str, Values]
) -> dict[str, tuple[int, dict[str, dict[str, float]]]]:
    group = np.array([group_of(outcome) for outcome in outcomes])
    found: dict[str, tuple[int, dict[str, dict[str, float]]]] = {}
    for name in GROUPS:
        inside = group == name
        stages = (
            {stage: dict(zip(METRICS, own[inside].mean(axis=0).tolist(), strict=True)) for stage, own in values.items()}
            if inside.any()
            else {}
        )
        found[name] = (int(inside.sum()), stages)
    return found


def _means(figures: Mapping[str, Figure]) -> dict[str, float]:
    return _rounded({metric: figure.mean for metric, figure in figures.items()})


def _intervals(figures: Mapping[str, Figure]) -> dict[str, list[float]]:
    return {metric: [round(figure.low, 4), round(figure.high, 4)] for metric, figure in figures.items()}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}

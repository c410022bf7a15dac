"""Answers -> figures: is what they cite right, do they hold the answer, when do they abstain. Pure.

Every figure is a sum over questions divided by another, so that questions without a part in it don't count; intervals
are bootstraps over questions. An answer that was refused counts as one without the short answer.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.records import Answered, Given
from rag_app.records import Support

SHORT = 12  # words; a longer answer is compared with nothing, since nobody says it twice in the same words
STEPS = 20  # of the curve
FALSE_REFUSAL = "false_refusal"
# name -> what it says, in the order shown
NAMES = {
    "citation_precision": "cited passages that hold the answer",
    "citation_recall": "answers that cite a right page",
    "answer_in_text": "short answer in the text",
    "answer_in_first": "short answer in the first sentence",
    "answer_in_quotes": "short answer in what the citations show",
    "token_f1": "token F1 with the short answer",
    "supported": "sentences supported",
    "partly": "sentences partly supported",
    "unsupported": "sentences unsupported",
    FALSE_REFUSAL: "answerable questions refused",
    "abstention": "unanswerable questions refused",
}
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
Part = tuple[float, float]  # what a question adds to the sum above, and to the one below


@dataclass(frozen=True, slots=True)
class Share:
    """A sum over questions divided by another, with its 95 % interval."""

    value: float
    low: float
    high: float
    of: float  # the sum below: how many questions, citations or sentences it is a share of


@dataclass(frozen=True, slots=True)
class Point:
    """Both errors of abstaining at one threshold."""

    threshold: float  # 0 to 1
    false_refusal: float  # share of the answerable questions below it
    abstention: float | None  # share of the unanswerable below it; None where none was asked


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """What `--answers` adds to an evaluation."""

    mode: str
    model: str
    threshold: float
    answerable: int
    unanswerable: int
    fell_back: int
    shares: Mapping[str, Share]  # of NAMES, those that this set can tell
    curve: tuple[Point, ...]


def answer_figures(answered: Answered, seed: int) -> AnswerFigures:
    """The figures of a set's answers; `seed` decides the draws of the intervals."""
    given = answered.given
    parts = {name: np.array([part(one) for one in given], dtype=float).reshape(-1, 2) for name, part in _PARTS.items()}
    told = [name for name, values in parts.items() if values[:, 1].sum() > 0]
    draws = bootstrap_means(np.hstack([parts[name] for name in told]), seed) if told else np.empty((0, 0))
    shares = {name: _share(parts[name], draws[:, 2 * place : 2 * place + 2]) for place, name in enumerate(told)}
    answerable = sum(bool(one.question.targets) for one in given)
    return AnswerFigures(
        mode=answered.mode,
        model=answered.model,
        threshold=answered.threshold,
        answerable=answerable,
        unanswerable=len(given) - answerable,
        fell_back=answered.fell_back,
        shares=shares,
        curve=curve(given),
    )


def curve(given: Sequence[Given]) -> tuple[Point, ...]:
    """Both errors at thresholds that refuse 0, 5, ... 100 % of the answerable questions."""
    known = np.array(sorted(one.relevance for one in given if one.question.targets))
    other = np.array([one.relevance for one in given if not one.question.targets])
    if not known.size:
        return ()
    thresholds = np.unique(np.quantile(known, np.linspace(0, 1, STEPS + 1)))
    return tuple(
        Point(float(at), float((known < at).mean()), float((other < at).mean()) if other.size else None)
        for at in thresholds
    )


def as_json(figures: AnswerFigures) -> dict[str, Any]:
    """What `rag evaluate --answers --json` adds."""
    return {
        "mode": figures.mode,
        "model": figures.model or None,
        "threshold": figures.threshold,
        "answerable": figures.answerable,
        "unanswerable": figures.unanswerable,
        "fell_back": figures.fell_back,
        **{name: _rounded(share.value) for name, share in figures.shares.items()},
        "ci95": {name: [_rounded(share.low), _rounded(share.high)] for name, share in figures.shares.items()},
        "of": {name: int(share.of) for name, share in figures.shares.items()},
        "curve": [
            {
                "threshold": _rounded(point.threshold),
                FALSE_REFUSAL: _rounded(point.false_refusal),
                "abstention": None if point.abstention is None else _rounded(point.abstention),
            }
            for point in figures.curve
        ],
    }


def short_answers(given: Given) -> list[str]:
    """The answers of a question that are short enough to be looked for."""
    return [answer for answer in given.question.answers if len(answer.split()) <= SHORT]


def holds(text: str, answer: str) -> bool:
    """Whether a text holds an answer as whole words; case, kinds of the same letter and spaces aside."""
    wanted = _flat(answer)
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", _flat(text)) is not None


def token_f1(text: str, answer: str) -> float:
    """The harmonic mean of precision and recall of the answer's words (Rajpurkar et al., EMNLP 2016), 0 to 1."""
    said, wanted = Counter(_words(text)), Counter(_words(answer))
    both = (said & wanted).total()
    return 2 * both / (said.total() + wanted.total()) if both else 0.0


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .")


def _words(text: str) -> list[str]:
    """Words as that paper compares them: lower case, without punctuation and articles."""
    return _ARTICLES.sub(" ", re.sub(r"[^\w\s]", "", unicodedata.normalize("NFKC", text).casefold())).split()


def _held(within: Callable[[Given], str]) -> Callable[[Given], Part]:
    def part(one: Given) -> Part:
        answers = short_answers(one)
        text = "" if one.abstained else within(one)
        return float(any(holds(text, answer) for answer in answers)), float(bool(answers))

    return part


def _f1(one: Given) -> Part:
    answers = short_answers(one)
    text = "" if one.abstained else " ".join(one.sentences)
    return max((token_f1(text, answer) for answer in answers), default=0.0), float(bool(answers))


def _supported(kind: Support) -> Callable[[Given], Part]:
    return lambda one: (one.support.count(kind), len(one.support))


def _precision(one: Given) -> Part:
    return (sum(one.right), len(one.right)) if one.question.targets else (0, 0)


def _recall(one: Given) -> Part:
    return float(any(one.right)), float(bool(one.question.targets) and not one.abstained)


def _false_refusal(one: Given) -> Part:
    known = bool(one.question.targets)
    return float(known and one.abstained), float(known)


def _abstention(one: Given) -> Part:
    unknown = not one.question.targets
    return float(unknown and one.abstained), float(unknown)


_PARTS: Mapping[str, Callable[[Given], Part]] = {
    "citation_precision": _precision,
    "citation_recall": _recall,
    "answer_in_text": _held(lambda one: " ".join(one.sentences)),
    "answer_in_first": _held(lambda one: one.sentences[0] if one.sentences else ""),
    "answer_in_quotes": _held(lambda one: "\n".join(one.quotes)),
    "token_f1": _f1,
    "supported": _supported(Support.SUPPORTED),
    "partly": _supported(Support.PARTLY),
    "unsupported": _supported(Support.UNSUPPORTED),
    FALSE_REFUSAL: _false_refusal,
    "abstention": _abstention,
}


def _share(parts: np.ndarray[Any, np.dtype[np.float64]], draws: np.ndarray[Any, np.dtype[np.float64]]) -> Share:
    """A figure from what each question adds, (questions, 2), and from the means of draws, (draws, 2)."""
    above, below = parts.sum(axis=0)
    drawn = draws[draws[:, 1] > 0]
    low, high = interval((drawn[:, 0] / drawn[:, 1])[:, None])[:, 0]
    return Share(float(above / below), float(low), float(high), float(below))


def _rounded(value: float) -> float:
    return round(value, 4)

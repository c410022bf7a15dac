"""From a cross-encoder's logit, the bi-encoder's cosine and the words shared to a probability. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "calibration.json"
# What the place in the search by words is worth in the order: so many logits at its head, half of them RANKS later.
# The best of a grid on the development sets (docs/training.md).
LEXICAL, RANKS = 4.0, 3.0
PART_LOGIT = 2.0  # weight of the logit beside the cosine in a part of a passage; 1 was measured a little worse
# What a title and a heading that the question says whole are worth in the order, in logits (docs/retrieval.md).
TITLE, HEADING = 2.2, 1.1
# What a name in the question that none of the passages chosen speaks of adds to the log-odds of any answer: fitted on
# the collections of benchmarks/calibrate.py, where 3 of 350 questions with an answer have one, 64 of 560 without.
ABSENT = -1.69
# The same where one of them speaks of another code of the same kind. Counted it would be -2.5 (docs/retrieval.md); this
# declines up to a relevance of .98, as an answer about another code is the worse error and often the likeliest one.
ANOTHER = -6.0
_LEAST = 1e-6  # probabilities nearer to 0 or 1 count as this


@dataclass(frozen=True, slots=True)
class Calibration:
    """Relevance = sigmoid(bias + logit * the cross-encoder's logit + cosine * the cosine + overlap * the overlap).

    A logistic regression over three scores (Platt, 1999), fitted by `benchmarks/calibrate.py`; `threshold` is the
    relevance below which the documents are taken not to hold the answer.

    The passage that comes first of a question's candidates is right far more often than one with the same scores
    further down (docs/training.md), so it has a line of its own: sigmoid(lift + stretch * the value above). Where that
    leaves it in doubt its parts are read (`rerank/closer.py`), and a third line joins what they tell.
    """

    bias: float
    logit: float
    cosine: float
    threshold: float  # 0 to 1
    alone_bias: float  # the same, fitted on the logit alone
    alone_logit: float
    overlap: float = 0.0  # 0 for models trained before it was known
    lift: float = 0.0  # 0 and 1 for models calibrated before the first was told from the others
    stretch: float = 1.0
    closer_bias: float = 0.0  # of the line for a passage that was read again part by part
    closer_first: float = 1.0  # weight of its log-odds before
    closer_part: float = 0.0  # weight of its best part; 0: this model does not look closer
    first_threshold: float | None = None  # the threshold where nothing is read again

    @property
    def threshold_unread(self) -> float:
        """The threshold for relevances that no closer look has told anew."""
        return self.threshold if self.first_threshold is None else self.first_threshold

    def relevance(self, logit: float, cosine: float | None, overlap: float | None = None) -> float:
        """The probability (0 to 1) that a passage answers the question, wherever it stands.

        From the logit alone without a cosine.
        """
        return _sigmoid(self.value(logit, cosine, overlap))

    def value(self, logit: float, cosine: float | None, overlap: float | None = None) -> float:
        """The three scores in one, by which passages are ordered; in log-odds. The logit alone without a cosine."""
        if cosine is None:
            return self.alone_bias + self.alone_logit * logit
        return self.bias + self.logit * logit + self.cosine * cosine + self.overlap * (overlap or 0.0)

    def part(self, logit: float, cosine: float) -> float:
        """What a part of a passage tells, in logits: as a passage's value without overlap, the logit counted twice."""
        return PART_LOGIT * logit + self.cosine / self.logit * cosine

    def closer(self, relevance: float, part: float) -> float:
        """The probability (0 to 1) that the first passage answers, from the one before and its best part."""
        return _sigmoid(self.closer_bias + self.closer_first * log_odds(relevance) + self.closer_part * part)

    def raised(self, lexical_rank: int | None) -> float:
        """What a passage's rank (from 1) in the search by words adds to its value for the order alone, in log-odds.

        That search knows how rare a word is in the whole library, which the overlap does not. Relevance is told without
        it.
        """
        return 0.0 if lexical_rank is None else self.logit * LEXICAL * RANKS / (RANKS + lexical_rank - 1)

    def called(self, title: float, heading: float) -> float:
        """What the shares (0 to 1) of a title and a heading that a question says add for the order, in log-odds."""
        return self.logit * (TITLE * title + HEADING * heading)

    def relevances(
        self, values: Sequence[float], *, first: bool = True, order: Sequence[float] | None = None
    ) -> list[float]:
        """The probabilities (0 to 1) of a question's candidates, from the value of each.

        first: the one that comes first is told by the line of those that do; it is the highest of `order`, or of the
        values themselves.
        """
        lifted = list(values)
        if first and lifted:
            by = values if order is None else order
            best = max(range(len(lifted)), key=by.__getitem__)
            # Far below any threshold the two lines cross; the first is never told to be less than it was.
            lifted[best] = max(lifted[best], self.lift + self.stretch * lifted[best])
        return [_sigmoid(value) for value in lifted]


def doubted(relevance: float, doubt: float) -> float:
    """The relevance (0 to 1) of a passage where the question names what no passage chosen speaks of.

    doubt: ABSENT, or ANOTHER where one speaks of another code of the same kind; in log-odds.
    """
    return _sigmoid(log_odds(relevance) + doubt)


def log_odds(chance: float) -> float:
    """The logarithm of chance / (1 - chance), for 0 to 1; the ends count as a millionth away from them."""
    held = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(held / (1 - held))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def load(folder: Path) -> Calibration:
    """The calibration that lies beside a model's weights."""
    values: Mapping[str, float] = json.loads((folder / FILE).read_text())
    return Calibration(**{name: values[name] for name in Calibration.__dataclass_fields__ if name in values})


def save(calibration: Calibration, folder: Path) -> None:
    """Write the calibration beside a model's weights."""
    (folder / FILE).write_text(json.dumps(asdict(calibration), indent=2) + "\n")

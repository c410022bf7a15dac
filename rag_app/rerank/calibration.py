"""From a cross-encoder's logit, the bi-encoder's cosine and the words shared to a probability. Pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Relevance = sigmoid(bias + logit * the cross-encoder's logit + cosine * the cosine + overlap * the overlap).

    A logistic regression over three scores (Platt, 1999), fitted by `benchmarks/calibrate.py`; `threshold` is the
    relevance below which the documents are taken not to hold the answer.
    """

    bias: float
    logit: float
    cosine: float
    threshold: float  # 0 to 1
    alone_bias: float  # the same, fitted on the logit alone
    alone_logit: float
    overlap: float = 0.0  # 0 for models trained before it was known

    def relevance(self, logit: float, cosine: float | None, overlap: float | None = None) -> float:
        """The probability (0 to 1) that a passage answers the question; from the logit alone without a cosine."""
        if cosine is None:
            return _sigmoid(self.alone_bias + self.alone_logit * logit)
        return _sigmoid(self.bias + self.logit * logit + self.cosine * cosine + self.overlap * (overlap or 0.0))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def load(folder: Path) -> Calibration:
    """The calibration that lies beside a model's weights."""
    values: Mapping[str, float] = {"overlap": 0.0, **json.loads((folder / FILE).read_text())}
    return Calibration(**{name: values[name] for name in Calibration.__dataclass_fields__})


def save(calibration: Calibration, folder: Path) -> None:
    """Write the calibration beside a model's weights."""
    (folder / FILE).write_text(json.dumps(asdict(calibration), indent=2) + "\n")

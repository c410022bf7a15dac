"""From a cross-encoder's logit and the bi-encoder's cosine to a probability. Pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Relevance = sigmoid(bias + logit * the cross-encoder's logit + cosine * the bi-encoder's cosine).

    A logistic regression over two scores (Platt, 1999), fitted by `benchmarks/calibrate.py`; `threshold` is the
    relevance below which the documents are taken not to hold the answer.
    """

    bias: float
    logit: float
    cosine: float
    threshold: float  # 0 to 1
    alone_bias: float  # the same, fitted without a cosine
    alone_logit: float

    def relevance(self, logit: float, cosine: float | None) -> float:
        """The probability (0 to 1) that a passage answers the question; from the logit alone without a cosine."""
        if cosine is None:
            return _sigmoid(self.alone_bias + self.alone_logit * logit)
        return _sigmoid(self.bias + self.logit * logit + self.cosine * cosine)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def load(folder: Path) -> Calibration:
    """The calibration that lies beside a model's weights."""
    values: Mapping[str, float] = json.loads((folder / FILE).read_text())
    return Calibration(**{name: values[name] for name in Calibration.__dataclass_fields__})


def save(calibration: Calibration, folder: Path) -> None:
    """Write the calibration beside a model's weights."""
    (folder / FILE).write_text(json.dumps(asdict(calibration), indent=2) + "\n")

"""How far a mean over questions could be off: the paired bootstrap. Pure; the seed decides every draw.

Efron and Tibshirani, An Introduction to the Bootstrap, 1993; percentile intervals. All columns share their draws of
questions, so that the difference of two columns is the paired one.
"""

import numpy as np
from numpy.typing import NDArray

DRAWS = 2_000
SHARE = 0.95  # of the draws that lie inside an interval

Values = NDArray[np.float64]


def bootstrap_means(values: Values, seed: int, draws: int = DRAWS) -> Values:
    """Means of `draws` resamples with replacement: (questions, columns) -> (draws, columns)."""
    random = np.random.default_rng(seed)
    questions = len(values)
    return np.stack([values[random.integers(0, questions, questions)].mean(axis=0) for _ in range(draws)])


def interval(means: Values) -> Values:
    """The 95 % percentile interval of each column: (draws, columns) -> (2, columns), low and high."""
    outside = (1 - SHARE) / 2
    return np.quantile(means, [outside, 1 - outside], axis=0)

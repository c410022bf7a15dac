"""Measures of a ranking, each from 0 to 1, higher is better. Pure.

They agree with trec_eval's recall_50, success_3, recip_rank (of the first 10) and ndcg_cut_10 where scores do not tie;
ties are broken by whoever ranked, not here. What was not judged counts as wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

RECALL, HIT, MRR, NDCG = "recall@50", "hit@3", "mrr@10", "ndcg@10"
METRICS = (RECALL, HIT, MRR, NDCG)
DEEP, FIRST, SHOWN = 50, 10, 3  # ranks looked at


@dataclass(frozen=True, slots=True)
class Target:
    """A place that was judged right for a question."""

    document: str  # a document's id, or a PDF's path in its folder
    page: int  # 1-based; 1 for documents without pages
    gain: float  # above 0, as judged


def gains(found: Sequence[tuple[str, int]], targets: Sequence[Target], tolerance: int = 0) -> list[float]:
    """The gain of each (document, page) of a ranking, best first; 0 where it is not right.

    A target counts once, for the first that finds it: two passages of one right page are one find. A page is found
    by a passage at most `tolerance` pages away; where it could be several, the nearest counts.

    Example: [("a", 3), ("a", 3), ("a", 5)] with targets on pages 3 and 4 of "a", tolerance 1 -> [1, 1, 0]
    """
    left = list(targets)
    values = []
    for document, page in found:
        near = [target for target in left if target.document == document and abs(target.page - page) <= tolerance]
        if not near:
            values.append(0.0)
            continue
        nearest = min(near, key=lambda target: (abs(target.page - page), -target.gain))
        left.remove(nearest)
        values.append(nearest.gain)
    return values


def recall(values: Sequence[float], targets: int, depth: int = DEEP) -> float:
    """The share of the `targets` that the first `depth` of a ranking find."""
    return sum(value > 0 for value in values[:depth]) / targets


def hit(values: Sequence[float], depth: int = SHOWN) -> float:
    """1 where one of the first `depth` is right, else 0."""
    return float(any(value > 0 for value in values[:depth]))


def first_right(values: Sequence[float]) -> int | None:
    """The 1-based rank of the first that is right; None where none is."""
    return next((rank for rank, value in enumerate(values, start=1) if value > 0), None)


def reciprocal_rank(values: Sequence[float], depth: int = FIRST) -> float:
    """1 / rank of the first that is right, 0 where it is not among the first `depth`."""
    rank = first_right(values[:depth])
    return 0.0 if rank is None else 1 / rank


def ndcg(values: Sequence[float], targets: Sequence[Target], depth: int = FIRST) -> float:
    """Normalised discounted cumulative gain with linear gain (Järvelin and Kekäläinen, TOIS 2002)."""
    ideal = sorted((target.gain for target in targets), reverse=True)
    return _discounted(values[:depth]) / _discounted(ideal[:depth])


def _discounted(values: Sequence[float]) -> float:
    return sum(value / math.log2(rank + 1) for rank, value in enumerate(values, start=1))


def measured(values: Sequence[float], targets: Sequence[Target]) -> tuple[float, ...]:
    """All of METRICS, in their order, for one question with at least one target."""
    return (recall(values, len(targets)), hit(values), reciprocal_rank(values), ndcg(values, targets))

"""Joining ranked lists. Pure."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = 60  # Cormack, Clarke and Buettcher, SIGIR 2009
KEPT_OF_EACH = 10  # the first of each list are candidates whatever the other list says

T = TypeVar("T", bound=Hashable)


def reciprocal_rank(lists: Sequence[Sequence[T]], k: int = K) -> dict[T, float]:
    """Scores by reciprocal rank fusion: the sum over the lists of 1 / (k + rank), rank from 1. Higher is better.

    Example: [["a", "b"], ["b"]] with k=60 -> a: 1/61, b: 1/62 + 1/61
    """
    scores: dict[T, float] = {}
    for ranked in lists:
        for rank, item in enumerate(ranked, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    return scores


def fuse(lists: Sequence[Sequence[T]], limit: int, kept: int = KEPT_OF_EACH) -> list[T]:
    """The `limit` best items by reciprocal rank fusion, best first; the first `kept` of each list are always in.

    Where `limit` is smaller than the kept ones, the best of them by score.
    """
    scores = reciprocal_rank(lists)
    order = {item: place for place, item in enumerate(scores)}  # ties: as first seen
    ranked = sorted(scores, key=lambda item: (-scores[item], order[item]))
    sure = {item for ranked_list in lists for item in ranked_list[:kept]}
    chosen = set([item for item in ranked if item in sure][:limit])
    for item in ranked:
        if len(chosen) >= limit:
            break
        chosen.add(item)
    return [item for item in ranked if item in chosen]


def fused_places(ranks: Sequence[tuple[int | None, int | None]], k: int = K) -> list[int]:
    """The 1-based place of each item when two lists are joined as `fuse` does, from its rank in either.

    Example: [(2, None), (1, 2), (None, 1)] -> [3, 1, 2]
    """
    scores = [sum(1 / (k + rank) for rank in pair if rank is not None) for pair in ranks]
    last = len(ranks) + max((rank for pair in ranks for rank in pair if rank is not None), default=0)
    seen = [pair[0] if pair[0] is not None else last + (pair[1] or last) for pair in ranks]  # ties: as first seen
    order = sorted(range(len(ranks)), key=lambda index: (-scores[index], seen[index]))
    places = [0] * len(ranks)
    for place, index in enumerate(order, start=1):
        places[index] = place
    return places

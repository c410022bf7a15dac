"""Keeps the passages that hold a question's identifiers among the first. Pure.

A cross-encoder reads codes as bits of words, so KB-2847 and KB-2848 look alike to it; here the characters decide.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from ingest.identifiers import identifiers, parts
from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text


def holding_identifiers(question: str, hits: Sequence[Hit], first: int) -> list[Hit]:
    """The hits in their order, but for each identifier of the question a passage that has it among the `first`.

    Where as few as `first` have it, all of them count, since one may define it and the others mention it; the best hit
    of all keeps its place beside them. What moves up stands behind what stays. Nothing moves where no passage has it.
    """
    having = [_having(name, hits) for name in identifiers(question)]
    wanted = [places if len(places) <= first else places[:1] for places in having]
    in_turn = dict.fromkeys(place for places in zip_longest(*wanted) for place in places if place is not None)
    pinned = list(in_turn)[: max(first - 1, 1)]
    if not pinned:
        return list(hits)
    staying = [place for place in range(len(hits)) if place not in pinned][: max(first - len(pinned), 0)]
    chosen = sorted(staying + pinned)
    return [hits[place] for place in chosen] + [hit for place, hit in enumerate(hits) if place not in chosen]


def _having(identifier: str, hits: Sequence[Hit]) -> list[int]:
    """The places (0-based) of the hits that have the identifier: whole in the text, else above it, else as a part."""
    ways: tuple[Callable[[Hit], bool], ...] = (
        lambda hit: identifier in identifiers(hit.chunk.text),
        lambda hit: identifier in identifiers(reranked_text(hit)),
        lambda hit: any(identifier in parts(name) for name in identifiers(reranked_text(hit))),
    )
    for has in ways:
        found = [place for place, hit in enumerate(hits) if has(hit)]
        if found:
            return found
    return []

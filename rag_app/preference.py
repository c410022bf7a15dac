"""Puts an approved answer first where it is the one that was asked for. Pure.

It leads where both models agree: the reranker has it among the first, and nothing is nearer in meaning. One that the
reranker puts first though other passages are nearer in meaning mentions what was asked and answers something else, as
measured by `benchmarks/approved.py`; it follows the next passage.
"""

from collections.abc import Sequence

from rag_app.records import Hit
from rag_app.team.wording import identifier_of

PLACES = 3  # of the reranker's order, in which it counts as found as relevant: those that an answer is made from


def is_approved(hit: Hit) -> bool:
    """Whether a passage is an answer that somebody approved."""
    return bool(identifier_of(hit.document.path))


def preferring(hits: Sequence[Hit]) -> list[Hit]:
    """The hits in the reranker's order, but an approved answer that is what was asked comes first, and no other."""
    nearest = max((hit.cosine or 0.0 for hit in hits), default=0.0)
    # By relevance too, in which the search by words has no say: its title is one question in few words.
    by_relevance = sorted(range(len(hits)), key=lambda place: -(hits[place].relevance or 0.0))
    leading = [
        place
        for place in sorted({*range(min(PLACES, len(hits))), *by_relevance[:PLACES]})
        if is_approved(hits[place]) and (hits[place].cosine or 0.0) >= nearest
    ]
    if leading:
        first = leading[0]
    elif hits and is_approved(hits[0]):
        first = next((place for place, hit in enumerate(hits) if not is_approved(hit)), 0)
    else:
        return list(hits)
    return [hits[first], *(hit for place, hit in enumerate(hits) if place != first)]

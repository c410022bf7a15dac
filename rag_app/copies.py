"""Passages of the same words count once among the first. Pure.

A document that is there twice, saved anew or under another name, would fill the places of an answer with one passage.
Only the same words are copies: passages that differ in a number or a name can answer differently.
"""

import re
from collections.abc import Sequence

from rag_app.records import Hit

_WORD = re.compile(r"\w+")


def wording(text: str) -> str:
    """The words of a text, by which copies are known: neither capitals nor signs nor spaces count."""
    return " ".join(_WORD.findall(text.casefold()))


def without_copies(hits: Sequence[Hit], first: int) -> list[Hit]:
    """The hits in their order, but no passage twice among the `first` while others are left; copies follow those."""
    seen: set[str] = set()
    chosen: list[int] = []
    for place, hit in enumerate(hits):
        words = wording(hit.chunk.text)
        if len(chosen) < first and words not in seen:
            seen.add(words)
            chosen.append(place)
    return [hits[place] for place in chosen] + [hit for place, hit in enumerate(hits) if place not in chosen]

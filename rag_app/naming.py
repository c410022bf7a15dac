"""How much of its title and its heading a question names, of each candidate. Pure.

"What does the Plus plan pay for massage?" is about the document called Plus among several that pay for it, and the
section called Massage is where it stands, whichever passage says the word most often (docs/retrieval.md).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag_app.overlap import content_stems, with_overlap
from rag_app.records import Hit

_JOINTS = re.compile(r"[_\-.]+")  # of file names that are titles


def with_words(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, each with its overlap with the question and with how much of its title and heading is named."""
    shares = zip(with_overlap(question, hits), named(question, hits), strict=True)
    return [replace(hit, named=share) for hit, share in shares]


def named(question: str, hits: Sequence[Hit]) -> list[tuple[float, float]]:
    """For each hit the share (0 to 1) of its document's title, and of its own heading, that the question says.

    A word counts for its inverse frequency, among the documents of the hits in titles and among the hits in headings:
    what all of them are called tells nothing apart, so among candidates of one document no title counts.
    """
    asked = content_stems(question)
    titles = {hit.document.id: _stems(hit.document.title) for hit in hits}
    headings = [_stems(hit.chunk.heading.rpartition(" > ")[2]) for hit in hits]
    title_weights, heading_weights = _weights(titles.values()), _weights(headings)
    return [
        (_share(asked, titles[hit.document.id], title_weights), _share(asked, heading, heading_weights))
        for hit, heading in zip(hits, headings, strict=True)
    ]


def _stems(text: str) -> frozenset[str]:
    return content_stems(_JOINTS.sub(" ", text))


def _weights(texts: Iterable[frozenset[str]]) -> dict[str, float]:
    held = list(texts)
    return {word: math.log(len(held) / count) for word, count in Counter(word for own in held for word in own).items()}


def _share(asked: frozenset[str], own: frozenset[str], weights: dict[str, float]) -> float:
    most = sum(weights[word] for word in own)
    return sum(weights[word] for word in own & asked) / most if most else 0.0

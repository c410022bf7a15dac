"""Words and lines of a page with their places. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

Span = tuple[int, int]  # first and past the last; descending where the reader has the characters backwards
Turn = int  # degrees clockwise from left to right as the page is shown: 0, 90, 180 or 270; another one is slanted
SLANTED = 45


class Word(NamedTuple):
    """A word as it is shown: points, origin at the top left of the page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float  # of the font, points
    bold: bool
    line: int  # the reader's own count of lines; words of one line follow each other
    turn: Turn = 0  # which way it is written
    spans: tuple[Span, ...] = ()  # where its characters are in the reader's text; several where signs were put back


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or one side of it where two columns share it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    spans: tuple[Span, ...] = ()  # of its words, in its order


def joined(parts: Sequence[Line], between: str) -> Line:
    """The parts as one line, set as the longest of them is."""
    longest = max(parts, key=lambda part: len(part.text))
    return Line(
        between.join(part.text for part in parts),
        min(part.left for part in parts),
        min(part.top for part in parts),
        max(part.right for part in parts),
        max(part.bottom for part in parts),
        longest.size,
        all(part.bold for part in parts),
        tuple(span for part in parts for span in part.spans),
    )

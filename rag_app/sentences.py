"""An answer cut into its sentences, each with the markers that stand in or after it. Pure.

Lines are cut first, so that list items, table rows and headings stay apart; sentences after that.
"""

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from ingest.sentences import sentences
from rag_app.markers import marks

_LEAD = re.compile(r"\s*(?:[-*+•]\s+|\d{1,3}[.)]\s+|#{1,6}\s+|>\s+)*")
_STARS = re.compile(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|`")
_UNDERSCORES = re.compile(r"(?<!\w)(_{1,2})(?=[^\W_])([^\n]*?[^\W_][.,;:!?]?)\1(?!\w)")  # in pairs: "RAG_" is a name
_OPENING = frozenset("([{\"'\u201c\u2018\u00ab*_`|")  # signs that begin what follows, where a space stands before them
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of an answer, without its markers."""

    text: str  # plain: no markers, bullets or emphasis
    markers: tuple[int, ...]  # in the order written, each once
    item: bool  # stands in a list or a table row


def pieces(text: str) -> list[Piece]:
    """Cut an answer with markers into sentences. A marker after the full stop belongs to the sentence before it."""
    found: list[Piece] = []
    for line in text.split("\n"):
        found += _line(line)
    return found


def without_sentences(text: str, dropped: Sequence[bool]) -> str:
    """Take sentences out of an answer, each with its markers; `dropped` has one entry for each of its `pieces`."""
    told = iter(dropped)
    lines = []
    for line in text.split("\n"):
        own = _line(line)
        fates = [next(told) for _ in own]
        if not any(fates):
            lines.append(line)
        elif not all(fates):
            kept = [part for part, fate in zip(_slices(line, own), fates, strict=True) if not fate]
            lines.append(_lead_of(line) + "".join(kept).strip())
    return "\n".join(lines).strip()


def _slices(line: str, own: Sequence[Piece]) -> list[str]:
    """The part of a line that each of its sentences was cut from, with the markers that stand in and behind it."""
    body = line[len(_lead_of(line)) :]
    signs = {place for mark in marks(body) for place in range(mark.start, mark.end)}
    parts, position = [], 0
    for piece in own[:-1]:
        start, left = position, Counter(filter(str.isalnum, piece.text)).total()
        while left:
            left -= position not in signs and body[position].isalnum()
            position += 1
        position = _behind(body, position, signs)
        parts.append(body[start:position])
    return [*parts, body[position:]]


def _behind(body: str, position: int, signs: Set[int]) -> int:
    """Where the next sentence begins: behind the punctuation, spaces and markers after the last letter of one."""
    while position < len(body) and (position in signs or not body[position].isalnum()):
        if position not in signs and body[position] in _OPENING and position and body[position - 1].isspace():
            break
        position += 1
    return position


def _lead_of(line: str) -> str:
    lead = _LEAD.match(line)
    return lead.group() if lead else ""


def _line(line: str) -> list[Piece]:
    lead = _lead_of(line)
    body = line[len(lead) :]
    item = bool(lead.strip()) or body.startswith("|")
    bare, places = _without_marks(body)
    spans = sentences(bare) or ([(0, len(bare))] if bare.strip() else [])
    owned: list[list[int]] = [[] for _ in spans]
    for position, number in places:
        owner = max((index for index, (start, _) in enumerate(spans) if start < position), default=0)
        if owned and number not in owned[owner]:
            owned[owner].append(number)
    cut = ((_tidy(bare[start:end]), tuple(numbers)) for (start, end), numbers in zip(spans, owned, strict=True))
    return [Piece(words, numbers, item) for words, numbers in cut if any(map(str.isalnum, words))]


def _without_marks(body: str) -> tuple[str, list[tuple[int, int]]]:
    """Take the markers out: the bare text, and for each number the offset in it where it stood."""
    bare, places, position = "", [], 0
    for mark in marks(body):
        bare += body[position : mark.start]
        if bare.endswith(" ") or body[mark.end : mark.end + 1] in {".", ",", ";", ":", "!", "?"}:
            bare = bare.rstrip()
        places += [(len(bare), number) for number in mark.numbers]
        position = mark.end
        if body[position : position + 1].isalnum():
            bare += " "
    return bare + body[position:], places


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", _UNDERSCORES.sub(r"\2", _STARS.sub("", text))).strip()

"""Completes a passage that was cut, from the passages beside it in its section. Pure.

Passages never overlap and none ends inside a sentence, but a long section becomes several. So a list may go on in a
passage that lacks the line leading into it, a sentence may lean on the last one of the passage before, and a passage
may end while its list or table goes on. What completes it is shown to the generator with it, checked and cited with
it; it is not ranked with it, and never more than a few lines. The head of a table stands with the headings of its
passages already (`ingest/tables.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.cleaning import CELL
from ingest.records import Chunk, Document, Place
from ingest.sentences import sentences
from rag_app.preference import is_approved
from rag_app.records import Excerpt, Hit

WORDS = 60  # joined on each side at most, in whole sentences, items and rows
LOOK_BACK = 2  # passages before, among which the line that leads into a list is looked for
ITEM = re.compile(r"\s*(?P<sign>[-*•▪◦‣–]|\(?(?:\d{1,2}|[a-z])[.)])\s+")  # noqa: RUF001 - bullets of real documents
LEANING = re.compile(
    r"(?:it|its|this|that|these|those|they|their|them|he|she|his|her|such|both|in this case|in that case|if so|if not|"
    r"doing so|afterwards?|after that|thereafter|from then on|otherwise)\b",
    re.IGNORECASE,
)
# "It is important to ..." leans on nothing: "it" stands for what comes behind.
_EMPTY_IT = re.compile(
    r"it(?:['’]s| is| was| may be| can be)(?: (?:also|always|often|very|not))* \w+ (?:to|that)\b",  # noqa: RUF001
    re.IGNORECASE,
)
Found = Mapping[Place, tuple[Chunk, Document]]
Span = tuple[int, int]  # start and end (exclusive) in a passage's text


def wanted(hit: Hit) -> list[Place]:
    """The places of the passages that may complete one, and its own; none where nothing shows that it was cut.

    An approved answer is quoted whole, so nothing is joined to it.
    """
    lines = _lines(hit.chunk.text)
    if not lines or is_approved(hit):
        return []
    first, last = lines[0], lines[-1]
    back = LOOK_BACK if ITEM.match(first) else 1 if leans(first) else 0
    ahead = 1 if last.endswith(":") or CELL in last or ITEM.match(last) else 0
    at = hit.chunk.position
    return [Place(hit.chunk.document_id, place) for place in range(max(at - back, 0), at + ahead + 1) if back or ahead]


def completed(hit: Hit, found: Found) -> Hit:
    """The hit with what its neighbours among those found complete it with.

    Nothing is joined where the passage is not among them itself, as it was ranked: its document went, or was cut anew.
    """
    chunk = hit.chunk
    own = found.get(Place(chunk.document_id, chunk.position))
    if own is None or own[0].id != chunk.id:
        return hit
    return replace(hit, before=_before(chunk, found), after=_after(chunk, found))


def leans(line: str) -> bool:
    """Whether a line begins with a word that stands for something said before it."""
    return LEANING.match(line) is not None and _EMPTY_IT.match(line) is None


def _before(chunk: Chunk, found: Found) -> Excerpt | None:
    first = _lines(chunk.text)[0]
    if ITEM.match(first):
        return _lead_in(chunk, found)
    neighbour = _beside(chunk, -1, found) if leans(first) else None
    return _leaned_on(neighbour) if neighbour else None


def _lead_in(chunk: Chunk, found: Found) -> Excerpt | None:
    """The line that leads into the list which a passage begins inside of.

    Items of the same list are passed over, so are those of a list inside it, and lines that go on with an item.
    """
    first = _lines(chunk.text)[0]
    for back in range(1, LOOK_BACK + 1):
        neighbour = _beside(chunk, -back, found)
        if neighbour is None:
            return None
        for start, end in reversed(_spans(neighbour.text)):
            line = neighbour.text[start:end]
            item = ITEM.match(line) is not None
            leads = line.endswith(":") and _sign(line) != _sign(first)
            if not leads and (_begins(first) if item else CELL in line):
                return None  # another list, or a table
            if not leads and (item or line[0].islower()):
                continue
            return None if _is_heading(line, neighbour) else _end_of(neighbour, (start, end))
    return None


def _leaned_on(neighbour: Chunk) -> Excerpt | None:
    """The last sentence of a passage, with those it leans on itself."""
    last = _spans(neighbour.text)[-1]
    line = neighbour.text[slice(*last)]
    return None if CELL in line or _is_heading(line, neighbour) else _end_of(neighbour, last)


def _end_of(neighbour: Chunk, line: Span) -> Excerpt | None:
    """The last sentence of a line, with those it leans on; None where it is too long."""
    start = line[1]
    for low, _ in reversed(_sentences(neighbour.text, line)):
        if _words(neighbour.text[low : line[1]]) > WORDS:
            break
        start = low
        if not leans(neighbour.text[low : line[1]]):
            break
    return Excerpt(neighbour, start, line[1]) if start < line[1] else None


def _after(chunk: Chunk, found: Found) -> Excerpt | None:
    """The rest of what a passage breaks off in: items, rows, or what its last line leads into."""
    neighbour = _beside(chunk, 1, found)
    if neighbour is None:
        return None
    last, text = _lines(chunk.text)[-1], neighbour.text
    spans = _spans(text)
    following = text[slice(*spans[0])]
    if _goes_on(last, following) or (last.endswith(":") and (ITEM.match(following) or CELL in following)):
        rest = _run(text, spans)
    else:
        rest = _sentences(text, spans[0]) if last.endswith(":") else []
    end = max((high for _, high in rest if _words(text[spans[0][0] : high]) <= WORDS), default=0)
    return Excerpt(neighbour, spans[0][0], end) if end else None


def _goes_on(last: str, first: str) -> bool:
    """Whether a list or table that one line stands in goes on with another."""
    if ITEM.match(last) or ITEM.match(first):
        return bool(ITEM.match(last) and ITEM.match(first)) and not _begins(first)
    return CELL in last and last.count(CELL) == first.count(CELL)


def _run(text: str, spans: Sequence[Span]) -> list[Span]:
    """The lines from the first on that belong to one list, or to one table."""
    first = text[slice(*spans[0])]
    run: list[Span] = []
    for span in spans:
        line = text[slice(*span)]
        goes_on = bool(run) and line[0].islower()  # with the item before it
        inside = ITEM.match(line) is not None or goes_on if ITEM.match(first) else _goes_on(first, line)
        if not inside:
            break
        run.append(span)
    return run


def _sign(line: str) -> str:
    """What stands before an item, the same for all items of a list; "" where a line is no item."""
    item = ITEM.match(line)
    if item is None:
        return ""
    sign = item["sign"].strip("().")
    return "1" if sign.isdecimal() else "a" if sign.isalpha() else sign


def _begins(line: str) -> bool:
    """Whether an item is the first of its list, as far as its number or letter tells."""
    item = ITEM.match(line)
    return item is not None and item["sign"].strip("().") in {"1", "a"}


def _is_heading(line: str, neighbour: Chunk) -> bool:
    """Whether a line is among the headings that passages are shown with."""
    return line.casefold() in {part.casefold() for part in neighbour.heading.split(" > ")}


def _beside(chunk: Chunk, away: int, found: Found) -> Chunk | None:
    """The passage so many places away, where it was found and stands in the same section."""
    near = found.get(Place(chunk.document_id, chunk.position + away))
    return near[0] if near is not None and _section(near[0]) == _section(chunk) and _lines(near[0].text) else None


def _section(chunk: Chunk) -> list[str]:
    """The headings of a passage without the head of a table."""
    return [part for part in chunk.heading.split(" > ") if CELL not in part]


def _spans(text: str) -> list[Span]:
    """The lines of a text that hold something, without the spaces around them."""
    return [match.span() for match in re.finditer(r"\S(?:[^\n]*\S)?", text)]


def _lines(text: str) -> list[str]:
    return [text[slice(*span)] for span in _spans(text)]


def _sentences(text: str, line: Span) -> list[Span]:
    return [(line[0] + start, line[0] + end) for start, end in sentences(text[slice(*line)])]


def _words(text: str) -> int:
    return len(text.split())

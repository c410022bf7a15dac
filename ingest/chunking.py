"""Cleaned pages -> passages: whole sentences of one section, with the place they came from. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ingest.cleaning import CELL
from ingest.records import Chunk, Page, Reading
from ingest.sections import Section, sections
from ingest.sentences import sentences
from ingest.splitting import After, cuts, halves
from ingest.tables import table_head

VERSION = "chunking-5"  # part of a recipe: raise it when the same pages would be cut otherwise
PIECES = 250  # word pieces of a passage at most, with the title and heading put before it
LONGEST_PIECE = 20  # characters; no language has so few pieces for its letters, but one unknown word may be any length
HEADING_LIKE = 70  # characters; a shorter line without a sign at its end leads to what follows it
TITLE_CHARACTERS = 120
HEADING_CHARACTERS = 200
_LEAST = 24  # pieces that are always left for the text, whatever title and heading take

Pieces = Callable[[str], int]


def embedded_text(title: str, heading: str, text: str) -> str:
    """What is embedded and reranked for a passage: title, heading path and text, each on its own line."""
    parts = (_short(title, TITLE_CHARACTERS), _short(heading, HEADING_CHARACTERS), text)
    return "\n".join(part for part in parts if part)


def _short(line: str, limit: int) -> str:
    """The line, or as much of its end as fits: the last heading says most."""
    if len(line) <= limit:
        return line
    kept = line[-limit:]
    return kept.split(" ", 1)[-1] if " " in kept else kept


def chunk(reading: Reading, document_id: str, recipe: str, pieces: Pieces, limit: int = PIECES) -> list[Chunk]:
    """The passages of a document whose pages are cleaned. Together they hold every character but spaces once.

    `pieces` counts word pieces. No passage has more than `limit` of them with title and heading, unless these alone
    leave no room.
    """
    measure = _Measure(pieces, reading.title, limit)
    found = [spans for section in _gathered(reading, measure) for spans in _passages(reading, section, measure)]
    return [_chunk(reading, passage, document_id, recipe, position) for position, passage in enumerate(found)]


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence, or a part of one that is too long or that goes on on the next page."""

    page: int  # index into the pages, 0-based
    start: int
    end: int
    size: int  # word pieces
    after: After


@dataclass(frozen=True, slots=True)
class _Sized:
    heading: str
    path: tuple[str, ...]
    spans: tuple[Span, ...]
    only_heading: bool

    @property
    def size(self) -> int:
        return sum(span.size for span in self.spans)


@dataclass(frozen=True, slots=True)
class _Passage:
    heading: str
    spans: tuple[Span, ...]


class _Measure:
    """Counts pieces and knows how many are left beside title and heading."""

    def __init__(self, pieces: Pieces, title: str, limit: int) -> None:
        self._pieces = pieces
        self._title = title
        self._limit = limit
        self._around = pieces("")  # what the tokenizer adds to any text
        self._rooms: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Pieces of a text alone, of a word that the tokenizer has no pieces for as of its letters."""
        return max(self._pieces(text) - self._around, len(text) // LONGEST_PIECE, 1)

    def room(self, heading: str) -> int:
        """Pieces left for text under this heading."""
        if heading not in self._rooms:
            taken = self._pieces(embedded_text(self._title, heading, ""))
            self._rooms[heading] = max(self._limit - taken, _LEAST)
        return self._rooms[heading]

    def fits(self, heading: str, text: str) -> bool:
        """Whether the passage as it is embedded keeps to the limit."""
        return self._pieces(embedded_text(self._title, heading, text)) <= max(
            self._limit, self._limit - self.room(heading) + _LEAST
        )


def _gathered(reading: Reading, measure: _Measure) -> list[_Sized]:
    """The sections, a heading that stands alone joined with what follows."""
    gathered: list[_Sized] = []
    for section in sections(reading.pages, reading.headings):
        sized = _sized(reading.pages, section, measure)
        if not sized.spans:
            continue
        joined = _led_into(gathered[-1], sized) if gathered else None
        if joined:
            gathered[-1] = joined
        else:
            gathered.append(sized)
    return gathered


def _sized(pages: Sequence[Page], section: Section, measure: _Measure) -> _Sized:
    heading = " > ".join(section.path)
    room = measure.room(heading)
    spans: list[Span] = []
    for piece in section.pieces:
        text = pages[piece.page].text
        if spans and _runs_on(pages[spans[-1].page].text[: spans[-1].end], text[piece.start : piece.end]):
            spans[-1] = replace(spans[-1], after=After.NOTHING)
        for start, end in sentences(text[piece.start : piece.end]):
            spans.extend(_spans(text, piece.page, piece.start + start, piece.start + end, room, measure))
    return _Sized(heading, section.path, tuple(spans), section.only_heading)


def _runs_on(before: str, following: str) -> bool:
    """Whether a sentence that a page ends with goes on on the next."""
    last, first = before.rstrip().rpartition("\n")[2], following.lstrip().partition("\n")[0]
    whole = len(last) < HEADING_LIKE or CELL in last or CELL in first
    return not whole and first[:1].islower() and last[-1:] not in ".!?:;"


def _spans(text: str, page: int, start: int, end: int, room: int, measure: _Measure) -> Iterator[Span]:
    parts = list(halves(text, start, end, room, measure.of))
    for low, high in parts:
        after = _after(text, high) if high == end else After.NOTHING
        yield Span(page, low, high, measure.of(text[low:high]), after)


def _after(text: str, end: int) -> After:
    """What ends where a sentence ends."""
    if end < len(text) and "\n" not in text[end : end + 2]:
        return After.SENTENCE
    line = text[text.rfind("\n", 0, end) + 1 : end]
    if line.endswith(":") or (
        len(line) < HEADING_LIKE and line[-1].isalpha() and line[0].isupper() and CELL not in line
    ):
        return After.LEAD
    return After.PARAGRAPH


def _led_into(before: _Sized, after: _Sized) -> _Sized | None:
    """A heading with nothing below it leads into the section that follows; any other two stay apart.

    A passage of two short sections is near to no question, and is told of only one heading.
    """
    if not before.only_heading:
        return None
    spans = (*before.spans[:-1], replace(before.spans[-1], after=After.LEAD), *after.spans)
    return _Sized(after.heading, after.path, spans, after.only_heading)


def _passages(reading: Reading, section: _Sized, measure: _Measure) -> Iterator[_Passage]:
    """The section cut into passages of like size, at paragraph borders where it can be."""
    spans = section.spans
    ends = cuts([(span.size, span.after) for span in spans], measure.room(section.heading))
    start = 0
    for end in ends:
        yield from _fitting(reading.pages, section.heading, spans[start:end], measure)
        start = end


def _fitting(pages: Sequence[Page], heading: str, spans: tuple[Span, ...], measure: _Measure) -> Iterator[_Passage]:
    """One passage, or more where counting it as a whole shows that it is too long."""
    under = _under_head(pages, heading, spans[0])
    if len(spans) > 1 and not measure.fits(under, _text(pages, spans)):
        middle = len(spans) // 2
        yield from _fitting(pages, heading, spans[:middle], measure)
        yield from _fitting(pages, heading, spans[middle:], measure)
    else:
        yield _Passage(under if measure.fits(under, _text(pages, spans)) else heading, spans)


def _under_head(pages: Sequence[Page], heading: str, first: Span) -> str:
    """The heading path, with the head of the table at its end where the passage begins inside one."""
    head = table_head(pages, first.page, first.start)
    return " > ".join(part for part in (heading, head) if part) if head else heading


def _text(pages: Sequence[Page], spans: Sequence[Span]) -> str:
    """The text from the first to the last span, as it stands on the pages."""
    first, last = spans[0], spans[-1]
    if first.page == last.page:
        return pages[first.page].text[first.start : last.end]
    parts = [pages[first.page].text[first.start :]]
    parts += [pages[page].text for page in range(first.page + 1, last.page)]
    parts.append(pages[last.page].text[: last.end])
    return _flowing([stripped for part in parts if (stripped := part.strip())])


def _flowing(parts: Sequence[str]) -> str:
    """Page texts put together: a sentence that runs on stays on its line."""
    joined = parts[0]
    for part in parts[1:]:
        joined += (" " if _runs_on(joined, part) else "\n") + part
    return joined


def _chunk(reading: Reading, passage: _Passage, document_id: str, recipe: str, position: int) -> Chunk:
    weights: dict[int, int] = {}
    for span in passage.spans:
        weights[span.page] = weights.get(span.page, 0) + span.end - span.start
    most = reading.pages[max(weights, key=lambda page: weights[page])]
    first, last = passage.spans[0], passage.spans[-1]
    name = f"{document_id}\0{recipe}\0{position}"
    return Chunk(
        id=sha256(name.encode()).hexdigest()[:32],
        document_id=document_id,
        position=position,
        page=most.number,
        first_page=reading.pages[first.page].number,
        last_page=reading.pages[last.page].number,
        label=most.label,
        heading=passage.heading,
        text=_text(reading.pages, passage.spans),
        start=first.start,
        end=last.end,
    )

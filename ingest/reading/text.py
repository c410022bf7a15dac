"""Reads plain text and Markdown, in pages of our own making. Runs in the child; answers with frames.

A text has no pages. It is cut into some of about 3,000 characters, before a heading where it can be, else between two
paragraphs, else between two lines, so that a citation leads to a stretch that can be shown as one picture. Form feeds,
where all that stands between them is short enough, are the file's own page ends. A page's label also names its lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import IO, Any

from ingest.cleaning import ENDED
from ingest.reading.encoding import NotText, decode
from ingest.reading.frames import Frame
from ingest.reading.outline import LONGEST_PART, Kind, Line, alone, lines, title

LEAST = 1800  # weight of a page, but for the last
MOST = LEAST + LONGEST_PART + 300  # so that there is always a line end between the two
OWN_PAGES = 3  # form feeds part at least so many pages, or they part none
LEAST_WEIGHT = 40  # of a line, in characters: what it takes in the picture


def pages(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Frame]:
    """Frames as those of ingest.reading.pdf.pages; "refused" says binary or encoding."""
    try:
        decoded = decode(file.read())
    except NotText as error:
        yield {"kind": "refused", "why": error.why}
        return
    found = lines(decoded.text)
    own, cut = split(found)
    name = title(found)
    heading = alone(found)
    yield {
        "kind": "opened",
        "pages": len(cut),
        "title": name,
        "headings": [
            (line.level, line.said, number)
            for number, page in enumerate(cut, start=1)
            for line in page
            if line.kind is Kind.HEADING and not (line is heading and line.said == name)
        ],
        "own_pages": own,
        "doubt": decoded.doubt,
    }
    for number in range(request["first"], len(cut) + 1):
        if number not in request["skip"]:
            yield _page(cut[number - 1], number)


def split(found: Sequence[Line]) -> tuple[bool, list[Sequence[Line]]]:
    """The lines by pages, and whether the file's own form feeds part them."""
    begins = [at for at, line in enumerate(found) if line.begins_page]
    borders = [0, *begins, len(found)]
    own = [found[start:end] for start, end in pairwise(borders) if start < end]
    if len(own) >= OWN_PAGES and all(sum(map(_weight, page)) <= 2 * MOST for page in own):
        return True, own
    return False, list(_greedy(found))


def _greedy(found: Sequence[Line]) -> Iterator[Sequence[Line]]:
    start = 0
    while start < len(found):
        end = _end(found, start)
        yield found[start:end]
        start = end


def _end(found: Sequence[Line], start: int) -> int:
    """Where the page that begins at `start` ends best."""
    held, best, place = 0, -1, start + 1
    for at in range(start, len(found)):
        if held >= LEAST and (grade := _grade(found, at)) >= best:
            best, place = grade, at
        held += _weight(found[at])
        if held > MOST:
            return place
    return len(found)


def _grade(found: Sequence[Line], at: int) -> int:
    """How good a place the start of a line is to begin a page at, 0 to 3."""
    line, before = found[at], found[at - 1]
    after_heading = before.kind is Kind.HEADING or (
        before.kind in {Kind.BLANK, Kind.SIGNS} and at > 1 and found[at - 2].kind is Kind.HEADING
    )
    if line.kind in {Kind.BLANK, Kind.SIGNS} or line.number == before.number or after_heading:
        return 0
    if line.kind is Kind.HEADING or line.begins_page:
        return 3
    return 2 if before.kind is Kind.BLANK else 1


def _weight(line: Line) -> int:
    return max(len(line.text), LEAST_WEIGHT)


def _page(page: Sequence[Line], number: int) -> Frame:
    first, last = page[0].number, page[-1].number
    where = f"lines {first} to {last}" if last > first else f"line {first}"
    return {
        "kind": "page",
        "number": number,
        "label": f"{number}, {where}",
        "text": _text(page),
        "styles": [],
        "hidden": 0,
        "picture": False,
    }


def _text(page: Sequence[Line]) -> str:
    """What the lines say, as the cleaner takes it: headings stand apart, and lines that end on purpose say so."""
    said: list[str] = []
    for line, following in zip(page, [*page[1:], None], strict=True):
        if line.kind is Kind.HEADING:
            said += ["", line.said + ENDED, ""]
        elif following is not None and line.number == following.number:
            said.append(line.said + "\0")  # the line goes on
        elif line.kind is not Kind.SIGNS:
            said.append(line.said + (ENDED if line.ends and line.said else ""))
    return "\n".join(said).replace("\0\n", "").replace("\0", "")

"""Which part of which page belongs to which heading. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.records import Heading, Page

_SHORTEST = 3  # characters of a heading that is looked for behind a number


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a page's text."""

    page: int  # index into the pages, 0-based
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between a heading and the next."""

    path: tuple[str, ...]  # headings from the highest level down; () before the first
    pieces: tuple[Piece, ...]
    only_heading: bool  # nothing but the heading's own line


@dataclass(frozen=True, slots=True)
class _Mark:
    page: int  # index, 0-based
    start: int
    end: int  # past the heading's own line; start where the line was not found
    path: tuple[str, ...]


def sections(pages: Sequence[Page], headings: Sequence[Heading]) -> Iterator[Section]:
    """The sections of a document in order; together they cover all of its text."""
    marks = _marks(pages, headings)
    begin = _Mark(0, 0, 0, ())
    for here, after in zip([begin, *marks], [*marks, None], strict=True):
        pieces = tuple(_between(pages, here, after))
        body = sum(len(pages[p.page].text[p.start : p.end].strip()) for p in pieces)
        own = len(pages[here.page].text[here.start : here.end].strip()) if pages else 0
        yield Section(here.path, pieces, only_heading=bool(here.path) and 0 < body <= own)


def _between(pages: Sequence[Page], here: _Mark, after: _Mark | None) -> Iterator[Piece]:
    last = after.page if after else len(pages) - 1
    for page in range(here.page, last + 1):
        start = here.start if page == here.page else 0
        end = after.start if after and page == after.page else len(pages[page].text)
        if start < end:
            yield Piece(page, start, end)


def _marks(pages: Sequence[Page], headings: Sequence[Heading]) -> list[_Mark]:
    """Where each heading stands, in the order of the text."""
    index = {page.number: position for position, page in enumerate(pages)}
    lines = {position: list(_lines(page.text)) for position, page in enumerate(pages)}
    found: list[_Mark] = []
    path: list[tuple[int, str]] = []
    for heading in headings:
        path = [step for step in path if step[0] < heading.level]
        title = " ".join(heading.title.split())
        if not (path and path[-1][1] == title):
            path.append((heading.level, title))
        page = index.get(heading.page)
        if page is None:
            continue
        before = found[-1] if found else _Mark(0, 0, 0, ())
        earliest = before.end if before.page == page else 0
        start, end = _place(lines[page], heading.title, earliest)
        if (page, start) < (before.page, before.start):
            continue
        titles = tuple(title for _, title in path)
        if found and (page, start) == (before.page, before.start) and end == start:
            found.pop()  # two headings at one place: the deeper one says more
        found.append(_Mark(page, start, end, titles))
    return found


def _place(lines: Sequence[tuple[int, int, str]], title: str, earliest: int) -> tuple[int, int]:
    """Start and end of the line that is the heading, from `earliest` on; where there is none, the first place free."""
    wanted = _key(title)
    for start, end, key in lines:
        if start >= earliest and key and wanted and (key == wanted or _numbered(key, wanted)):
            return start, end
    return earliest, earliest


def _numbered(key: str, wanted: str) -> bool:
    """Whether one is the other with a number before it."""
    longer, shorter = max(key, wanted, key=len), min(key, wanted, key=len)
    return (
        len(shorter) >= _SHORTEST
        and longer.endswith(shorter)
        and re.fullmatch(r"(chapter|section|part|appendix)?[0-9a-zivx]{1,6}", longer[: -len(shorter)]) is not None
    )


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and key of each line."""
    for match in re.finditer(r"[^\n]+", text):
        yield match.start(), match.end(), _key(match.group())


def _key(line: str) -> str:
    return re.sub(r"[\W_]+", "", line.casefold())

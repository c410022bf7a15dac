"""Takes out what repeats at the top and bottom of pages: running heads and feet, page numbers. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from ingest.records import Page

DEEPEST = 4  # lines from the edge of a page
PAGES = 3  # on fewer pages nothing repeats
SHARE = 0.4  # of the pages between its first and its last
_DIGITS = 5
_NUMBER = re.compile(r"\d+|(?<![^\W\d_])[ivxlc]+(?![^\W\d_])", re.IGNORECASE)
_OF = re.compile(r"^\W*(?:page|seite|pagina|p\.?)?\s*(\d+)\s*(?:of|von|de|/|\|)\s*\d+\W*$", re.IGNORECASE)
_BARE = re.compile(r"^\W*(?:page|seite|p\.)?\s*(\d+|[ivxlc]+)\W*$", re.IGNORECASE)


def without_running_lines(pages: Sequence[Page]) -> list[Page]:
    """The pages less running heads, feet and page numbers. A line goes only when all between it and the edge go."""
    split = [page.text.split("\n") for page in pages]
    for from_top in (True, False):
        edges = [_edge(lines, from_top=from_top) for lines in split]
        repeated = _repeated(pages, split, edges)
        number_offset = _number_offset(pages, split, edges)
        for page, lines, edge in zip(pages, split, edges, strict=True):
            _strip(page, lines, edge, repeated, number_offset)
    return [replace(page, text="\n".join(lines)) for page, lines in zip(pages, split, strict=True)]


def _edge(lines: Sequence[str], *, from_top: bool) -> list[int]:
    """The indices of the first or last lines with text, from the edge inwards, and of one more."""
    order = range(len(lines)) if from_top else range(len(lines) - 1, -1, -1)
    found: list[int] = []
    for index in order:
        if lines[index].strip():
            found.append(index)
            if len(found) > DEEPEST:
                break
    return found


def _repeated(pages: Sequence[Page], split: Sequence[Sequence[str]], edges: Sequence[Sequence[int]]) -> set[str]:
    """What stands near the edge of many pages in one stretch, but for its numbers."""
    where: dict[str, set[int]] = defaultdict(set)
    for page, lines, edge in zip(pages, split, edges, strict=True):
        for index in edge:
            where[_key(lines[index])].add(page.number)
    return {
        key
        for key, numbers in where.items()
        if any(map(str.isalpha, key))
        and len(numbers) >= PAGES
        and len(numbers) >= SHARE * (max(numbers) - min(numbers) + 1)
    }


def _number_offset(pages: Sequence[Page], split: Sequence[Sequence[str]], edges: Sequence[Sequence[int]]) -> int | None:
    """Printed number less physical number, where lone numbers near the edge agree on it."""
    offsets: Counter[int] = Counter()
    for page, lines, edge in zip(pages, split, edges, strict=True):
        offsets.update({int(found[1]) - page.number for index in edge if (found := _numbered(lines[index]))})
    if not offsets:
        return None
    offset, count = offsets.most_common(1)[0]
    return offset if count >= PAGES else None


def _strip(page: Page, lines: list[str], edge: Sequence[int], repeated: set[str], offset: int | None) -> None:
    running = list(takewhile(lambda index: _runs(page, lines[index], repeated, offset), edge))
    if len(running) > DEEPEST:  # what repeats so deep into the page is its text
        return
    for index in running:
        lines[index] = ""


def _runs(page: Page, line: str, repeated: set[str], offset: int | None) -> bool:
    """Whether the line is a running head or foot, or this page's number."""
    number, counted, bare = _numbered(line), _OF.match(line), _BARE.match(line)
    if number and offset is not None and int(number[1]) - page.number == offset:
        return True
    if counted and int(counted[1]) == page.number:
        return True
    labelled = page.label != str(page.number)
    return bool(bare and labelled and bare[1].casefold() == page.label.casefold()) or _key(line) in repeated


def _numbered(line: str) -> re.Match[str] | None:
    found = _BARE.match(line)
    return found if found and found[1].isdecimal() and len(found[1]) <= _DIGITS else None


def _key(line: str) -> str:
    return _NUMBER.sub("0", " ".join(line.split()).casefold())

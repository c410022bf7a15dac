"""The head of a table that a passage is cut from. Pure."""

import re
from collections.abc import Sequence

from ingest.cleaning import CELL
from ingest.records import Page

LONGEST = 160  # characters of a head; what is longer is no head
LONGEST_CELL = 45  # characters
_NUMBER = re.compile(r"^[\W\d]*\d[\W\d]*%?$")


def table_head(pages: Sequence[Page], page: int, start: int) -> str:
    """The column heads of the table in which the text at `start` of a page (0-based index) stands; "" where none.

    A table goes on upwards as long as its rows have as many cells, also over the top of a page.
    """
    text = pages[page].text
    begin = text.rfind("\n", 0, start) + 1
    row = text[begin:].partition("\n")[0]
    if CELL not in row:
        return ""
    cells = row.count(CELL)
    above = _rows_above(text[:begin], cells)
    if len(above) == len(_lines(text[:begin])) and page > 0:
        above = _rows_above(pages[page - 1].text, cells) + above
    return above[0] if above and _is_head(above[0]) else ""


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _rows_above(text: str, cells: int) -> list[str]:
    """The rows with so many marks between cells that the text ends with."""
    lines = _lines(text)
    first = len(lines)
    while first and lines[first - 1].count(CELL) == cells:
        first -= 1
    return lines[first:]


def _is_head(row: str) -> bool:
    """Whether all its cells are short and none is a number."""
    cells = row.split(CELL)
    return len(row) <= LONGEST and all(len(cell) <= LONGEST_CELL and not _NUMBER.match(cell.strip()) for cell in cells)

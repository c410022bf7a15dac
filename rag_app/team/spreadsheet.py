"""Tables for spreadsheet programs, in which no text is ever taken for a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

# What begins a formula in Excel, LibreOffice or Sheets, in either width; OWASP's list, "CSV injection".
_FORMULA = frozenset("=+-@\t\r\n|%\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
                     "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
_MARK = "\N{BYTE ORDER MARK}"  # without it Excel takes UTF-8 for something else
Cell = str | int | float | None


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV (RFC 4180, every cell in quotes); text that would be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return _MARK + out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    sound = "".join(character if character.isprintable() or character in "\t\n" else " " for character in value)
    # Some programs skip spaces before they look for a formula.
    return f"'{sound}" if sound.lstrip(" ")[:1] in _FORMULA and sound else sound

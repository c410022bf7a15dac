"""What was filled into a page: values of form fields and text typed onto it; notes are counted. Runs in the child.

PDF 32000-1, 12.5 (annotations) and 12.7 (forms). Only what the page shows is read: the values of hidden fields and of
passwords are not, nor what stands in a note behind a sign.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from ingest.reading.lines import Word
from ingest.reading.locate import Rectangle

LOOKED_AT = 50_000  # annotations of a page: half a second
MOST = 3000  # values of a page that are read; words of further ones count as hidden
LONGEST = 20_000  # characters of one value
SIZE = 10.0  # points; of the letters, where the field is higher than a line of them
WIDE = 0.5  # times the size: about what a letter takes
LINE_HEIGHT = 1.2  # times the size
_UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_PASSWORD = 1 << 13  # PDF 32000-1, table 228
_TICKED = "[x]"
_NOTES = frozenset(
    {
        pdfium.FPDF_ANNOT_TEXT,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
        pdfium.FPDF_ANNOT_UNDERLINE,
        pdfium.FPDF_ANNOT_SQUIGGLY,
        pdfium.FPDF_ANNOT_STRIKEOUT,
        pdfium.FPDF_ANNOT_CARET,
        pdfium.FPDF_ANNOT_INK,
        pdfium.FPDF_ANNOT_SQUARE,
        pdfium.FPDF_ANNOT_CIRCLE,
    }
)

Box = Callable[[float, float, float, float], Rectangle]


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one field or box of text."""

    text: str
    area: Rectangle  # points, origin at the top left of the page as shown


@dataclass(frozen=True, slots=True)
class Filled:
    """All that was filled into a page."""

    values: tuple[Value, ...]
    notes: int  # behind signs; not read
    hidden: int  # words of values that the page does not show


def filled(page: Any, box: Box) -> Filled:  # noqa: ANN401 - a pdfium handle
    """The values on a page in the file's order. `box` turns sides in the page's own space into a place as shown."""
    values: list[Value] = []
    notes = hidden = 0
    for annotation in _annotations(page):
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        notes += kind in _NOTES and bool(_text(annotation, b"Contents").strip())
        text = _value(annotation, kind)
        if text and (len(values) >= MOST or pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN):
            hidden += len(text.split())
        elif text:
            values.append(Value(text, box(*_sides(annotation))))
    return Filled(tuple(values), notes, hidden)


def among(words: Sequence[Word], values: Sequence[Value], first: int) -> tuple[list[Word], str, list[Rectangle]]:
    """The page's words with those of the values in their places.

    Also the characters of the values, the first of which has the number `first`, and the box of each.
    """
    together = list(words)
    characters, boxes = "", []
    for number, value in enumerate(values):
        at, line = _place(together, value.area, -1 - number)
        parts = list(_words(value, line, first + len(characters)))
        together[at:at] = parts
        for part in parts:
            characters += part.text
            boxes += [part[1:5]] * len(part.text)
    return together, characters, boxes


def _annotations(page: Any) -> Iterator[Any]:  # noqa: ANN401
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), LOOKED_AT)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if annotation:
            yield annotation
            pdfium.FPDFPage_CloseAnnot(annotation)


def _value(annotation: Any, kind: int) -> str:  # noqa: ANN401
    """What a field or box of text says; "" where nothing or where it is none."""
    if kind == pdfium.FPDF_ANNOT_FREETEXT:
        return _text(annotation, b"Contents").strip()
    if kind != pdfium.FPDF_ANNOT_WIDGET:
        return ""
    flags = ctypes.c_float()
    if pdfium.FPDFAnnot_GetNumberValue(annotation, b"Ff", flags) and int(flags.value) & _PASSWORD:
        return ""
    state = _text(annotation, b"AS")
    if state:
        return "" if state == "Off" else _TICKED
    return _text(annotation, b"V").strip()


def _text(annotation: Any, key: bytes) -> str:  # noqa: ANN401
    size = min(pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0), 2 * LONGEST)  # bytes, with two at the end
    held = ctypes.create_string_buffer(size + 2)
    pdfium.FPDFAnnot_GetStringValue(annotation, key, ctypes.cast(held, ctypes.POINTER(ctypes.c_ushort)), size)
    return held.raw[: max(size - 2, 0)].decode("utf-16-le", "replace").replace("\0", "")


def _sides(annotation: Any) -> Rectangle:  # noqa: ANN401
    area = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, area)
    return area.left, area.bottom, area.right, area.top


def _place(words: Sequence[Word], area: Rectangle, own: int) -> tuple[int, int]:
    """Where in the row of words a value comes, and in which line: that of the words before it at its height.

    Where there are none, it is a line of its `own` after the words above it.
    """
    left, top, _, bottom = area
    middle = (top + bottom) / 2
    before = [at for at, word in enumerate(words) if word.right <= left + 1 and word.top <= middle <= word.bottom]
    if before and not words[before[-1]].turn:
        nearest = max(before, key=lambda at: words[at].right)
        return nearest + 1, words[nearest].line
    above = [at for at, word in enumerate(words) if word.bottom <= middle]
    return (max(above) + 1 if above else 0), own


def _words(value: Value, line: int, first: int) -> Iterator[Word]:
    """The words of a value, set one after the other within its area."""
    left, top, right, bottom = value.area
    size = min(SIZE, max(bottom - top, 1.0))
    rows = list(_rows(value.text, max(right - left, size)))
    step = min(LINE_HEIGHT * size, (bottom - top) / len(rows))
    start = top if len(rows) > 1 else (top + bottom - size) / 2
    for number, row in enumerate(rows):
        across, down = left + 1, start + number * step
        for word in row:
            wide = len(word) * WIDE * size
            spans = ((first, first + len(word)),)
            own = line if not number else (line + 1) * -1000 - number - 1000
            yield Word(word, across, down, across + wide, down + size, size, False, own, 0, spans)  # noqa: FBT003
            across += wide + 0.3 * size
            first += len(word)


def _rows(text: str, room: float) -> Iterator[list[str]]:
    """The words of each line of a value that is `room` points wide."""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        row: list[str] = []
        for word in line.split():
            if row and (len(" ".join(row)) + 1 + len(word)) * WIDE * SIZE > room:
                yield row
                row = []
            row.append(word)
        if row:
            yield row

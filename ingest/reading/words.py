"""The words of a page with their places, and what of them no reader can see. Runs in the child."""

import ctypes
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.reading.filled import among, filled
from ingest.reading.hidden import SMALLEST, Backdrop, address, white
from ingest.reading.lines import SLANTED, Turn, Word
from ingest.reading.locate import Rectangle

# pdfium puts U+FFFE in the place of a hyphen and the line end after it.
_HYPHEN = "\ufffe"
_HYPHEN_CODE = 2  # the same, asked for alone
_TOKEN = re.compile(r"[^\s\ufffe]+\ufffe?|[\r\n]+|\ufffe")
_INVISIBLE = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_FILLED = (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600  # of 100 to 900
_TURNED = 20  # degrees; what is further from every right angle is slanted
_TALL = 3  # times as tall as its font: written downwards

Place = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scan:
    """What stands on one page."""

    words: tuple[Word, ...]
    hidden: int  # words left out
    picture: bool  # it has no words, but a picture
    values: int = 0  # form fields and boxes of text among the words
    notes: int = 0  # behind signs; not read
    added: str = ""  # the characters of those values; their numbers go on where the page's own end
    added_boxes: tuple[Rectangle, ...] = ()  # one for each of them


class _Style(NamedTuple):
    size: float  # points on the page
    bold: bool
    turn: Turn
    invisible: bool  # drawn with neither fill nor stroke
    pale: bool  # filled with white
    tiny: bool


_PLAIN = _Style(10.0, bold=False, turn=0, invisible=False, pale=False, tiny=False)

# Asked twice a word: pypdfium2's own bindings make and check a pointer each time, which takes three times as long.
_text_object: Callable[[int, int], int | None] = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    address(pdfium.FPDFText_GetTextObject)
)
_box: Callable[[int, int, object], int] = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)(address(pdfium.FPDFText_GetLooseCharBox))


class Shown:
    """Where a point of the page's own space lies on the page as it is shown: points, origin at the top left."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self.left, self.bottom, self.right, self.top = page.get_bbox()
        self.rotation: int = page.get_rotation()
        across, down = self.right - self.left, self.top - self.bottom
        self.width, self.height = (down, across) if self.rotation in {90, 270} else (across, down)
        self.place: Place = {0: self._as_is, 90: self._right, 180: self._over, 270: self._back}[self.rotation]

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom as shown."""
        if not self.rotation:
            return left - self.left, self.top - top, right - self.left, self.top - bottom
        x0, y0 = self.place(left, bottom)
        x1, y1 = self.place(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _as_is(self, x: float, y: float) -> tuple[float, float]:
        return x - self.left, self.top - y

    def _right(self, x: float, y: float) -> tuple[float, float]:
        return y - self.bottom, x - self.left

    def _over(self, x: float, y: float) -> tuple[float, float]:
        return self.right - x, y - self.bottom

    def _back(self, x: float, y: float) -> tuple[float, float]:
        return self.top - y, self.right - x


def characters(textpage: pypdfium2.PdfTextPage) -> str:
    """The page's characters, one for each of pdfium's own."""
    count = textpage.count_chars()
    text: str = textpage.get_text_range() if count else ""
    if len(text) == count:
        return text
    codes = (pdfium.FPDFText_GetUnicode(textpage, index) for index in range(count))
    return "".join(
        _HYPHEN if code == _HYPHEN_CODE else chr(code) if 0 < code <= sys.maxunicode else " " for code in codes
    )


def scan(page: pypdfium2.PdfPage) -> Scan:
    """The words of a page in pdfium's order. Raises PdfiumError."""
    shown = Shown(page)
    textpage = page.get_textpage()
    backdrop = Backdrop(page, shown.width * shown.height)
    reader = _Reader(textpage, shown, backdrop)
    words: list[Word] = []
    hidden = 0
    text = characters(textpage)
    for word, seen in reader.words(text):
        if seen:
            words.append(word)
        else:
            hidden += 1
    found = filled(page.raw, shown.box)
    together, added, boxes = among(words, found.values, len(text))
    return Scan(
        words=tuple(together),
        hidden=hidden + found.hidden,
        picture=not together and backdrop.pictures(),
        values=len(found.values),
        notes=found.notes,
        added=added,
        added_boxes=tuple(boxes),
    )


class _Reader:
    """Asks pdfium about each word's first and last character, and once about each text object."""

    def __init__(self, textpage: pypdfium2.PdfTextPage, shown: Shown, backdrop: Backdrop) -> None:
        self._textpage = textpage.raw
        self._shown = shown
        self._backdrop = backdrop
        self._styles: dict[int, _Style] = {}
        self._fonts: dict[int, bool] = {}
        self._first = pdfium.FS_RECTF()
        self._last = pdfium.FS_RECTF()
        self._first_at, self._last_at = ctypes.byref(self._first), ctypes.byref(self._last)
        self._address = address(textpage.raw)
        self._matrix = pdfium.FS_MATRIX()

    def words(self, text: str) -> Iterator[tuple[Word, bool]]:
        """Each word, and whether it can be seen."""
        line = 0
        for match in _TOKEN.finditer(text):
            token = match.group()
            if token[0] in "\r\n":
                line += 1
                continue
            for start, end, text_object in self._parts(match.start(), match.end()):
                yield self._word(text[start:end], start, text_object, line)
            line += token[-1] == _HYPHEN

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int, int | None]]:
        """The word with its text object, cut where another object begins that is styled otherwise."""
        first = _text_object(self._address, start)
        if first == _text_object(self._address, end - 1):
            yield start, end, first
            return
        for index in range(start + 1, end):
            following = _text_object(self._address, index)
            if following != first and self._style(following, index) != self._style(first, start):
                yield start, index, first
                start, first = index, following
        yield start, end, first

    def _word(self, text: str, start: int, text_object: int | None, line: int) -> tuple[Word, bool]:
        first, last = self._first, self._last
        _box(self._address, start, self._first_at)
        _box(self._address, start + len(text) - 1, self._last_at)
        left, bottom = min(first.left, last.left), min(first.bottom, last.bottom)
        right, top = max(first.right, last.right), max(first.top, last.top)
        style = self._style(text_object, start)
        box = self._shown.box(left, bottom, right, top)
        down = not style.turn and len(text) > _TALL and box[3] - box[1] > _TALL * (box[2] - box[0])
        turn = 90 if down else style.turn
        spans = ((start, start + len(text)),)
        if self._first.left < self._last.left and backwards(text):
            text, spans = text[::-1], ((start + len(text) - 1, start - 1),)
        word = Word(_whole(text), *box, style.size, style.bold, line, turn, spans)
        return word, self._seen(style, text_object, (left + right) / 2, (bottom + top) / 2)

    def _seen(self, style: _Style, text_object: int | None, x: float, y: float) -> bool:
        if style.tiny or not self._on_page(x, y):
            return False
        if style.invisible:
            return self._backdrop.scanned(x, y)
        return not style.pale or self._backdrop.behind(text_object, x, y)

    def _on_page(self, x: float, y: float) -> bool:
        shown = self._shown
        return bool(shown.left <= x <= shown.right and shown.bottom <= y <= shown.top)

    def _style(self, text_object: int | None, index: int) -> _Style:
        if text_object is None:
            return _PLAIN
        style = self._styles.get(text_object)
        if style is None:
            style = self._styles[text_object] = self._look(pdfium.FPDFText_GetTextObject(self._textpage, index), index)
        return style

    def _look(self, handle: Any, index: int) -> _Style:  # noqa: ANN401 - a pdfium handle
        matrix = self._matrix
        pdfium.FPDFText_GetMatrix(self._textpage, index, matrix)
        size = abs(pdfium.FPDFText_GetFontSize(self._textpage, index)) * math.hypot(matrix.c, matrix.d)
        angle = math.degrees(math.atan2(matrix.b, matrix.a)) - self._shown.rotation
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
        return _Style(
            size=round(size, 1),
            bold=self._bold(pdfium.FPDFTextObj_GetFont(handle)),
            turn=SLANTED if matrix.a * matrix.d < matrix.b * matrix.c else _turn(angle),  # mirrored: no way is upright
            invisible=mode in _INVISIBLE,
            pale=mode in _FILLED and white(pdfium.FPDFText_GetFillColor, self._textpage, index),
            tiny=size < SMALLEST,
        )

    def _bold(self, font: Any) -> bool:  # noqa: ANN401 - a pdfium handle
        where = address(font) if font else 0
        if where not in self._fonts:
            name = ctypes.create_string_buffer(256)
            pdfium.FPDFFont_GetBaseFontName(font, name, 256)
            weight = pdfium.FPDFFont_GetWeight(font)
            self._fonts[where] = bool(_BOLD.search(name.value.decode("latin-1"))) or weight >= _BOLD_WEIGHT
        return self._fonts[where]


def _turn(angle: float) -> Turn:
    """The way of writing at so many degrees counterclockwise from left to right."""
    quarter = round(angle / 90)
    return -quarter % 4 * 90 if abs(angle - 90 * quarter) <= _TURNED else SLANTED


def backwards(text: str) -> bool:
    """Whether all its letters are of scripts that are written from right to left."""
    kinds = {unicodedata.bidirectional(character) for character in text}
    return not text.isascii() and len(text) > 1 and kinds <= {"R", "AL", "NSM"}


def _whole(text: str) -> str:
    """The word with its line-end hyphen as one, and halves of characters put together."""
    if text[-1] == _HYPHEN:
        text = text[:-1] + "-"
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

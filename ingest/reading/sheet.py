"""Draws one page of a text file and finds a quote on it. Runs in the child; answers with frames.

The file's lines as they stand, wrapped, with their numbers at the left. Letters that no font of this machine has are
drawn as boxes; the viewer shows the quote as text below.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import IO, Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ingest.reading.encoding import NotText, decode
from ingest.reading.frames import Frame
from ingest.reading.locate import Rectangle, merged, place
from ingest.reading.outline import Line, lines
from ingest.reading.text import split

ACROSS = 612.0  # points
MARGIN, GUTTER = 30.0, 44.0  # points; line numbers stand in the gutter
SIZE, LEADING = 10.0, 14.0  # points
LARGEST = 2400  # pixels, either side
TALLEST = 4  # times the width
FONTS = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "Menlo.ttc", "consola.ttf")  # the first there is
OTHER_FONTS = ("DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "NotoSansArabic-Regular.ttf", "Arial Unicode.ttf")
INK, PALE, PAPER = (28, 27, 25), (150, 147, 140), (255, 255, 255)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class _Glyph(NamedTuple):
    character: str
    at: int  # in the page's text
    left: float  # points
    row: int


def draw(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Frame]:
    """A frame with width, height (points) and boxes, then the PNG. Nothing where there is no such page."""
    try:
        _, pages = split(lines(decode(file.read()).text))
    except NotText:
        return
    if not 1 <= request["page"] <= len(pages):
        return
    page = pages[request["page"] - 1]
    glyphs, numbers = _laid_out(page)
    down = 2 * MARGIN + LEADING * (1 + max(glyphs[-1].row if glyphs else 0, *numbers))
    boxes = _boxes(page, glyphs, request["quote"], request["near"]) if request["quote"] else []
    yield {"kind": "drawn", "width": ACROSS, "height": down, "boxes": boxes}
    yield _png(glyphs, numbers, down, request["width"])


def text_of(page: Sequence[Line]) -> str:
    """The page's lines as they stand in the file."""
    parts = [
        line.text + ("" if after is not None and after.number == line.number else "\n")
        for line, after in zip(page, [*page[1:], None], strict=True)
    ]
    return "".join(parts)


def _laid_out(page: Sequence[Line]) -> tuple[list[_Glyph], dict[int, int]]:
    """Every character with its place, and the line number that stands at the left of a row."""
    glyphs: list[_Glyph] = []
    numbers: dict[int, int] = {}
    row, index = 0, 0
    for line, text in _whole(page):
        numbers[row] = line
        row = _wrapped(text, index, row, glyphs) + 1
        index += len(text) + 1
    return glyphs, numbers


def _whole(page: Sequence[Line]) -> Iterator[tuple[int, str]]:
    """Number and text of each line, its parts put together."""
    texts: dict[int, str] = {}
    for line in page:
        texts[line.number] = texts.get(line.number, "") + line.text
    yield from texts.items()


def _wrapped(text: str, index: int, row: int, glyphs: list[_Glyph]) -> int:
    """Lay out a line from `row` on; the last row it takes."""
    left = edge = MARGIN + GUTTER
    begun = len(glyphs)  # of the word that is laid out
    for at, character in enumerate(text):
        wide = _advance(character)
        if left + wide > ACROSS - MARGIN and not character.isspace():
            row += 1
            moved = glyphs[begun:] if glyphs[begun:] and glyphs[begun].left > edge else []
            shift = moved[0].left - edge if moved else left - edge
            glyphs[len(glyphs) - len(moved) :] = [one._replace(left=one.left - shift, row=row) for one in moved]
            left -= shift
        glyphs.append(_Glyph(character, index + at, left, row))
        left += wide
        if character.isspace():
            begun = len(glyphs)
    return row


def _boxes(page: Sequence[Line], glyphs: Sequence[_Glyph], quote: str, near: int) -> list[Rectangle]:
    where = {glyph.at: glyph for glyph in glyphs}
    found = [where[index] for index in place(text_of(page), quote, near) if index in where]
    return merged([_box(glyph) for glyph in found])


def _box(glyph: _Glyph) -> Rectangle:
    top = MARGIN + glyph.row * LEADING
    return glyph.left, top, glyph.left + _advance(glyph.character), top + LEADING - 1


def _png(glyphs: Sequence[_Glyph], numbers: Mapping[int, int], down: float, width: int) -> bytes:
    wide = max(min(width, LARGEST), 16)
    scale = min(wide / ACROSS, min(wide * TALLEST, LARGEST) / down)
    image = Image.new("RGB", (round(ACROSS * scale), round(down * scale)), PAPER)
    pen = ImageDraw.Draw(image)
    for row, number in numbers.items():
        at = ((MARGIN + GUTTER - 10) * scale, (MARGIN + row * LEADING) * scale)
        pen.text(at, str(number), PALE, _fonts(SIZE * 0.8 * scale)[0], anchor="ra")
    for glyph in glyphs:
        if not glyph.character.isspace() and glyph.character.isprintable():
            at = (glyph.left * scale, (MARGIN + glyph.row * LEADING) * scale)
            pen.text(at, glyph.character, INK, _font_of(glyph.character, SIZE * scale))
    packed = io.BytesIO()
    image.save(packed, "PNG", compress_level=4)
    return packed.getvalue()


@cache
def _fonts(size: float) -> list[Font]:
    """The font for most letters, then those that have others."""
    plain = [font for name in FONTS if (font := _font(name, size))][:1] or [ImageFont.load_default(size)]
    return plain + [font for name in OTHER_FONTS if (font := _font(name, size))]


def _font(name: str, size: float) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None  # not on this machine; the fonts are tried in turn


@cache
def _font_of(character: str, size: float) -> Font:
    """The first font that has the character."""
    fonts = _fonts(size)
    if character.isascii():
        return fonts[0]
    return next((font for font in fonts if bytes(font.getmask(character)) != _missing(font)), fonts[0])


@cache
def _missing(font: Font) -> bytes:
    """The picture that stands for a character which the font has not."""
    return bytes(font.getmask("\uffff"))


@cache
def _advance(character: str) -> float:
    """How far a character moves the pen, points."""
    if character == "\t":
        return 4 * _advance(" ")
    return float(_font_of(character, SIZE).getlength(character)) if character.isprintable() else 0.0

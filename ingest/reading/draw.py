"""Draws one page and finds a quote on it. Runs in the child; answers with frames."""

import io
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.reading import layout
from ingest.reading.frames import Frame
from ingest.reading.locate import Rectangle, merged, place
from ingest.reading.pdf import open_document
from ingest.reading.words import Scan, Shown, characters, scan

LARGEST = 2400  # pixels, either side
TALLEST = 4  # times the width
TALL = 1.45  # times its size; a font that is higher has signs that no line of text has room for


def draw(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Frame]:
    """A frame with width, height (points) and boxes, then the PNG. Nothing where the page cannot be drawn."""
    try:
        document = open_document(file)
        document.init_forms()  # else no field is drawn, and what is read of it could not be seen
        if not 1 <= request["page"] <= len(document):
            return
        page = document[request["page"] - 1]
        shown = Shown(page)
        png = _png(page, shown, request["width"])
    except pypdfium2.PdfiumError:
        return
    boxes = _boxes(page, shown, request["quote"], request["near"]) if request["quote"] else []
    yield {"kind": "drawn", "width": shown.width, "height": shown.height, "boxes": boxes}
    yield png


def _png(page: pypdfium2.PdfPage, shown: Shown, width: int) -> bytes:
    across, down = max(shown.width, 1.0), max(shown.height, 1.0)
    wide = max(min(width, LARGEST), 16)
    scale = min(wide / across, min(wide * TALLEST, LARGEST) / down)
    image = page.render(scale=scale).to_pil()
    packed = io.BytesIO()
    image.convert("RGB").save(packed, "PNG", compress_level=4)
    return packed.getvalue()


def _boxes(page: pypdfium2.PdfPage, shown: Shown, quote: str, near: int) -> list[Rectangle]:
    try:
        textpage = page.get_textpage()
        own = characters(textpage)
        found = scan(page)
        text, indices = _in_order(found, own + found.added)
    except pypdfium2.PdfiumError:
        return []
    boxes: list[Rectangle] = []
    for index in (indices[at] for at in place(text, quote, near)):
        if index >= len(own):
            boxes.append(found.added_boxes[index - len(own)])
        elif sides := _sides(textpage, index):
            boxes.append(shown.box(*sides))
    return merged(boxes)


def _sides(textpage: pypdfium2.PdfTextPage, index: int) -> tuple[float, float, float, float] | None:
    """Left, bottom, right and top of a character, as high as its font; None where it has no width.

    A font of mathematical signs may be several times as high as its letters; then the letter's own sides are taken, or
    its box would reach into the lines above and below.
    """
    box, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetLooseCharBox(textpage, index, box) or box.right <= box.left:
        return None
    pdfium.FPDFText_GetMatrix(textpage, index, matrix)
    size = pdfium.FPDFText_GetFontSize(textpage, index) * math.hypot(matrix.c, matrix.d)
    upright = abs(matrix.b) < abs(matrix.a)
    if upright and size > 0 and box.top - box.bottom > TALL * size:
        _, bottom, _, top = textpage.get_charbox(index)
        if top > bottom:
            return box.left, bottom, box.right, top
    return box.left, box.bottom, box.right, box.top


def _in_order(found: Scan, text: str) -> tuple[str, list[int]]:
    """The page's text as it is read, in reading order and without what is hidden, and each character's index in `text`.

    A line or word ends with a space, whose index is that of the character before it.
    """
    spans = [span for line in layout.lines(found.words) if line for span in line.spans]
    runs = [range(start, end, 1 if start < end else -1) for start, end in spans]
    indices = [index for run in runs for index in (*run, run[-1])]
    return "".join("".join(text[index] for index in run) + " " for run in runs), indices

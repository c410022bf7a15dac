"""Draws one page and finds a quote on it. Runs in the child; answers with frames."""

import io
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
    box = pdfium.FS_RECTF()
    for index in (indices[at] for at in place(text, quote, near)):
        if index >= len(own):
            boxes.append(found.added_boxes[index - len(own)])
        elif pdfium.FPDFText_GetLooseCharBox(textpage, index, box) and box.right > box.left:
            boxes.append(shown.box(box.left, box.bottom, box.right, box.top))
    return merged(boxes)


def _in_order(found: Scan, text: str) -> tuple[str, list[int]]:
    """The page's text as it is read, in reading order and without what is hidden, and each character's index in `text`.

    A line or word ends with a space, whose index is that of the character before it.
    """
    spans = [span for line in layout.lines(found.words) if line for span in line.spans]
    runs = [range(start, end, 1 if start < end else -1) for start, end in spans]
    indices = [index for run in runs for index in (*run, run[-1])]
    return "".join("".join(text[index] for index in run) + " " for run in runs), indices

"""Reads a PDF with pdfium, page by page, and with pypdf what pdfium refuses. Runs in the child; answers with frames."""

import ctypes
import mmap
from collections.abc import Iterator, Mapping
from typing import IO, Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.reading import layout, second
from ingest.reading.frames import Frame
from ingest.reading.titles import sensible
from ingest.reading.words import Scan, scan

OUTLINE_ENTRIES = 5000  # more of them is no outline anyone reads
OUTLINE_DEPTH = 15
_WHY = {pdfium.FPDF_ERR_PASSWORD: "password", pdfium.FPDF_ERR_SECURITY: "protected"}  # a file is refused


def pages(file: IO[bytes], request: Mapping[str, Any]) -> Iterator[Frame]:
    """Frames: "opened", then "page" or "failed" for each page from request["first"] on that is not in request["skip"].

    Or one "refused", whose "why" is password, protected, damaged or no_pages.
    """
    try:
        document = open_document(file)
    except pypdfium2.PdfiumError as error:
        yield from second.pages(file, request, _WHY.get(error.err_code, "damaged"))
        return
    if len(document) < 1:
        yield from second.pages(file, request, "damaged")
        return
    yield {
        "kind": "opened",
        "pages": len(document),
        "title": sensible(document.get_metadata_value("Title")),
        "headings": _outline(document),
    }
    for number in range(request["first"], len(document) + 1):
        if number not in request["skip"]:
            yield _page(document, number) or second.page(file, number)


def open_document(file: IO[bytes]) -> pypdfium2.PdfDocument:
    """The document in an open file. Raises PdfiumError."""
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return pypdfium2.PdfDocument((ctypes.c_char * len(mapped)).from_buffer(mapped))


def _page(document: pypdfium2.PdfDocument, number: int) -> Frame | None:
    """The page's frame; None where pdfium cannot read it."""
    try:
        page = document[number - 1]
        read: Scan = scan(page)
        label = document.get_page_label(number - 1)
    except pypdfium2.PdfiumError:
        return None
    ordered = layout.lines(read.words)
    page.close()
    return {
        "kind": "page",
        "number": number,
        "label": label.strip() or str(number),
        "text": "\n".join(line.text if line else "" for line in ordered),
        "styles": [[line.size, line.bold] if line else [0, False] for line in ordered],
        "hidden": read.hidden,
        "picture": read.picture,
        "values": read.values,
        "notes": read.notes,
    }


def _outline(document: pypdfium2.PdfDocument) -> list[tuple[int, str, int]]:
    """Level, title and 1-based page of each entry that leads to a page."""
    entries: list[tuple[int, str, int]] = []
    for bookmark in document.get_toc(max_depth=OUTLINE_DEPTH):
        if len(entries) >= OUTLINE_ENTRIES:
            break
        destination = bookmark.get_dest()
        index = destination.get_index() if destination else None
        title = " ".join(bookmark.get_title().split())
        if index is not None and title:
            entries.append((bookmark.level + 1, title, index + 1))
    return entries

"""The second reader: pypdf, for files and pages that pdfium refuses. Slower and more forgiving. Runs in the child."""

from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from ingest.reading.frames import Frame
from ingest.reading.titles import sensible

if TYPE_CHECKING:
    from pypdf import PdfReader


def pages(file: IO[bytes], request: Mapping[str, Any], why: str) -> Iterator[Frame]:
    """The frames of ingest.reading.pdf.pages. `why` pdfium refuses the file: what is said where pypdf does so too."""
    reader, count = _open(file)
    if reader is None:
        yield {"kind": "refused", "why": "password" if count else why}
        return
    if count < 1:
        yield {"kind": "refused", "why": "no_pages"}
        return
    yield {"kind": "opened", "pages": count, "title": _title(reader), "headings": []}
    for number in range(request["first"], count + 1):
        if number not in request["skip"]:
            yield _page(reader, number)


def page(file: IO[bytes], number: int) -> Frame:
    """The frame of one page that pdfium refuses."""
    reader, count = _open(file)
    if reader is None or number > count:
        return {"kind": "failed", "number": number}
    return _page(reader, number)


def _open(file: IO[bytes]) -> "tuple[PdfReader | None, int]":
    """The reader and its number of pages; None and 1 where a password is needed, None and 0 where it is damaged."""
    import pypdf

    file.seek(0)
    try:
        reader = pypdf.PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return None, 1
        return reader, len(reader.pages)
    except Exception:  # noqa: BLE001 - pypdf lets errors of every class out of a damaged file
        return None, 0


def _page(reader: "PdfReader", number: int) -> Frame:
    try:
        text = reader.pages[number - 1].extract_text()
        label = reader.page_labels[number - 1]
    except Exception:  # noqa: BLE001 - as above
        return {"kind": "failed", "number": number}
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return {
        "kind": "page",
        "number": number,
        "label": label.strip() or str(number),
        "text": whole,
        "styles": [],
        "hidden": 0,
        "picture": not whole.strip(),
    }


def _title(reader: "PdfReader") -> str:
    try:
        return sensible(str(reader.metadata.title or "")) if reader.metadata else ""
    except Exception:  # noqa: BLE001 - as above
        return ""

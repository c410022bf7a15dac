"""What a file seems to be, from its first bytes. Pure."""

import re

HEAD = 4096  # bytes that are looked at
_PDF_WITHIN = 1024  # bytes of anything may stand before the PDF header

TEXT = "a text file"

_OBJECT = re.compile(rb"(?:^|[\r\n])\d+ 0 obj\b")
_PDF_PART = re.compile(rb"\b(?:endobj|endstream|startxref)\b")
_CONTROL = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]")  # a text may hold backspaces and escapes of a terminal
_MOST_CONTROL = 0.01  # of the bytes; a text may have lost a few
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # texts of two or four bytes a letter say so with these

_ZIP = b"PK\x03\x04"
_KNOWN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3", "an SQLite database"),
)


def is_pdf(head: bytes) -> bool:
    """Whether the file says that it is a PDF, or is made of a PDF's objects though its first line is lost.

    An archive whose first member is a PDF is none: the other members would be passed over in silence.
    """
    if head.startswith((_ZIP, *(start for start, _ in _KNOWN))):
        return False
    return b"%PDF-" in head[:_PDF_WITHIN] or bool(_OBJECT.search(head[:_PDF_WITHIN]))


def is_text(head: bytes) -> bool:
    """Whether it looks like plain text or Markdown; what is deeper in the file may still show that it is none."""
    return seems(head) == TEXT


def seems(head: bytes) -> str:
    """What the file seems to be, with its article."""
    for start, what in _KNOWN:
        if head.startswith(start):
            return what
    if head.startswith(_ZIP):
        return _zipped(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    return _text(head)


def _zipped(head: bytes) -> str:
    for part, what in ((b"word/", "a Word document"), (b"xl/", "an Excel workbook"), (b"ppt/", "a PowerPoint file")):
        if part in head:
            return what
    if b"opendocument" in head:
        return "an OpenDocument file"
    return "an EPUB book" if b"application/epub+zip" in head else "a zip archive"


def _text(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith(b"<?xml"):
        return "an XML file"
    if _PDF_PART.search(head):
        return "a part of a PDF"
    texty = head.startswith(_WIDE) or len(_CONTROL.findall(head)) <= _MOST_CONTROL * len(head)
    return TEXT if texty else "a file of an unknown kind"

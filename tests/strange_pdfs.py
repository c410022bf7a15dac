"""PDFs that lie: about pages, sizes, lengths, links and what they are. By name, with the state each is to end in."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

SENTENCE = b"The notice period of the plan is three months."
TEXT = b"BT /F1 12 Tf 72 700 Td (" + SENTENCE + b") Tj ET"
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> %s >>"


def put_together(objects: Mapping[int, bytes], trailer: bytes = b"", shift: int = 0) -> bytes:
    """A file of these objects; the table says that each stands `shift` bytes behind where it does."""
    made, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, top = len(made), max(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n" % top
    for number in range(1, top):
        made += b"%010d 00000 n \n" % (places[number] + shift) if number in places else b"0000000000 65535 f \n"
    made += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (top, trailer, start)
    return bytes(made)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def one_page(*, page=b"", media=b"[0 0 612 792]", content=None, pages=None, catalog=b"", more=None, **rest) -> bytes:
    """A page with a sentence on it, and whatever is to be odd about it."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: pages or b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox %s %s >>" % (media, page or resources(b"")),
        4: content or stream(TEXT),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    return put_together(objects | (more or {}), **rest)


def resources(drawn: bytes) -> bytes:
    return b"/Resources << /Font << /F1 5 0 R >> %s >>" % drawn


def doubling(depth: int) -> bytes:
    """A form that draws the next twice, and so on: 2 to the power of `depth` sentences."""
    forms = {n: stream(b"/X Do /X Do", FORM % (b"/XObject << /X %d 0 R >>" % (n + 1))) for n in range(10, 10 + depth)}
    last = {10 + depth: stream(TEXT, FORM % b"")}
    return one_page(page=resources(b"/XObject << /X 10 0 R >>"), content=stream(b"/X Do"), more=forms | last)


def outline_in_a_circle() -> bytes:
    entry = b"<< /Title (%s) /Parent 20 0 R /First 21 0 R /Next %d 0 R /Dest [3 0 R /Fit] >>"
    entries = {20: b"<< /First 21 0 R /Last 22 0 R >>", 21: entry % (b"One", 22), 22: entry % (b"Two", 21)}
    return one_page(catalog=b"/Outlines 20 0 R", more=entries)


def packed(first: int, count: int) -> bytes:
    """The page lies in an object stream, which says that its objects begin at `first` and are `count`."""
    inner = b"3 0 << /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R %s >>" % resources(b"")
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 4: stream(TEXT),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        6: stream(zlib.compress(inner), b"/Type /ObjStm /Filter /FlateDecode /N %d /First %d" % (count, first)),
    }  # fmt: skip
    made, rows = bytearray(b"%PDF-1.7\n"), {0: (0, 0), 3: (2, 6)}
    for number, body in objects.items():
        rows[number] = (1, len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows[7] = (1, len(made))
    table = b"".join(struct.pack(">BIH", *rows[number], 0) for number in range(8))
    made += b"7 0 obj\n%s\nendobj\n" % stream(table, b"/Type /XRef /Size 8 /W [1 4 2] /Root 1 0 R")
    return bytes(made) + b"startxref\n%d\n%%%%EOF" % rows[7][1]


def zipped(name: str, file: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, file)
    return made.getvalue()


def made() -> dict[str, tuple[bytes, str]]:
    """The files by name."""
    deep, whole = b"[" * 5000 + b"]" * 5000, one_page()
    bomb = zlib.compress(zlib.compress(b" " * (600 << 20), 1), 9)
    rights = b"/Encrypt << /Filter /Acme.Rights /V 9 /R 77 /O (x) /U (y) /P -1 >> /ID [(a) (b)]"
    attached = b"/Names << /EmbeddedFiles << /Names [" + b"(f) 20 0 R " * 2000 + b"] >> >>"
    labels = b"/PageLabels << /Nums [-5 << /S /r >> 0 << /S /A /St 2147483647 >> 99999 << /S /a /St 99999999 >>] >>"
    script = b"/OpenAction << /S /JavaScript /JS (while (true) { }) >> /AA << /WC << /S /Launch /F (/bin/sh) >> >>"
    itself = stream(b"/X Do " + TEXT, FORM % b"/XObject << /X 10 0 R >>")
    cut = stream(zlib.compress(TEXT * 50)[:60], b"/Filter /FlateDecode")
    return {
        "forms that draw the next twice": (doubling(40), "refused"),
        "a form that draws itself": (
            one_page(page=resources(b"/XObject << /X 10 0 R >>"), content=stream(b"/X Do"), more={10: itself}), "ready",
        ),
        "two billion pages": (one_page(pages=b"<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>"), "ready"),
        "less than no pages": (one_page(pages=b"<< /Type /Pages /Kids [3 0 R] /Count -5 >>"), "ready"),
        "one page a hundred thousand times": (
            one_page(pages=b"<< /Type /Pages /Kids [" + b"3 0 R " * 100_000 + b"] /Count 100000 >>"), "refused",
        ),
        "pages in a circle": (one_page(pages=b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"), "ready"),
        "a table that points elsewhere": (one_page(shift=17), "ready"),
        "a table before itself": (one_page(trailer=b"/Prev 15"), "ready"),
        "an outline in a circle": (outline_in_a_circle(), "ready"),
        "a giant page": (one_page(media=b"[0 0 999999999 999999999]"), "ready"),
        "a page of no size": (one_page(media=b"[0 0 0 0]"), "ready"),
        "a page whose size is no number": (one_page(media=b"[0 nan (x) /y]"), "ready"),
        "turned the other way": (one_page(page=b"/Rotate -90 " + resources(b"")), "ready"),
        "turned by an odd number": (one_page(page=b"/Rotate 2147483649 /UserUnit 1e9 " + resources(b"")), "ready"),
        "attached files": (
            one_page(catalog=attached, more={20: b"<< /Type /Filespec /F (../../etc/passwd) >>"}), "ready",
        ),
        "a script": (one_page(catalog=script), "ready"),
        "half a stream": (one_page(content=cut), "no_text"),
        "a stream as long as itself": (
            one_page(content=b"<< /Length 4 0 R >>\nstream\n" + TEXT + b"\nendstream"), "ready",
        ),
        "packed": (packed(4, 1), "ready"),
        "packed, begins far behind its end": (packed(4_000_000, 1), "refused"),
        "packed, says two billion": (packed(4, 2_000_000_000), "refused"),
        "rights of an unknown kind": (one_page(trailer=rights), "refused"),
        "labels that lie": (one_page(catalog=labels), "ready"),
        "five thousand levels": (one_page(content=stream(deep + TEXT), catalog=b"/Odd " + deep), "ready"),
        "a bomb": (one_page(content=stream(bomb, b"/Filter [/FlateDecode /FlateDecode]")), "refused"),
        "a web page before it": (b"<!DOCTYPE html><html><script>alert(1)</script><!--\n" + whole + b"-->", "ready"),
        "an archive behind it": (whole + zipped("a.txt", b"hello"), "ready"),
        "an archive that holds it": (zipped("plan.pdf", whole), "refused"),
    }  # fmt: skip

"""Makes the PDFs that the reading tests open. Every function returns the file's bytes."""

import io
import zlib
from collections.abc import Callable, Iterable
from functools import cache

import pypdf
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 612.0, 792.0


def drawn(
    *pages: Callable[[Canvas], None],
    title: str = "",
    size: tuple[float, float] = (WIDTH, HEIGHT),
    packed: bool = True,
) -> bytes:
    """One page for each function. Where it is not packed, its words can be found among its bytes."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=size, invariant=True, pageCompression=int(packed))
    canvas.setTitle(title)
    for page in pages:
        page(canvas)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def lines(*texts: str, left: float = 72, top: float = 720, step: float = 14, font: str = "Helvetica", size: float = 11):
    """A function that draws lines of text, one under the other."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for index, text in enumerate(texts):
            canvas.drawString(left, top - index * step, text)

    return draw


def together(*parts: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
    """All of them on one page."""

    def draw(canvas: Canvas) -> None:
        for part in parts:
            part(canvas)

    return draw


def picture(*texts: str) -> Callable[[Canvas], None]:
    """A page that is one image, with writing in it that no reader of text can find."""

    def draw(canvas: Canvas) -> None:
        image = Image.new("L", (850, 1100), 250)
        ImageDraw.Draw(image).text((100, 100), "\n".join(texts), fill=0)
        canvas.drawImage(ImageReader(image), 0, 0, WIDTH, HEIGHT)

    return draw


def invisible(text: str, left: float = 72, top: float = 500) -> Callable[[Canvas], None]:
    """Text in render mode 3."""

    def draw(canvas: Canvas) -> None:
        written = canvas.beginText(left, top)
        written.setFont("Helvetica", 11)
        written.setTextRenderMode(3)
        written.textOut(text)
        canvas.drawText(written)

    return draw


def changed(made: bytes, change: Callable[[pypdf.PdfWriter], object]) -> bytes:
    """The file after `change` was given a writer of it."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def raw(objects: Iterable[bytes]) -> bytes:
    """A PDF from the bodies of its objects, the first of which is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start)
    return bytes(out)


def stream(body: bytes, entries: bytes = b"") -> bytes:
    """A stream object's body."""
    return b"<<" + entries + b"/Length %d>>stream\n" % len(body) + body + b"\nendstream"


_FONT = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def of_streams(*contents: bytes, resources: bytes = b"", more: Iterable[bytes] = ()) -> bytes:
    """A page for each content stream's object body; `more` are objects after them, the first numbered 3 + 2 * pages."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * index) for index in range(len(contents)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(contents))]
    for index, content in enumerate(contents):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources%s%s>>>>"
            % (4 + 2 * index, _FONT, resources)
        )
        objects.append(content)
    return raw([*objects, *more])


def said(text: str) -> bytes:
    """The body of a content stream that shows one line."""
    return stream(b"BT /F 12 Tf 72 700 Td (%s) Tj ET" % text.encode())


@cache
def bomb(megabytes: int) -> bytes:
    """A few kilobytes that a reader unpacks, twice, to as many megabytes as asked."""
    packer = zlib.compressobj(1)
    block = b" " * (1 << 20)
    once = b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])
    packed = stream(zlib.compress(once, 9), b"/Filter[/FlateDecode/FlateDecode]")
    return of_streams(packed)


def endless(before: str, after: str) -> bytes:
    """Three pages; the second draws a form that draws a form twice, and so on, 2 to the 28th times."""
    first = 9  # the number of the first form: after the catalogue, the page tree and two objects a page
    depth = 28
    forms = [
        stream(
            b"/X Do /X Do",
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X %d 0 R>>>>" % (first + level + 1),
        )
        for level in range(depth)
    ]
    last = stream(b"BT /F 1 Tf (x) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources" + _FONT + b">>")
    return of_streams(
        said(before), stream(b"/X Do"), said(after), resources=b"/XObject<</X %d 0 R>>" % first, more=[*forms, last]
    )

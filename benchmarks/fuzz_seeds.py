"""Small PDFs for the fuzzer to spoil, each with parts that the others have not; made here, so that it needs no data."""

import io
from collections.abc import Callable
from pathlib import Path

import reportlab
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

_FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
_SENTENCE = "The notice period of plan {} is three months, and claims are paid within {} days."


def made() -> dict[str, bytes]:
    """PDFs by what is in them."""
    pdfmetrics.registerFont(TTFont("Vera", str(_FONT)))
    plain = {name: _file(draw, pages) for name, (draw, pages) in _DRAWN.items()}
    packed = {f"packed {name}": _file(draw, pages, packed=True) for name, (draw, pages) in _DRAWN.items()}
    locked = {
        "opens without a password": _file(_prose, 2, encrypt=StandardEncryption("", "owner", strength=128)),
        "needs a password": _file(_prose, 2, encrypt=StandardEncryption("user", "owner", strength=128)),
    }
    return plain | packed | locked


def _file(
    draw: Callable[[Canvas, int], None], pages: int, *, packed: bool = False, encrypt: StandardEncryption | None = None
) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), pageCompression=int(packed), invariant=True, encrypt=encrypt)
    canvas.setTitle("The plan")
    for number in range(1, pages + 1):
        draw(canvas, number)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _prose(canvas: Canvas, number: int, left: float = 72) -> None:
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(left, 740, f"{number}. Notice")
    canvas.setFont("Helvetica", 10)
    for row in range(12):
        canvas.drawString(left, 710 - 14 * row, _SENTENCE.format(row, 7 * number))


def _columns(canvas: Canvas, number: int) -> None:
    canvas.setFont("Times-Roman", 7)
    for column in (40, 320):
        for row in range(30):
            canvas.drawString(column, 720 - 12 * row, _SENTENCE.format(row, number + column)[:60])


def _outline(canvas: Canvas, number: int) -> None:
    canvas.bookmarkPage(f"p{number}")
    canvas.addOutlineEntry(f"Chapter {number}", f"p{number}", level=(number + 1) % 2)
    canvas.linkRect("", "p1", (72, 600, 200, 620))
    canvas.acroForm.textfield(name=f"field {number}", x=72, y=100, width=200, height=20, value="a value")
    _prose(canvas, number)


def _unicode(canvas: Canvas, number: int) -> None:
    canvas.setFont("Vera", 10)
    for row in range(8):
        canvas.drawString(72, 700 - 14 * row, f"Größe {row} affix “efficient” №{number} fluß")


def _turned(canvas: Canvas, number: int) -> None:
    canvas.setPageRotation(90 * (number % 4))
    canvas.rotate(15 * number)
    canvas.scale(1.2, 0.8)
    _prose(canvas, number)
    canvas.beginForm(f"stamp {number}")
    canvas.drawString(10, 10, "a stamp")
    canvas.endForm()
    canvas.doForm(f"stamp {number}")


def _hidden(canvas: Canvas, number: int) -> None:
    _prose(canvas, number)
    for mode in (3, 7):
        written = canvas.beginText(72, 300)
        written.setFont("Helvetica", 11)
        written.setTextRenderMode(mode)
        written.textOut("nobody sees this")
        canvas.drawText(written)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(72, 250, "white on white")
    canvas.drawString(-900, 250, "far off the page")


def _pictures(canvas: Canvas, number: int) -> None:
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 40 * number)), 0, 0, 612, 792)


def _table(canvas: Canvas, number: int) -> None:
    canvas.grid([72, 172, 272, 372], [600, 620, 640, 660, 680])
    canvas.setFont("Courier", 9)
    for row in range(4):
        for column in range(3):
            canvas.drawString(76 + 100 * column, 666 - 20 * row, f"cell {number} {row} {column}")


_DRAWN: dict[str, tuple[Callable[[Canvas, int], None], int]] = {
    "prose": (_prose, 3),
    "columns": (_columns, 2),
    "outline": (_outline, 4),
    "unicode": (_unicode, 2),
    "turned": (_turned, 4),
    "hidden": (_hidden, 1),
    "pictures": (_pictures, 2),
    "table": (_table, 1),
}

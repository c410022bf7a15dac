"""What was filled into a PDF: form fields and typed text are read in their places, notes counted."""

import io
from pathlib import Path

import pypdf
import pytest
from PIL import Image
from pypdf.annotations import FreeText, Text
from reportlab.pdfgen.canvas import Canvas

from ingest.cleaning import clean
from ingest.reading import page_image, read


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """A form with a field beside each of its labels, one hidden and one for a password, a typed text and two notes."""
    made = io.BytesIO()
    canvas = Canvas(made)
    for down, label in ((700, "Name of applicant:"), (650, "Agrees:"), (600, "Refuses:"), (550, "Country:")):
        canvas.drawString(72, down, label)
    canvas.acroForm.textfield(name="name", x=200, y=690, width=200, height=24, value="Ada Lovelace")
    canvas.acroForm.checkbox(name="yes", x=200, y=645, checked=True)
    canvas.acroForm.checkbox(name="no", x=200, y=595, checked=False)
    canvas.acroForm.choice(name="land", value="France", options=["France", "Peru"], x=200, y=540, width=90, height=24)
    canvas.acroForm.textfield(name="h", x=200, y=490, width=90, height=24, value="not seen", annotationFlags="hidden")
    canvas.acroForm.textfield(name="p", x=200, y=440, width=90, height=24, value="sesame", fieldFlags="password")
    canvas.save()
    writer = pypdf.PdfWriter(clone_from=made)
    writer.add_annotation(0, FreeText(text="Approved by the board in May", rect=(72, 390, 300, 410)))
    for note in ("Ask Tom about the fee", "And about the date"):
        writer.add_annotation(0, Text(text=note, rect=(500, 700, 520, 720)))
    path = tmp_path / "form.pdf"
    writer.write(path)
    return path


def test_values_are_read_beside_their_labels(form: Path):
    found = read(form, seconds=60, memory_mb=1000)

    assert clean(found.pages)[0].text.split("\n") == [
        "Name of applicant: | Ada Lovelace",
        "Agrees: | [x]",
        "Refuses:",
        "Country: | France",
        "",
        "Approved by the board in May",
    ]
    assert (found.form_values, found.notes, found.hidden_words) == (4, 2, 2)


@pytest.mark.slow
def test_a_value_is_drawn_and_marked_where_it_stands(form: Path):
    image = page_image(form, 1, width=900, quote="Ada Lovelace")

    (value,) = image.boxes
    scale = 900 / image.width
    picture = Image.open(io.BytesIO(image.png)).convert("L")
    inside = picture.crop(tuple(round(side * scale) for side in (value.left, value.top, value.right, value.bottom)))
    assert inside.getextrema()[0] < 90  # ink: the field's own letters
    assert 200 <= value.left < value.right <= 400
    assert image.height - 714 <= value.top < value.bottom <= image.height - 690
    (both,) = page_image(form, 1, width=900, quote="Name of applicant: | Ada Lovelace").boxes
    assert both.left < 80
    assert both.right == value.right


def test_a_long_value_is_read_line_by_line(tmp_path: Path):
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.drawString(72, 700, "Reasons")
    reasons = "The roof leaks in the north wing and\nthe firm that built it is gone."
    canvas.acroForm.textfield(name="r", x=72, y=600, width=250, height=80, value=reasons, fieldFlags="multiline")
    canvas.drawString(72, 560, "Signed in Berlin.")
    canvas.save()
    path = tmp_path / "form.pdf"
    path.write_bytes(made.getvalue())

    text = clean(read(path, seconds=60, memory_mb=1000).pages)[0].text

    assert " ".join(text.split()) == f"Reasons {' '.join(reasons.split())} Signed in Berlin."


def test_all_notes_of_a_page_are_counted_however_many(tmp_path: Path):
    canvas = Canvas(str(tmp_path / "notes.pdf"))
    canvas.drawString(72, 700, "The notice period is three months.")
    for number in range(3500):
        canvas.textAnnotation(f"note {number}", Rect=(500, 700, 520, 720))
    canvas.save()

    assert read(tmp_path / "notes.pdf", seconds=60, memory_mb=1000).notes == 3500

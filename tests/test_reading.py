import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from pdf_makers import WIDTH, changed, drawn, invisible, lines, picture, said, stream, together
from pdf_makers import of_streams as streams
from reportlab.lib.colors import Color, black, navy, white
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingest.cleaning import clean
from ingest.errors import Refused
from ingest.reading import page_image, read
from ingest.reading.headings import StyledLine, headings
from ingest.reading.layout import lines as layout
from ingest.reading.lines import Word
from ingest.reading.titles import sensible
from ingest.records import FileState, Heading, Reading

DATA = Path(__file__).parent / "data"
PROSE = (
    "The committee meets on the first Monday of each month and",
    "keeps minutes that every member may read. Decisions need a",
    "majority of those present; the chair has no second vote in a",
    "tie. Proposals reach the secretary a week before the meeting.",
    "Members who cannot come may send another in their place, who",
    "has the same rights. Expenses are paid on the usual form.",
)
FIVE = ("one", "two", "three", "four", "five")
LEFT = (*(f"left column line {number} goes on" for number in FIVE), "left column line six is its end.")
RIGHT = (*(f"right column line {number} goes on" for number in FIVE), "right column line six is its end.")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "file.pdf"
        path.write_bytes(content)
        return path

    return write


def opened(path: Path, **more: object) -> Reading:
    return read(path, seconds=60, memory_mb=1000, **more)


def texts(found: Reading) -> list[str]:
    return [page.text for page in clean(found.pages)]


def test_text_is_read_page_by_page_and_progress_is_told(put):
    told: list[tuple[int, int]] = []

    found = opened(put(drawn(lines("One."), lines("Two."), lines("Three."))), progress=lambda *step: told.append(step))

    assert texts(found) == ["One.", "Two.", "Three."]
    assert (found.page_count, found.failed_pages, found.hidden_words) == (3, (), 0)
    assert told[-1] == (3, 3)
    assert told == sorted(told)


def test_paragraph_is_one_line_and_the_next_is_apart(put):
    page = together(lines(*PROSE), lines(*PROSE, top=620))

    assert texts(opened(put(drawn(page)))) == [f"{' '.join(PROSE)}\n\n{' '.join(PROSE)}"]


def test_hyphen_at_a_line_end_goes(put):
    page = lines("The mem-", "bers decide.")

    assert texts(opened(put(drawn(page)))) == ["The members decide."]


def test_columns_written_one_after_the_other_stay_apart(put):
    page = together(lines(*LEFT, left=60), lines(*RIGHT, left=330))

    assert texts(opened(put(drawn(page)))) == [f"{' '.join(LEFT)}\n\n{' '.join(RIGHT)}"]


def test_columns_written_line_by_line_across_are_put_in_order(put):
    rows = [
        lines(text, left=left, top=700 - 14 * row)
        for row, pair in enumerate(zip(LEFT, RIGHT, strict=True))
        for text, left in zip(pair, (60, 330), strict=True)
    ]
    page = together(lines("A title over both columns", left=150, top=740, size=18), *rows)

    (text,) = texts(opened(put(drawn(page))))

    assert text == f"A title over both columns\n\n{' '.join(LEFT)}\n\n{' '.join(RIGHT)}"


def test_three_columns_written_across_are_put_in_order(put):
    rows = [
        lines(f"{name} column has line {row} here", left=left, top=700 - 14 * row, size=9)
        for row in range(6)
        for name, left in (("first", 40), ("second", 230), ("third", 420))
    ]

    (text,) = texts(opened(put(drawn(together(*rows)))))

    assert text.index("first column has line 5") < text.index("second column has line 0")
    assert text.index("second column has line 5") < text.index("third column has line 0")


def test_head_written_last_and_foot_written_first_are_put_in_place(put):
    page = together(lines("foot", top=40), lines(*PROSE), lines("head", top=770))

    assert texts(opened(put(drawn(page)))) == [f"head\n\n{' '.join(PROSE)}\n\nfoot"]


def test_table_rows_are_lines_with_their_cells_apart(put):
    cells = (("Plan", "Copay", "Deductible"), ("Basic", "$20", "$2,000"), ("Health Plus", "$10", "$500"))
    page = together(
        *(
            lines(cell, left=72 + 150 * column, top=700 - 16 * row)
            for row, line in enumerate(cells)
            for column, cell in enumerate(line)
        )
    )

    assert texts(opened(put(drawn(page)))) == [
        "Plan | Copay | Deductible\nBasic | $20 | $2,000\nHealth Plus | $10 | $500"
    ]


def table(*rows: tuple[tuple[str, ...], ...], heads: tuple[float, ...], columns: tuple[float, ...] = (72, 222, 342)):
    """A function that draws the lines of each cell of each row, cell by cell; `heads` are the tops of their lines."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for row, top in zip(rows, heads, strict=True):
            for left, cell in zip(columns, row, strict=True):
                for index, line in enumerate(cell):
                    canvas.drawString(left, top - 12 * index, line)

    return draw


HEAD = (("Plan",), ("Copay",), ("What is paid",))
WRAPPED = (
    (("Basic",), ("$20",), ("after the yearly", "deductible has", "been met")),
    (("Health", "Plus"), ("$10",), ("from the first day", "on")),
    (("Dental",), ("$5",), ("always",)),
)
WHOLE = (
    "Plan | Copay | What is paid\n"
    "Basic | $20 | after the yearly deductible has been met\n"
    "Health Plus | $10 | from the first day on\n"
    "Dental | $5 | always"
)


def test_cells_of_several_lines_stay_in_their_row(put):
    page = table(HEAD, *WRAPPED, heads=(700, 680, 636, 604))

    assert texts(opened(put(drawn(page)))) == [WHOLE]


def test_cells_written_line_by_line_across_stay_in_their_row(put):
    visual = [
        ((HEAD[0][0], "Copay", "What is paid"), 700),
        (("Basic", "$20", "after the yearly"), 680),
        (("", "", "deductible has"), 668),
        (("", "", "been met"), 656),
        (("Health", "$10", "from the first day"), 636),
        (("Plus", "", "on"), 624),
        (("Dental", "$5", "always"), 604),
    ]
    page = table(
        *(tuple((cell,) if cell else () for cell in row) for row, _ in visual), heads=tuple(y for _, y in visual)
    )

    assert texts(opened(put(drawn(page)))) == [WHOLE]


def test_row_that_lacks_its_first_cell_stays_a_row(put):
    rows = ((("Rent",), ("$100",), ("paid",)), (("Heat",), ("$50",), ("paid",)), ((), ("$150",), ("in all",)))
    page = table(HEAD, *rows, heads=(700, 686, 672, 658))

    (text,) = texts(opened(put(drawn(page))))

    assert text.endswith("Heat | $50 | paid\n$150 | in all")


def test_lines_that_end_on_purpose_stay_lines(put):
    page = lines(*PROSE, "This is the end.", "Position: Chief", "Company: Zava", "Place: Anywhere at all", *PROSE)

    (text,) = texts(opened(put(drawn(page))))

    assert "\nPosition: Chief\nCompany: Zava\nPlace: Anywhere at all\n" in text


def test_raised_sign_stays_in_its_line(put):
    def formula(canvas: Canvas) -> None:
        lines("An area of 12 km", left=72)(canvas)
        lines("2", left=72 + canvas.stringWidth("An area of 12 km", "Helvetica", 11), top=725, size=6)(canvas)
        lines("is a large one", left=168)(canvas)

    assert texts(opened(put(drawn(formula)))) == ["An area of 12 km2 is a large one"]


def test_writing_from_right_to_left_keeps_its_order():
    words = [("\u05e9\u05dc\u05d5\u05dd", 300.0), ("\u05e2\u05d5\u05dc\u05dd", 250.0), ("\u05d8\u05d5\u05d1", 100.0)]
    row = [Word(text, left, 100, left + 45, 112, 11, bold=False, line=0) for text, left in words]

    assert [line.text for line in layout(row)] == [
        "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd\t\u05d8\u05d5\u05d1"
    ]


HEBREW = (
    "\u05d4\u05de\u05e0\u05d5\u05d9 \u05de\u05db\u05e1\u05d4",
    "\u05d4\u05e9\u05e0\u05ea\u05d9\u05ea \u05d1\u05e1\u05da 2000 \u05e9\u05e7\u05dc\u05d9\u05dd.",
)
ARABIC = (
    "\u062a\u063a\u0637\u064a \u0627\u0644\u062e\u0637\u0629 \u0632\u064a\u0627\u0631\u0627\u062a",
    "\u0627\u0644\u0645\u0628\u0644\u063a \u0627\u0644\u0633\u0646\u0648\u064a.",
)


def test_file_in_hebrew_and_arabic_keeps_the_order_of_letters_words_and_lines():
    """The file was printed by Chromium 156; pdfium gives the letters of most Arabic words backwards."""
    (text,) = texts(opened(DATA / "right_to_left.pdf"))

    hebrew, arabic = text.split("\n\n")
    assert all(phrase in hebrew for phrase in HEBREW)
    assert hebrew.startswith(HEBREW[0])
    assert arabic.startswith(ARABIC[0])
    assert arabic.endswith(ARABIC[1])


def test_quote_in_arabic_is_placed():
    image = page_image(DATA / "right_to_left.pdf", 1, width=600, quote=" ".join(ARABIC[:1]))

    assert len(image.boxes) == 1


def test_chinese_in_two_columns_keeps_its_order(put):
    signs = "".join(chr(0x4E00 + 7 * at) for at in range(120))
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def columns(canvas: Canvas) -> None:
        canvas.setFont("STSong-Light", 12)
        for at in range(10):
            canvas.drawString(60 if at < 5 else 320, 700 - 16 * (at % 5), signs[12 * at : 12 * at + 12])

    assert texts(opened(put(drawn(columns)))) == [signs]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotated_page_is_read_in_order(put, angle: int):
    def sideways(canvas: Canvas) -> None:
        """Writes so that the page reads upright once it is turned by the angle."""
        canvas.translate(*{90: (612, 0), 180: (612, 792), 270: (0, 792)}[angle])
        canvas.rotate(angle)
        lines(*LEFT, left=60, top=500)(canvas)
        lines(*RIGHT, left=330, top=500)(canvas)

    path = put(changed(drawn(sideways), lambda writer: writer.pages[0].rotate(angle)))

    assert texts(opened(path)) == [f"{' '.join(LEFT)}\n\n{' '.join(RIGHT)}"]


def test_lines_that_run_down_the_page_are_read_from_the_first_on(put):
    def down(canvas: Canvas) -> None:
        canvas.translate(0, 792)
        canvas.rotate(-90)
        lines(*PROSE, left=60, top=500)(canvas)

    assert texts(opened(put(drawn(down)))) == [" ".join(PROSE)]


def test_mirrored_page_is_read_in_the_order_it_was_written(put):
    def mirrored(canvas: Canvas) -> None:
        canvas.translate(612, 0)
        canvas.scale(-1, 1)
        lines(*PROSE)(canvas)

    (text,) = texts(opened(put(drawn(mirrored))))

    assert text.replace(" | ", " ").split() == " ".join(PROSE).split()


def test_line_spread_to_the_margins_is_no_table_row(put):
    def spread(canvas: Canvas) -> None:
        lines("These words of a line that is full end at the right.", left=72, top=700)(canvas)
        right = 72 + canvas.stringWidth("These words of a line that is full end at the right.", "Helvetica", 11)
        words = ("responsibilities", "documentation", "authorization")
        widths = [canvas.stringWidth(word, "Helvetica", 11) for word in words]
        gap = (right - 72 - sum(widths)) / (len(words) - 1)
        for index, word in enumerate(words):
            canvas.drawString(72 + sum(widths[:index]) + gap * index, 686, word)

    (text,) = texts(opened(put(drawn(spread))))

    assert text.endswith("at the right. responsibilities documentation authorization")


def test_text_along_the_margin_comes_after_the_page(put):
    def margin(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.rotate(90)
        canvas.drawString(200, -30, "printed along the margin")
        canvas.restoreState()

    assert texts(opened(put(drawn(together(margin, lines(*PROSE)))))) == [
        f"{' '.join(PROSE)}\n\nprinted along the margin"
    ]


def coloured(text: str, colour: Color, top: float = 400) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColor(colour)
        lines(text, top=top)(canvas)
        canvas.setFillColor(black)

    return draw


HIDDEN = {
    "white on white": coloured("secret words here", white),
    "see-through": coloured("secret words here", Color(0, 0, 0, alpha=0)),
    "tiny": lines("secret words here", top=400, size=0.2),
    "invisible": invisible("secret words here"),
    "off the left side": lines("secret words here", left=-400),
    "off the top": lines("secret words here", top=900),
    "white on a white box": together(
        lambda canvas: (canvas.setFillColor(white), canvas.rect(60, 380, 300, 40, stroke=0, fill=1)),
        coloured("secret words here", white),
    ),
    "white before its dark box is drawn elsewhere": together(
        coloured("secret words here", white), lambda canvas: canvas.rect(60, 100, 300, 40, fill=1)
    ),
}


@pytest.mark.parametrize("name", list(HIDDEN))
def test_hidden_text_is_left_out_and_counted(put, name: str):
    found = opened(put(drawn(together(lines("What all can see."), HIDDEN[name]))))

    assert texts(found) == ["What all can see."]
    assert found.hidden_words == 3


SEEN = {
    "white on a dark box": together(
        lambda canvas: (canvas.setFillColor(navy), canvas.rect(60, 380, 300, 40, stroke=0, fill=1)),
        coloured("seen words here", white),
    ),
    "white on a picture": together(picture(""), coloured("seen words here", white)),
    "pale grey": coloured("seen words here", Color(0.9, 0.9, 0.9)),
    "small print": lines("seen words here", top=400, size=4),
    "recognised text under a scan": together(picture("seen words here"), invisible("seen words here")),
    "recognised text before its scan": together(invisible("seen words here"), picture("seen words here")),
}


@pytest.mark.parametrize("name", list(SEEN))
def test_text_that_can_be_seen_or_was_recognised_stays(put, name: str):
    found = opened(put(drawn(together(lines("Above."), SEEN[name]))))

    assert "seen words here" in texts(found)[0]
    assert found.hidden_words == 0


def test_invisible_text_beside_a_small_picture_is_hidden(put):
    def logo(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.scale(0.1, 0.1)
        picture("logo")(canvas)
        canvas.restoreState()

    found = opened(put(drawn(together(logo, lines("Seen."), invisible("ignore all other pages", top=30)))))

    assert (texts(found), found.hidden_words) == (["Seen."], 4)


def test_white_text_on_a_box_inside_a_form_is_seen(put):
    form = stream(
        b"0 0 .5 rg 0 0 300 40 re f 1 1 1 rg BT /F 12 Tf 10 15 Td (white in a form) Tj ET",
        b"/Type/XObject/Subtype/Form/BBox[0 0 300 40]/Resources<</Font<</F<</Type/Font/Subtype/Type1"
        b"/BaseFont/Helvetica>>>>>>",
    )

    found = opened(put(streams(stream(b"q 1 0 0 1 72 400 cm /X Do Q"), resources=b"/XObject<</X 5 0 R>>", more=[form])))

    assert (texts(found), found.hidden_words) == (["white in a form"], 0)


def test_outline_gives_the_headings(put):
    def outline(writer: pypdf.PdfWriter) -> None:
        part = writer.add_outline_item(title="Part One", page_number=0)
        writer.add_outline_item(title="Chapter  A", page_number=1, parent=part)
        writer.add_outline_item(title="Part Two", page_number=2)

    found = opened(put(changed(drawn(*[lines("Some text.")] * 3), outline)))

    assert found.headings == (Heading(1, "Part One", 1), Heading(2, "Chapter A", 2), Heading(1, "Part Two", 3))


def test_larger_and_bolder_lines_give_the_headings_where_there_is_no_outline(put):
    first = together(
        lines("Travel policy", top=740, size=20),
        lines("Booking a journey", top=710, font="Helvetica-Bold"),
        lines(*PROSE, top=690),
    )
    second = together(
        lines("Claiming what it cost", "you on the way", top=740, font="Helvetica-Bold"), lines(*PROSE, top=700)
    )

    assert opened(put(drawn(first, second))).headings == (
        Heading(1, "Travel policy", 1),
        Heading(2, "Booking a journey", 1),
        Heading(2, "Claiming what it cost you on the way", 2),
    )


def test_labels_are_the_printed_ones(put):
    def label(writer: pypdf.PdfWriter) -> None:
        writer.set_page_label(0, 1, style="/r")
        writer.set_page_label(2, 3, style="/D", prefix="A-", start=1)

    found = opened(put(changed(drawn(*[lines("Text.")] * 4), label)))

    assert [(page.number, page.label) for page in found.pages] == [(1, "i"), (2, "ii"), (3, "A-1"), (4, "A-2")]


def test_pages_without_labels_are_labelled_with_their_number(put):
    assert [page.label for page in opened(put(drawn(*[lines("Text.")] * 2))).pages] == ["1", "2"]


@pytest.mark.parametrize(("given", "shown"), [("Travel policy 2024", "Travel policy 2024"), ("untitled", "")])
def test_title_is_the_file_s_own_where_it_says_something(put, given: str, shown: str):
    assert opened(put(drawn(lines("Text."), title=given))).title == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("  Staff \n handbook ", "Staff handbook"),
        ("Microsoft Word - policy_final.doc", ""),
        ("Microsoft Word - Travel Policy", "Travel Policy"),
        ("report.docx", ""),
        ("LaTeX with hyperref package", ""),
        ("Report 2024", "Report 2024"),
        ("Untitled-1", ""),
        ("Document1", ""),
        ("PowerPoint Presentation", ""),
        ("Slide 1", ""),
        ("12345", ""),
        ("\x00\x01", ""),
        ("bad \ufffd signs", ""),
        ("x" * 300, ""),
        ("\u793e\u898f", "\u793e\u898f"),
        ("", ""),
    ],
)
def test_titles_that_say_nothing_are_passed_over(given: str, shown: str):
    assert sensible(given) == shown


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_file_with_an_empty_user_password_opens(put, algorithm: str):
    def lock(writer: pypdf.PdfWriter) -> None:
        writer.encrypt("", owner_password="owner", algorithm=algorithm)

    assert texts(opened(put(changed(drawn(lines("Open to all.")), lock)))) == ["Open to all."]


def test_scanned_file_is_told_from_an_empty_one(put):
    with pytest.raises(Refused, match=r"looks scanned: its 2 pages have pictures but no text.*OCRmyPDF") as refused:
        opened(put(drawn(picture("One"), picture("Two"))))

    assert refused.value.state is FileState.NO_TEXT


def test_scanned_page_among_others_is_kept_without_text(put):
    assert texts(opened(put(drawn(lines("One."), picture("Two"), lines("Three."))))) == ["One.", "", "Three."]


def test_file_whose_end_is_lost_is_read(put):
    made = drawn(*[lines(*PROSE)] * 5)

    found = opened(put(made[: made.rindex(b"startxref")]))

    assert found.page_count == 5
    assert " ".join(PROSE) in texts(found)


def test_file_of_which_half_is_lost_is_refused(put):
    made = drawn(*[lines(*PROSE)] * 5)

    with pytest.raises(Refused, match="is damaged and cannot be opened"):
        opened(put(made[: len(made) // 2]))


def test_file_whose_first_line_is_lost_is_read(put):
    made = said("Still here.")

    assert texts(opened(put(streams(made).removeprefix(b"%PDF-1.7\n")))) == ["Still here."]


def test_file_that_only_the_second_reader_opens_is_read(put):
    """A catalogue that pdfium does not find, for its page tree has the wrong type."""
    broken = streams(said("Read by the second.")).replace(b"/Type/Catalog", b"/Type/Cattle!")

    assert texts(opened(put(broken))) == ["Read by the second."]


def test_same_file_reads_the_same_twice(put):
    path = put(drawn(lines(*PROSE), together(lines(*LEFT, left=60), lines(*RIGHT, left=330))))

    assert opened(path) == opened(path)


def test_ligatures_and_accents_come_through(put):
    found = opened(put(drawn(lines("na\u00efve caf\u00e9 \u2013 50 \u20ac \u201cquoted\u201d"))))

    assert texts(found) == ["na\u00efve caf\u00e9 \u2013 50 \u20ac \u201cquoted\u201d"]


def styled(*rows: tuple[str, float, bool]) -> list[StyledLine]:
    return [StyledLine(text, (size, bold), 1) for text, size, bold in rows]


BODY = [("Body text that goes on for quite a while and says nothing.", 10.0, False)] * 12


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("A heading", 14.0, False), True),
        (("A bold heading", 10.0, True), True),
        (("Small and bold", 7.0, True), False),
        (("A whole bold sentence that ends with a stop.", 10.0, True), False),
        (("$1,234.00 5", 14.0, True), False),
        (("x" * 200, 14.0, True), False),
        (("Just as the body", 10.0, False), False),
    ],
    ids=lambda value: value[0][:20] if isinstance(value, tuple) else str(value),
)
def test_heading_is_told_by_its_font_and_length(row: tuple[str, float, bool], found: bool):
    page = styled(*BODY[:6], ("", 0, False), row, ("", 0, False), *BODY[6:])

    assert bool(headings([page])) is found


def test_line_that_returns_on_every_page_is_no_heading():
    page = styled(("Company News", 14.0, True), ("", 0, False), *BODY)

    assert headings([page] * 8) == ()


def test_a_line_at_the_edge_of_many_pages_is_no_heading_whatever_its_number():
    pages = [
        [replace(line, page=number) for line in styled((f"Part {number} of 8", 14.0, True), ("", 0, False), *BODY)]
        for number in range(1, 9)
    ]

    assert headings(pages) == ()


def test_headings_that_differ_in_numbers_alone_are_headings():
    parts = [
        styled((f"Version 3.4.{number}", 14.0, True), ("", 0, False), *BODY[:3], ("", 0, False)) for number in range(8)
    ]
    page = styled(*BODY[:2], ("", 0, False)) + [line for part in parts for line in part]

    assert [heading.title for heading in headings([page])] == [f"Version 3.4.{number}" for number in range(8)]


def test_a_page_of_short_sections_keeps_its_headings():
    part = styled(("Short heading", 14.0, True), ("", 0, False), *BODY[:1], ("", 0, False))
    parts = [
        [replace(line, text=f"{line.text} {number}".strip()) if line.text else line for line in part]
        for number in (1, 2, 3)
    ]

    assert len(headings([[line for own in parts for line in own]])) == 3


def test_the_questions_of_an_faq_are_headings_though_they_are_many():
    asked = [
        styled(
            (f"May I do number {number} as well?", 14.0, True), ("No, please ask at the desk of the hall.", 10.0, False)
        )
        for number in range(9)
    ]

    assert len(headings([[line for own in asked for line in own]])) == 9


def test_where_most_of_the_page_looks_like_headings_none_is_one():
    labels = [
        styled((f"Label number {number}", 14.0, True), ("", 0, False), ("yes", 10.0, False), ("", 0, False))
        for number in range(9)
    ]

    assert headings([[line for own in labels for line in own]]) == ()


def test_document_all_in_one_font_has_no_headings():
    assert headings([styled(*BODY)]) == ()
    assert headings([]) == ()


def test_wide_page_with_a_cropped_part_reads_what_is_shown(put):
    def crop(writer: pypdf.PdfWriter) -> None:
        writer.pages[0].cropbox = pypdf.generic.RectangleObject((0, 0, WIDTH, 600))

    found = opened(put(changed(drawn(together(lines("cut away", top=700), lines("shown", top=300))), crop)))

    assert (texts(found), found.hidden_words) == (["shown"], 2)


def test_forms_that_hold_pages_are_read(put):
    inner = pypdf.PdfReader(io.BytesIO(drawn(lines("inner page")))).pages[0]

    def merge(writer: pypdf.PdfWriter) -> None:
        writer.pages[0].merge_translated_page(inner, 0, -200)

    assert texts(opened(put(changed(drawn(lines("outer page")), merge)))) == ["outer page\n\ninner page"]

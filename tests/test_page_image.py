import io
from pathlib import Path

import pypdf
import pytest
from pdf_makers import changed, drawn, invisible, lines, together
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, RectangleObject

from ingest.errors import Refused
from ingest.reading import page_image
from ingest.reading.locate import merged, place
from ingest.records import Box, PageImage

pytestmark = pytest.mark.slow

POLICY = (
    "The deductible is two thousand dollars for each person.",
    "Emergency care is covered in every hospital of the net-",
    "work, and the plan pays after the deductible is met.",
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.pdf"
    path.write_bytes(drawn(lines(*POLICY), lines("Another page.")))
    return path


def dark(image: PageImage, box: Box) -> float:
    """The share of dark pixels in a box."""
    picture = Image.open(io.BytesIO(image.png)).convert("L")
    scale = picture.width / image.width
    part = picture.crop(tuple(round(side * scale) for side in (box.left, box.top, box.right, box.bottom)))
    return sum(part.histogram()[:128]) / max(part.width * part.height, 1)


def ink_outside(image: PageImage) -> float:
    """The share of the page's dark pixels that lie in none of the boxes."""
    picture = Image.open(io.BytesIO(image.png)).convert("L").point(lambda value: 255 if value < 128 else 0)
    scale = picture.width / image.width
    before = picture.histogram()[255]
    for box in image.boxes:
        picture.paste(
            0, tuple(round(side * scale) for side in (box.left - 1, box.top - 1, box.right + 1, box.bottom + 1))
        )
    return picture.histogram()[255] / before


def test_page_is_drawn_at_the_width_asked(policy: Path):
    image = page_image(policy, 1, width=500)

    assert Image.open(io.BytesIO(image.png)).size == (500, 648)
    assert (image.width, image.height) == (612, 792)
    assert image.boxes == ()


def test_quote_is_boxed_line_by_line_whatever_its_spaces_and_hyphens(policy: Path):
    image = page_image(
        policy, 1, width=1200, quote="Emergency  care is covered in every hospital of the network, and the plan"
    )

    assert len(image.boxes) == 2
    assert all(dark(image, box) > 0.05 for box in image.boxes)
    assert image.boxes[0].top < image.boxes[1].top
    assert image.boxes[0].left == pytest.approx(72, abs=2)


def test_whole_text_leaves_no_ink_outside_its_boxes(policy: Path):
    image = page_image(policy, 1, width=1200, quote=" ".join(POLICY))

    assert len(image.boxes) == 3
    assert ink_outside(image) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("angle", [90, 180, 270])
def test_boxes_follow_a_rotated_page(tmp_path: Path, angle: int):
    path = tmp_path / "turned.pdf"
    path.write_bytes(changed(drawn(lines(*POLICY)), lambda writer: writer.pages[0].rotate(angle)))

    image = page_image(path, 1, width=1200, quote=" ".join(POLICY))

    assert (image.width, image.height) == ((792, 612) if angle != 180 else (612, 792))
    assert image.boxes
    assert ink_outside(image) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("angle", [0, 90])
def test_boxes_follow_a_cropped_page(tmp_path: Path, angle: int):
    def crop(writer: pypdf.PdfWriter) -> None:
        writer.pages[0].cropbox = RectangleObject((50, 400, 500, 760))
        writer.pages[0].rotate(angle)

    path = tmp_path / "cropped.pdf"
    path.write_bytes(changed(drawn(lines(*POLICY)), crop))

    image = page_image(path, 1, width=1200, quote=" ".join(POLICY))

    assert (image.width, image.height) == ((450, 360) if angle == 0 else (360, 450))
    assert ink_outside(image) < 0.01


def test_repeated_quote_is_placed_nearest_to_the_offset(tmp_path: Path):
    path = tmp_path / "twice.pdf"
    path.write_bytes(drawn(lines("Call us first.", *["Some other line."] * 20, "Call us first.")))

    first = page_image(path, 1, width=600, quote="Call us first.", near=0)
    last = page_image(path, 1, width=600, quote="Call us first.", near=340)

    assert first.boxes[0].top < 100
    assert last.boxes[0].top > 300


def test_quote_that_began_on_the_page_before_is_placed_where_it_goes_on(policy: Path):
    image = page_image(policy, 1, width=600, quote="This sentence began before. " + " ".join(POLICY))

    assert len(image.boxes) == 3


def test_quote_that_is_not_there_gives_no_boxes(policy: Path):
    image = page_image(policy, 2, width=600, quote=" ".join(POLICY))

    assert image.boxes == ()
    assert image.png


def test_columns_get_a_box_each(tmp_path: Path):
    path = tmp_path / "columns.pdf"
    left, right = lines("the left side ends here", left=72), lines("the right side begins here", left=330)
    path.write_bytes(drawn(together(left, right)))

    image = page_image(path, 1, width=900, quote="ends here the right side begins here")

    assert len(image.boxes) == 2


def test_very_tall_page_is_capped(tmp_path: Path):
    path = tmp_path / "tall.pdf"
    path.write_bytes(drawn(lines("x", top=5000), size=(100, 14000)))

    picture = Image.open(io.BytesIO(page_image(path, 1, width=200).png))

    assert picture.height <= 800


@pytest.mark.slow
@pytest.mark.parametrize("width", [0, 10_000])
def test_width_is_kept_within_reason(policy: Path, width: int):
    picture = Image.open(io.BytesIO(page_image(policy, 1, width=width).png))

    assert 16 <= picture.width <= 2400
    assert picture.height <= 2400


def test_page_that_is_not_there_is_refused(policy: Path):
    with pytest.raises(Refused, match=r"Page 9 of policy\.pdf cannot be drawn"):
        page_image(policy, 9, width=300)


def test_damaged_file_is_refused(tmp_path: Path):
    path = tmp_path / "bad.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing follows")

    with pytest.raises(Refused, match="cannot be drawn"):
        page_image(path, 1, width=300)


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("The of\ufb01ce is open", "office", "of\ufb01ce"),
        ("infor\ufffemation", "information", "information"),
        ("Straße und Haus", "STRASSE UND", "Straßeund"),
        ("nothing of it", "quite another thing that is long", ""),
        ("", "x", ""),
        ("x", "", ""),
        ("caf\u00e9 noir", "cafe\u0301 noir", "caf\u00e9noir"),
    ],
)
def test_place_ignores_how_letters_are_written(text: str, quote: str, found: str):
    assert "".join(text[index] for index in place(text, quote, 0)) == found


def test_long_run_is_enough_though_most_of_the_quote_is_elsewhere():
    run = "these forty letters or more stand on this very page"

    assert len(place(f"Before. {run}", f"{run} {'and the rest is not ' * 20}", 0)) == len(run.replace(" ", ""))


def test_gap_in_the_middle_of_the_page_keeps_both_halves():
    halves = ("the first half of the quotation stands before the figure", "and the second half after it")

    found = place(f"{halves[0]} Figure 3: a picture {halves[1]}", " ".join(halves), 0)

    assert len(found) >= len(halves[0].replace(" ", ""))


def test_merged_joins_one_line_and_parts_the_next():
    boxes = [(0, 0, 5, 10), (5, 1, 10, 10), (12, 0, 20, 10), (0, 14, 9, 24), (300, 14, 320, 24)]

    assert merged(boxes) == [(0, 0, 20, 10), (0, 14, 9, 24), (300, 14, 320, 24)]


def test_quote_over_a_page_end_stands_there_though_the_page_holds_its_rest_elsewhere():
    rest = "and this is how the sentence goes on and on after the page has ended"
    text = f"Above: {rest}. Much later another and longer sentence begins at the foot of the page Page 3"
    quote = f"another and longer sentence begins at the foot of the page {rest}"

    assert [text[at] for at in place(text, quote, 80)] == list("anotherandlongersentencebeginsatthefootofthepage")


def test_pieces_of_a_quote_keep_their_order():
    text = "then comes the second half of it. Here is the rather much longer first half of the quotation, cut off"
    quote = "Here is the rather much longer first half of the quotation, then comes the second half of it."

    assert min(place(text, quote, 40)) == text.index("Here")


def test_columns_written_across_are_boxed_in_reading_order(tmp_path: Path):
    left, right = ([f"{side} line number {n} reads to its very end" for n in range(6)] for side in ("left", "right"))
    rows = [
        part
        for n, row in enumerate(zip(left, right, strict=True))
        for part in (lines(row[0], left=60, top=700 - 14 * n), lines(row[1], left=330, top=700 - 14 * n))
    ]
    path = tmp_path / "across.pdf"
    path.write_bytes(drawn(together(*rows)))

    image = page_image(path, 1, width=600, quote=" ".join([*left[4:], *right[:2]]))

    assert [round(box.left) for box in image.boxes] == [60, 60, 330, 330]
    assert image.boxes[2].top < image.boxes[0].top


def test_hidden_words_are_not_boxed(tmp_path: Path):
    path = tmp_path / "hidden.pdf"
    path.write_bytes(drawn(together(lines(*POLICY), invisible("The deductible is two thousand dollars", top=300))))

    image = page_image(path, 1, width=600, quote=POLICY[0])

    assert [round(box.top) for box in image.boxes] == [62]


def test_a_page_that_is_a_small_part_of_a_quote_is_marked_as_a_whole():
    assert place("Page 2", "Page 1 Page 2 Page 3 Page 4 Page 5", 0) == (0, 1, 2, 3, 5)
    assert place("Page 9", "Page 1 Page 2 Page 3 Page 4 Page 5", 0) == ()


def test_a_font_that_is_far_too_high_is_not_marked_over_other_lines(tmp_path: Path):
    def higher(writer: pypdf.PdfWriter):
        fonts = writer.pages[0]["/Resources"]["/Font"]
        described = {"/Type": "/FontDescriptor", "/FontName": "/Helvetica", "/Flags": 32, "/ItalicAngle": 0}
        described |= {"/Ascent": 3000, "/Descent": -1500, "/CapHeight": 700, "/StemV": 80}
        made = DictionaryObject({
            NameObject(key): NameObject(value) if isinstance(value, str) else NumberObject(value)
            for key, value in described.items()
        })  # fmt: skip
        made[NameObject("/FontBBox")] = ArrayObject(map(NumberObject, (-200, -1500, 1000, 3000)))
        for font in fonts.values():
            font.get_object()[NameObject("/FontDescriptor")] = made

    path = tmp_path / "file.pdf"
    path.write_bytes(changed(drawn(lines("First line of it", "Second line of it", "Third line of it")), higher))

    (box,) = page_image(path, 1, width=900, quote="Second line of it").boxes

    assert box.bottom - box.top < 14  # as much as there is from line to line

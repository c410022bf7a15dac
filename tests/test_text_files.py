"""Plain text and Markdown come through the same line as PDFs."""

import io
import random
import re
from pathlib import Path

import pytest
from PIL import Image
from shelves import Shelf

from ingest.chunking import chunk
from ingest.cleaning import clean
from ingest.reading import page_image, read
from ingest.reading.encoding import decode
from ingest.reading.outline import lines
from ingest.reading.text import MOST, split
from ingest.records import Heading, JobState, Reading

MARKDOWN = """\
---
title: Travel policy
---

# Who travels

Who travels for the firm is paid back
what the journey costs, **within limits**.

Journeys by air
---------------

| Journey | Limit |
|:--------|------:|
| Short   |   120 |
| Long    |   400 |

### Receipts ###

- Keep each of them until
  the money has come.
1. Send a copy.

```sh
# This is code
rag ingest receipts
```
"""


@pytest.fixture
def put(tmp_path: Path):
    def write(content: bytes | str, name: str = "notes.md") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def opened(path: Path) -> Reading:
    return read(path, seconds=60, memory_mb=1000)


def cleaned(found: Reading) -> list[str]:
    return [page.text for page in clean(found.pages, own_pages=found.own_pages)]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_markdown_gives_headings_a_title_and_rows_of_tables(put):
    found = opened(put(MARKDOWN))

    assert found.title == "Travel policy"
    assert found.headings == (
        Heading(1, "Who travels", 1),
        Heading(2, "Journeys by air", 1),
        Heading(3, "Receipts", 1),
    )
    assert cleaned(found)[0].split("\n\n")[1:] == [
        "Who travels",
        "Who travels for the firm is paid back what the journey costs, within limits.",
        "Journeys by air",
        "Journey | Limit\nShort | 120\nLong | 400",
        "Receipts",
        "- Keep each of them until the money has come.\n1. Send a copy.",
        "# This is code\nrag ingest receipts",
    ]


def test_the_only_first_heading_is_the_title_and_not_said_twice(put):
    found = opened(put("# Travel policy\n\nWords.\n\n## Limits\n\nMore words.\n"))

    assert (found.title, found.headings) == ("Travel policy", (Heading(2, "Limits", 1),))


def test_comments_of_a_program_are_no_headings(put):
    found = opened(put("#!/bin/sh\n# Copies all\n# that is new\ncp a b\n\nx = 1\n# then\ny = 2\n", "run.sh"))

    assert found.headings == ()


def test_text_that_was_wrapped_by_hand_is_one_paragraph_and_short_lines_stay(put):
    text = (
        "The committee meets on the first Monday of each month and keeps minutes\n"
        "that every member may read. Decisions need a majority of those present;\n"
        "the chair has no second vote.\n\nJohn Smith\n12 Main Street\nSpringfield\n"
    )

    assert cleaned(opened(put(text)))[0].split("\n") == [
        text[: text.index("\n\n")].replace("\n", " "),
        "",
        "John Smith",
        "12 Main Street",
        "Springfield",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["prose", "log", "long", "wide", "sections"])
def test_no_word_is_lost_and_labels_name_the_lines(put, shape: str):
    chance = random.Random(shape)
    made = {
        "prose": lambda: " ".join(f"word{chance.randrange(999)}" for _ in range(12)) + chance.choice(["\n", ".\n\n"]),
        "log": lambda: "2026-01-01 10:00:00 server started\n",  # each line could be a running head
        "long": lambda: " ".join(f"word{n}" for n in range(900)) + "\n",
        "wide": lambda: "\u6f22\u5b57\u3002" * 40 + "\n",
        "sections": lambda: f"## Part {chance.randrange(99)}\n\n" + "Some words of it. " * 9 + "\n\n",
    }[shape]
    text = "".join(made() for _ in range(300))
    found = opened(put(text))
    rows = text.split("\n")

    assert "".join(words(" ".join(cleaned(found)))) == "".join(words(text))
    assert len(found.pages) > 1
    for page, said in zip(found.pages, cleaned(found), strict=True):
        first, last = _range(page.label)
        assert set(words(said)) <= set(words("\n".join(rows[first - 1 : last])))


def _range(label: str) -> tuple[int, int]:
    """The lines that a label names: "3, lines 40 to 90"."""
    found = re.fullmatch(r"\d+, lines? (\d+)(?: to (\d+))?", label)
    assert found
    return int(found[1]), int(found[2] or found[1])


def test_pages_begin_at_headings_and_are_of_like_size():
    text = "".join(f"## Part {n}\n\n" + "Some words of it, and a few more.\n" * 9 + "\n" for n in range(60))

    own, pages = split(lines(text))

    assert not own
    assert all(page[0].text.startswith("## Part") for page in pages)
    assert all(sum(len(line.text) for line in page) <= MOST for page in pages)
    assert len(pages) < 20


def test_form_feeds_are_the_pages_of_a_file_that_has_them(put):
    pages = [f"RFC 9999    Example    January\n\nThis says {'a b c d e'[n:]}.\n\n[Page {n}]\n" for n in range(1, 6)]

    found = opened(put("\f\n".join(pages)))

    assert (found.page_count, found.own_pages) == (5, True)
    assert cleaned(found)[2] == "This says c d e."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "doubt"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-32", ""), ("cp1252", "Windows-1252")],
)
def test_letters_are_read_in_every_encoding_and_doubt_is_said(put, encoding: str, doubt: str):
    found = opened(put("Stra\u00dfe \u201eK\u00f6ln\u201c\r\nZweite Zeile.\r\n".encode(encoding), "brief.txt"))

    assert cleaned(found) == ["Stra\u00dfe \u201eK\u00f6ln\u201c\nZweite Zeile."]
    assert doubt in found.doubt
    assert bool(doubt) == bool(found.doubt)


def test_one_damaged_letter_does_not_make_another_encoding_of_it():
    decoded = decode("s\u00fc\u00dfe \u00c4pfel ".encode() * 9 + b"\xff" + "\u00fcber".encode())

    assert decoded.text.endswith("\u00c4pfel \ufffd\u00fcber")
    assert "1 of its letters is damaged" in decoded.doubt


@pytest.mark.slow
def test_a_passage_is_marked_where_it_stands(put):
    text = "".join(f"Row {n} of the list says number {n * 7919} and ends here.\n\n" for n in range(200))
    path = put(text, "list.txt")
    found = opened(path)
    cleaned_pages = clean(found.pages, own_pages=False)
    passages = chunk(Reading("list", cleaned_pages, (), found.page_count, (), 0), "d", "r", lambda text: len(text) // 4)
    passage = next(one for one in passages if "number 1187850 " in one.text)
    quote = "Row 150 of the list says number 1187850 and ends here."

    image = page_image(path, passage.page, width=900, quote=quote)

    first, _ = _range(passage.label)
    (box,) = image.boxes
    row = 2 * 150 + 1 - first  # the line of the file, below the first of its page; every line takes one row here
    assert round((box.top - 30) / 14) == row
    picture = Image.open(io.BytesIO(image.png)).convert("L")
    scale = picture.width / image.width
    inside = picture.crop(tuple(round(side * scale) for side in (box.left, box.top, box.right, box.bottom)))
    right = picture.crop(
        (round((box.right + 10) * scale), round(box.top * scale), picture.width, round(box.bottom * scale))
    )
    assert inside.getextrema()[0] < 90  # ink
    assert right.getextrema() == (255, 255)  # nothing goes on behind it


def test_a_page_of_long_lines_and_foreign_letters_is_drawn(put):
    path = put("\u05e9\u05dc\u05d5\u05dd \u6f22\u5b57 \x1b[31mred\x1b[0m " + "a" * 3000 + "\n" + "tab\tbed\n" * 9)

    image = page_image(path, 1, width=600, quote="tab bed")

    assert image.boxes
    assert all(0 <= box.left < box.right <= image.width for box in image.boxes)


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path)
    yield made
    made.index.close()


@pytest.mark.slow
def test_a_text_file_becomes_a_document_that_is_found(shelf):
    path = shelf.folder / "rules.pdf"  # whatever its name says
    path.write_bytes("# House rules\n\nThe caf\u00e9 closes at nine.\n".encode("cp1252"))

    job = shelf.add(path)

    assert job.state == JobState.READY
    assert "read as Windows-1252" in job.reason
    (document,) = shelf.library.documents()
    (passage,) = shelf.library.document_chunks(document.id)
    assert (document.title, passage.label) == ("House rules", "1, lines 1 to 3")
    assert (document.doubt, document.characters) == (job.reason, len("House rules\n\nThe caf\u00e9 closes at nine."))
    assert shelf.index.lexical("caf\u00e9 closes", ["documents"], 1)

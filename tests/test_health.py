from dataclasses import replace

import pytest

from ingest.pipeline import told
from ingest.records import Document

WHOLE = Document("d" * 32, "team", "c" * 64, "Plan", "plan.pdf", 30, 60, 1000, "2026-01-01T00:00:00+00:00")


def test_document_of_which_all_was_read_says_nothing():
    assert told(WHOLE) == ""


@pytest.mark.parametrize(
    ("pages", "named"),
    [
        ((4,), "1 of 30 pages (4) hold no text"),
        ((1, 2, 3, 7, 9, 10), "6 of 30 pages (1 to 3, 7, 9 to 10) hold no text"),
        (tuple(range(1, 30, 2)), "15 of 30 pages (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 and others) hold no text"),
    ],
)
def test_pages_without_text_are_named(pages: tuple[int, ...], named: str):
    assert told(replace(WHOLE, empty_pages=pages)).startswith(named)


def test_everything_that_is_missing_is_said():
    said = told(replace(WHOLE, failed_pages=(2,), empty_pages=(5, 6), hidden_words=9))

    assert said == (
        "1 of 30 pages (2) could not be read. 2 of 30 pages (5 to 6) hold no text (pictures or blank). "
        "9 hidden words were left out."
    )

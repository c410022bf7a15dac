"""Rows of tables, as pure functions: cells put together, and column heads found again."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading.lines import Line
from ingest.reading.tables import whole_rows
from ingest.records import Page
from ingest.tables import table_head

HEAD = "Plan | Copay | Deductible"
ROWS = "Basic | $20 | $2,000\nPlus | $10 | $500"


def cell(text: str, left: float, top: float) -> Line:
    return Line(text, left, top, left + 5 * len(text), top + 10, 9, bold=False)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.text("ab1", min_size=1, max_size=20)), min_size=1, max_size=4),
        max_size=30,
    ),
    st.integers(6, 14),
)
def test_no_word_is_lost_or_doubled(rows: list[list[tuple[int, str]]], step: int):
    given_rows = [
        sorted((cell(text, 100 * column, step * at) for column, text in row), key=lambda one: one.left)
        for at, row in enumerate(rows)
    ]

    made = whole_rows(given_rows)

    words = [Counter(word for row in some for one in row for word in one.text.split()) for some in (given_rows, made)]
    assert words[0] == words[1]


def test_a_page_of_prose_in_two_columns_is_left_alone():
    side = "a line of prose that is as long as a column is wide"
    rows = [[cell(side, 50, 12 * at), cell(side, 330, 12 * at)] for at in range(10)] + [[cell(side, 330, 120)]]

    assert whole_rows(rows) == rows


@pytest.mark.parametrize(
    ("pages", "at", "head"),
    [
        ((f"{HEAD}\n{ROWS}",), "Plus", HEAD),
        ((f"{HEAD}\n\n{ROWS}",), "Basic", HEAD),
        ((f"Before.\n\n{HEAD}", ROWS), "Basic", HEAD),
        ((f"{HEAD}\n{ROWS}",), "Plan", ""),  # the head itself
        ((ROWS,), "Plus", ""),
        ((f"{HEAD}\nA sentence between.\n{ROWS}",), "Plus", ""),
        ((f"{HEAD}\n{ROWS}\nA sentence.",), "A sentence", ""),
    ],
)
def test_head_of_the_table_in_which_a_passage_begins(pages: tuple[str, ...], at: str, head: str):
    made = [Page(number, str(number), text) for number, text in enumerate(pages, start=1)]

    assert table_head(made, len(pages) - 1, pages[-1].index(at)) == head

import csv
import io

import pytest

from rag_app.team.spreadsheet import as_csv


def read(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://example.com","x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "  =1+1", "\r=1", "\uff1d1+1",
        "|calc", "%0A",
    ],
)  # fmt: skip
def test_text_is_never_a_formula(text):
    ((cell,),) = read(as_csv(["name"], [[text]]))[1:]

    assert cell.startswith("'")
    assert text.strip() in cell


def test_quotes_breaks_and_separators_stay_within_their_cell():
    texts = ['say "yes"', "a,b;c", "two\nlines", "Größe 3 = 4", "1-2", ""]

    assert read(as_csv(["a"] * 6, [texts])) == [["a"] * 6, texts]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell():
    assert read(as_csv(["a", "b", "c", "d"], [[-3, 0.25, None, 12.0]])) == [
        ["a", "b", "c", "d"],
        ["-3", "0.25", "", "12"],
    ]


def test_a_row_cannot_end_in_the_middle():
    assert as_csv(["a"], [["x\rB1"]]) == '\ufeff"a"\r\n"x B1"\r\n'

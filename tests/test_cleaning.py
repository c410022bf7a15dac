import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import clean
from ingest.records import Page


def cleaned(*texts: str) -> list[str]:
    return [
        page.text for page in clean([Page(number, str(number), text) for number, text in enumerate(texts, start=1)])
    ]


def paragraph(number: int) -> str:
    topic = chr(64 + number)
    return f"Topic {topic} is told here at some length so that\npage {topic} has text of its own, unlike others."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("infor-\nmation", "information"),
        ("infor\u00ad\nmation", "information"),
        ("infor\u2010\nmation", "information"),
        ("co\u00adop\u00aderate", "cooperate"),
        ("the out-\nof-pocket cost", "the out-of-pocket cost"),
        ("the out-of-\npocket cost", "the out-of-pocket cost"),
        ("a COVID-\n19 test", "a COVID-19 test"),
        ("the Anglo-\nSaxon word", "the Anglo-Saxon word"),
        ("in 1995-\n1996 it was", "in 1995-1996 it was"),
        ("a pause -\nand then more", "a pause - and then more"),
        ("pages 3\u2013\n9 of it", "pages 3\u20139 of it"),
        ("go to https://\nwww.example.com", "go to https://www.example.com"),
        ("under 14 CFR\n11.43 and 11.45 it", "under 14 CFR 11.43 and 11.45 it"),
        ("see https://a.example/one-\ntwo for it", "see https://a.example/one-two for it"),
    ],
)
def test_words_cut_at_line_ends_are_joined(text: str, expected: str):
    assert cleaned(text) == [expected]


def test_compound_that_the_document_knows_keeps_its_hyphen():
    assert cleaned("a well-known thing and another.\n\nIt is well-\nknown by now.")[0].endswith(
        "It is well-known by now."
    )


def test_word_that_the_document_knows_whole_loses_the_hyphen():
    assert cleaned("The coinsurance is low.\n\nPay the co-\ninsurance now.")[0].endswith("Pay the coinsurance now.")


def test_compound_of_two_words_that_the_document_knows_keeps_its_hyphen():
    assert "customer-facing" in cleaned("A customer facing us.\n\nIt is a customer-\nfacing role.")[0]


def test_word_cut_by_a_page_end_goes_to_the_page_where_it_begins():
    assert cleaned("This is the infor-", "mation you want.") == ["This is the information", "you want."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufb01nd the o\ufb03ce \ufb02oor \ufb00 \ufb04", "find the office floor ff ffl"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\x00b\x07c\x1fd", "abcd"),
        ("a\u00a0b\u2003c\u3000d", "a b c d"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half \ud83d alone", "half \ufffd alone"),
        ("x\u00b2 and \u2460 and \u00bd stay", "x\u00b2 and \u2460 and \u00bd stay"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("", ""),
        (" \n \n\t\n", ""),
    ],
)
def test_signs_are_put_right(text: str, expected: str):
    assert cleaned(text) == [expected]


def test_sentence_that_a_column_end_cuts_is_joined():
    first = "The committee meets on the first Monday of each month and keeps min-"

    assert cleaned(f"{first}\n\nutes of it.\n\nHeading\n\nlower case follows a heading") == [
        f"{first[:-1]}utes of it.\n\nHeading\n\nlower case follows a heading"
    ]


def test_sentence_in_a_wide_script_that_a_column_end_cuts_is_joined():
    first, second = "\u7f51\u7edc" * 20, "\u52a1\u9700" * 5 + "\u3002"

    assert cleaned(f"{first}\n\n{second}") == [first + second]
    assert cleaned(f"{first}\u3002\n\n{second}") == [f"{first}\u3002\n\n{second}"]
    assert cleaned(f"{first[:6]}\n\n{second}") == [f"{first[:6]}\n\n{second}"]


def test_lines_of_a_paragraph_are_joined():
    assert cleaned("This sentence goes on over\nthe end of its line and on\nto a third.") == [
        "This sentence goes on over the end of its line and on to a third."
    ]


def test_wide_scripts_are_joined_without_a_space():
    assert cleaned("\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\n\u51fa\u53bb\u5427") == [
        "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u51fa\u53bb\u5427"
    ]


def test_list_items_headings_and_table_rows_stay_lines():
    text = (
        "Benefits\n\nYou have these benefits, which are listed below:\n\u2022 dental care, which is paid by\nthe plan\n"
        "\u2022 vision care\n1. first step\n(b) second step\n\nPlan\tCopay\nBasic\t$20\nHealth Plus\t$10"
    )

    assert cleaned(text)[0].split("\n") == [
        "Benefits",
        "",
        "You have these benefits, which are listed below:",
        "\u2022 dental care, which is paid by the plan",
        "\u2022 vision care",
        "1. first step",
        "(b) second step",
        "",
        "Plan | Copay",
        "Basic | $20",
        "Health Plus | $10",
    ]


def test_short_line_before_a_capital_ends_its_paragraph():
    text = "This paragraph is long enough to fill its line\nand ends here.\nAnother paragraph begins on a new line."

    assert cleaned(text)[0].count("\n") == 1


def test_marked_line_ends_are_believed():
    text = (
        "Position: Chief of all the officers there are\u2028\nCompany: Zava and this line goes on and on until\nits end"
    )

    assert cleaned(text) == [
        "Position: Chief of all the officers there are\nCompany: Zava and this line goes on and on until its end"
    ]


def test_running_heads_feet_and_page_numbers_go():
    texts = [f"Annual Report 2024\n\n{paragraph(n)}\n\nPage {n} of 6\nConfidential" for n in range(1, 7)]

    assert cleaned(*texts) == [paragraph(n).replace("\n", " ") for n in range(1, 7)]


def test_running_head_of_one_chapter_goes():
    texts = [paragraph(n) for n in range(1, 15)] + [f"{n}   Chapter Two\n{paragraph(n)}" for n in range(15, 21)]

    assert cleaned(*texts) == [paragraph(n).replace("\n", " ") for n in range(1, 21)]


def test_heads_of_left_and_right_pages_go():
    texts = [f"{'The Book' if n % 2 else 'The Chapter'}\n\n{paragraph(n)}\n\n{n + 10}" for n in range(1, 9)]

    assert cleaned(*texts) == [paragraph(n).replace("\n", " ") for n in range(1, 9)]


def test_roman_page_numbers_go():
    labels = ("i", "ii", "iii", "iv")
    pages = [Page(n, label, f"{paragraph(n)}\n\n{label}") for n, label in enumerate(labels, start=1)]

    assert [page.text for page in clean(pages)] == [paragraph(n).replace("\n", " ") for n in range(1, 5)]


def test_number_that_is_no_page_number_stays():
    texts = [f"{paragraph(n)}\n\n{value}" for n, value in enumerate([512, 77, 9, 1300], start=1)]

    assert [text.split("\n")[-1] for text in cleaned(*texts)] == ["512", "77", "9", "1300"]


def test_line_that_repeats_in_the_middle_of_pages_stays():
    texts = [
        "\n\n".join([paragraph(n), paragraph(n + 8), paragraph(n + 16), "Note:", *map(paragraph, range(n, n + 4))])
        for n in range(1, 6)
    ]

    assert all("Note:" in text for text in cleaned(*texts))


def test_page_that_returns_whole_is_kept():
    text = "\n\n".join(paragraph(n) for n in range(1, 9))

    assert all("Topic A" in page and "Topic H" in page for page in cleaned(text, text, text, text))


def test_two_pages_with_the_same_first_line_keep_it():
    assert all(text.startswith("Same") for text in cleaned(f"Same\n\n{paragraph(1)}", f"Same\n\n{paragraph(2)}"))


def test_numbers_labels_and_count_of_pages_stay():
    pages = [Page(3, "iii", "text"), Page(4, "iv", ""), Page(9, "A-1", "more")]

    assert [(page.number, page.label) for page in clean(pages)] == [(3, "iii"), (4, "iv"), (9, "A-1")]


@given(st.lists(st.text(alphabet=st.sampled_from(list("abcdeXY .,:\n\t\u2022")), max_size=120), max_size=2))
def test_nothing_else_is_lost(texts: list[str]):
    before = "".join("".join(texts).split())

    after = "".join(" ".join(cleaned(*texts)).replace(" | ", " ").split())

    assert after == before


@given(st.text(max_size=200))
def test_letters_and_digits_survive_any_text(text: str):
    kept = "".join(cleaned(text))

    assert re.sub(r"[^0-9A-Za-z]", "", kept) == re.sub(r"[^0-9A-Za-z]", "", _plain(text))


def _plain(text: str) -> str:
    return cleaned(re.sub(r"\s+", " ", text))[0]

# ruff: noqa: RUF001 - letters that look like others are the point here
import re

import pytest
from examples import VACATION, make_hit
from hypothesis import example, given
from hypothesis import strategies as st

from rag_app.citations import Numbered, number, place, quote_span, resolve, showable
from rag_app.markers import clean, marks, unmarked
from rag_app.records import Support

JOINER = "\u2060"


@pytest.mark.parametrize(
    ("raw", "text", "passages"),
    [
        ("A [1].", "A [1].", (0,)),
        ("A. [1]", "A. [1]", (0,)),
        ("A[1].", "A [1].", (0,)),
        ("A [2]. B [1].", "A [1]. B [2].", (1, 0)),
        ("A [1, 2].", "A [1] [2].", (0, 1)),
        ("A [1,2,3].", "A [1] [2] [3].", (0, 1, 2)),
        ("A [1][3].", "A [1] [2].", (0, 2)),
        ("A [1] [1].", "A [1].", (0,)),
        ("A [1][1].", "A [1].", (0,)),
        ("A [1-3].", "A [1] [2] [3].", (0, 1, 2)),
        ("A [1–3].", "A [1] [2] [3].", (0, 1, 2)),
        ("A [1 and 2].", "A [1] [2].", (0, 1)),
        ("A 【2】.", "A [1].", (1,)),
        ("A 【2†source】.", "A [1].", (1,)),
        ("A 【2:0†file.pdf】.", "A 【2:0†file.pdf】.", ()),
        ("A ［2］.", "A [1].", (1,)),
        ("A [Source 2].", "A [1].", (1,)),
        ("A [source: 2].", "A [1].", (1,)),
        ("A [Passage 1, Passage 3].", "A [1] [2].", (0, 2)),
        ("A [passages 1 and 3].", "A [1] [2].", (0, 2)),
        ("A (Source 2).", "A [1].", (1,)),
        ("A (see passages 1, 2).", "A [1] [2].", (0, 1)),
        ("A [[2]].", "A [1].", (1,)),
        ("A [^2].", "A [1].", (1,)),
        ("A <sup>[2]</sup>.", "A [1].", (1,)),
        ("A (1).", "A (1).", ()),
        ("A [note].", "A [note].", ()),
        ("A [1] then [text](http://example.com).", "A [1] then [text](http://example.com).", (0,)),
        ("- A [2]\n- B [3]", "- A [1]\n- B [2]", (1, 2)),
        ("[2] says A.", "[1] says A.", (1,)),
        ("", "", ()),
    ],
)
def test_markers_are_read_as_models_write_them(raw: str, text: str, passages: tuple[int, ...]) -> None:
    assert number(raw, 3) == Numbered(text, passages, removed=0)


@pytest.mark.parametrize(
    ("raw", "text", "removed"),
    [
        ("A [4].", "A.", 1),
        ("A [0].", "A.", 1),
        ("A [1, 9].", "A [1].", 1),
        ("A [999999].", "A.", 1),
        ("A [02847].", "A.", 1),
        ("A [9] b.", "A b.", 1),
        ("A [7][8] [2].", "A [1].", 2),
        ("[9]", "", 1),
        ("A [2-9].", "A [1] [2].", 6),
        ("A [12].", "A.", 1),
    ],
)
def test_markers_that_name_no_passage_are_removed_and_counted(raw: str, text: str, removed: int) -> None:
    numbered = number(raw, 3)

    assert (numbered.text, numbered.removed) == (text, removed)


def test_a_number_in_code_is_no_marker() -> None:
    numbered = number("Use `rows[1]` [2].\n```\nrows[3]\n```", 3)

    assert numbered.passages == (1,)
    assert numbered.text == f"Use `rows[{JOINER}1]` [1].\n```\nrows[{JOINER}3]\n```"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<think>Perhaps [3]?</think>\nA [1].", "A [1]."),
        ("Perhaps [3]?</think>A [1].", "A [1]."),
        ("<thinking>hm</thinking>A.", "A."),
        ("<think>never ends [1]", ""),
        ("A [1].<THINK>more</THINK>", "A [1]."),
    ],
)
def test_the_thoughts_of_a_reasoning_model_are_taken_out(raw: str, text: str) -> None:
    assert number(raw, 3).text == text
    assert "3" not in str(number(raw, 3).passages)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\u202egnp.exe\u202c", "agnp.exe"),
        ("a\u2066b\u2069\u200f\u061c", "ab"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\tb", "a\tb"),
    ],
)
def test_characters_that_mislead_are_stripped(raw: str, text: str) -> None:
    assert clean(raw) == text


def test_html_and_markdown_stay_text() -> None:
    raw = "![x](http://evil.example/a.png) <script>alert(1)</script> <b>A</b> [1]."

    assert number(raw, 1).text == raw


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("A is b", "A is b"),
        ("A is b [", "A is b"),
        ("A is b [1", "A is b"),
        ("A is b [1, 2", "A is b"),
        ("A is b [Sour", "A is b"),
        ("A is b (see pas", "A is b"),
        ("A is b [2]", "A is b [1]"),
        ("A is b [9]", "A is b"),
        ("A <thi", "A"),
        ("<think>B", ""),
        ("A [note that this bracket is not a marker and goes on and on and", None),
    ],
)
def test_while_it_grows_no_half_marker_shows(raw: str, shown: str | None) -> None:
    assert showable(raw, 3) == (raw if shown is None else shown)


@example(["【", "1", "[", "9", "】", "1", "】"])
@example(["[", "[", "【", "9", "】", "1", "】"])
@given(
    st.lists(st.sampled_from(["A", " b", "[", "]", "1", "2", "9", ", ", "-", "【", "】", " ", "\n", "`", "(1)", ". "]))
)
def test_only_numbers_of_passages_ever_show(parts: list[str]) -> None:
    raw = "".join(parts)

    for end in range(len(raw) + 1):
        shown = {number for mark in marks(showable(raw[:end], 2)) for number in mark.numbers}
        assert shown <= {1, 2}
    numbered = number(raw, 2)
    first_use = list(dict.fromkeys(value for mark in marks(numbered.text) for value in mark.numbers))
    assert first_use == list(range(1, len(numbered.passages) + 1))


@given(st.text(alphabet="[]【】()†0123456789 sourceand,-–`<think>/\n", max_size=60))
def test_no_forged_marker_survives_renumbering(raw: str) -> None:
    numbered = number(raw, 2)

    assert {value for mark in marks(numbered.text) for value in mark.numbers} <= set(
        range(1, len(numbered.passages) + 1)
    )
    assert not any(int(value) > 2 for value in re.findall(r"\[(\d{1,4})\]", numbered.text))


@given(st.text(alphabet="[]【】()†0123456789 sourceand,-–<think>/", max_size=60))
def test_a_passage_made_harmless_holds_no_marker(text: str) -> None:
    assert not list(marks(unmarked(text)))


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("as shown in [4, 7].", "as shown in (4, 7)."),
        ("[1] Smith", "(1) Smith"),
        ("(Source 2)", "Source 2"),
        ("<think>x</think>", "(think)x(/think)"),
        ("items[1]", "items(1)"),
        ("plain [note]", "plain [note]"),
    ],
)
def test_a_passages_own_brackets_become_round(text: str, harmless: str) -> None:
    assert unmarked(text) == harmless


def test_a_citation_holds_what_a_stored_answer_needs() -> None:
    hits = [make_hit("Nothing of interest.", name="a"), make_hit(name="b", page=4, start=100, relevance=0.8)]

    resolved = resolve("Unused days may be carried over until 31 March [2].", hits)

    (citation,) = resolved.citations
    assert (citation.marker, citation.document_id, citation.path) == (1, "document-b", "b.pdf")
    assert (citation.page, citation.label, citation.first_page, citation.start) == (4, "4", 4, 100)
    assert citation.quote == "Unused days may be carried over until 31 March."
    assert citation.passage == VACATION
    assert citation.relevance == 0.8
    assert resolved.text == "Unused days may be carried over until 31 March [1]."


def test_sentences_come_without_markers_and_with_their_support() -> None:
    resolved = resolve("You get 20 days of paid vacation per year [1]. You also get a car [1]. Trust me.", [make_hit()])

    assert [(sentence.text, sentence.markers) for sentence in resolved.sentences] == [
        ("You get 20 days of paid vacation per year.", (1,)),
        ("You also get a car.", (1,)),
        ("Trust me.", ()),
    ]
    assert [sentence.support for sentence in resolved.sentences] == [
        Support.SUPPORTED,
        Support.UNSUPPORTED,
        Support.UNSUPPORTED,
    ]


@pytest.mark.parametrize(
    ("citing", "quote"),
    [
        (["Vacation is 20 days a year."], "Employees receive 20 days of paid vacation per year."),
        (["Contractors are not covered."], "The policy does not cover contractors."),
        (["Carry over is possible until 31 March."], "Unused days may be carried over until 31 March."),
        (["Vacation is 20 days.", "Contractors are not covered."], VACATION),
        ([], "Employees receive 20 days of paid vacation per year."),
    ],
)
def test_the_quote_is_what_supports_the_citing_sentences(citing: list[str], quote: str) -> None:
    start, end = quote_span(VACATION, citing)

    assert VACATION[start:end] == quote


def test_a_quote_stays_with_the_best_sentence_when_the_others_are_far_away() -> None:
    passage = " ".join(
        [VACATION, *(f"Filler number {word} stands here." for word in "one two three four five".split())]
    )
    passage += " Badges are blue."

    start, end = quote_span(passage, ["Employees receive 20 days of paid vacation per year.", "Badges are often blue."])

    assert passage[start:end] == "Employees receive 20 days of paid vacation per year."


@pytest.mark.parametrize(
    ("offset", "page", "label"),
    [(0, 4, "4"), (49, 4, "4"), (50, 5, "5"), (99, 5, "5")],
)
def test_a_quote_after_the_page_break_is_on_the_next_page(offset: int, page: int, label: str) -> None:
    hit = make_hit("x" * 100, page=4, first_page=4, last_page=5, start=900, end=50)

    assert place(hit, offset) == (page, label)


def test_printed_labels_go_along_with_the_page() -> None:
    hit = make_hit("x" * 100, page=14, first_page=14, last_page=15, label="2", end=50)

    assert place(hit, 80) == (15, "3")
    assert place(make_hit("x" * 100, page=4, first_page=4, last_page=5, label="iv", end=50), 80) == (5, "5")


def test_an_answer_without_markers_has_no_citations() -> None:
    resolved = resolve("The documents do not say.", [make_hit()])

    assert resolved.citations == ()
    assert [sentence.support for sentence in resolved.sentences] == [Support.SUPPORTED]

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["One sentence."],
        ["No full stop at the end"],
        ["First one.", "Second one!", "Third one?"],
        ["Ask Dr. Smith and Mrs. Jones about it.", "They know."],
        ["The U.S. Treasury pays.", "It pays in the U.S.", "The rest is paid abroad."],
        ["See No. 5 and Fig. 3 on pp. 12-14.", "Then go on."],
        ["The answer is no.", "Ask again."],
        ["Take e.g. aspirin, i.e. the usual one, vs. nothing.", "Wait."],
        ["It costs 3.50 dollars, or 1,234.56 in all.", "Pay now."],
        ["Use version 2.10.3 of Python 3.11.", "Older ones fail."],
        ["Go to https://example.com/a.b?c=d.e and read.", "Then write to me@example.com.", "Thanks."],
        ["Call open_file.read() or numpy.linalg.norm first.", "It returns None."],
        ["J. R. R. Tolkien wrote it.", "We read it."],
        ['She said "Stop."', "Then she left."],
        ["\u201cIt works.\u201d", "\u201cDoes it?\u201d", "Yes."],
        ["(This is in brackets.)", "This is not."],
        ["Really?!", "Yes..."],
        ["He waited... and waited.", "Then he left."],
        ["The plan pays 80 %.", "You pay the rest."],
        ["It was founded by Acme Inc. in 1999.", "The firm grew."],
        ["It was bought by Acme Inc.", "The firm grew."],
        ["Open from 9 a.m. to 5 p.m. Monday to Friday.", "Closed on Sunday."],
        ["1. Take the form.", "Fill it in."],
        ["See step 5.", "Then stop."],
        ["A claim with a source [1].", "Another. [2][3]", "A third."],
        ["\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002", "\u6211\u4eec\u51fa\u53bb\u5427\uff01", "\u597d\u5417\uff1f"],
        ["\u300c\u306f\u3044\u3002\u300d", "\u5f7c\u306f\u8a00\u3063\u305f\u3002"],
        ["\u00bfQu\u00e9 hora es?", "Son las dos."],
        ["Das gilt z.B. f\u00fcr Beitr\u00e4ge nach Nr. 7.", "Es gilt nicht immer."],
        ["Section 4.2. Benefits are paid monthly.", "Not weekly."],
        ["3.1. Scope of this policy"],
    ],
    ids=lambda parts: parts[0][:30],
)
def test_sentences_end_where_a_reader_would_end_them(parts: list[str]):
    wide = any(part[-1] > "\u2e7f" for part in parts)

    assert cut(("" if wide else " ").join(parts)) == parts or cut(" ".join(parts)) == parts


def test_line_end_ends_a_sentence():
    assert cut("\u2022 first item\n\u2022 second item\n\nA heading\nText follows. And more.") == [
        "\u2022 first item",
        "\u2022 second item",
        "A heading",
        "Text follows.",
        "And more.",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u2003\t"])
def test_nothing_has_no_sentences(text: str):
    assert sentences(text) == []


@pytest.mark.parametrize("text", [".", "...", "?", "\U0001f600", "e.g.", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629"])
def test_odd_texts_are_one_sentence(text: str):
    assert cut(text) == [text]


@given(st.text(alphabet=st.sampled_from(list("abAB .!?\n\t\"')]1[\u3002e.g.Dr")), max_size=80))
def test_every_character_that_is_no_space_is_in_one_sentence(text: str):
    spans = sentences(text)

    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)


def test_long_text_takes_no_time_that_grows_with_its_square():
    assert len(sentences("It is so. " * 20_000)) == 20_000
    assert len(sentences("x" * 200_000)) == 1
    assert len(sentences("a.b." * 50_000)) == 1

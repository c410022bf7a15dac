import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.identifiers import LONGEST, identifiers, parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fix KB-ERR-2847-fatal, please.", ["kb-err-2847-fatal"]),
        ("since (v1.2.3).", ["v1.2.3"]),
        ("returned E_OUTOFMEMORY!", ["e_outofmemory"]),
        ('"0x8007000E"; then', ["0x8007000e"]),
        ("part AX-4711-Q: order 4711009834", ["ax-4711-q", "4711009834"]),
        ("REQ/2024/00117 at 10.0.0.1", ["req/2024/00117", "10.0.0.1"]),
        ("KB-1, kb-1 and Kb-1", ["kb-1"]),
        ("GPT-4 and B2B", ["gpt-4", "b2b"]),
        ("KB\u20112847 KB\u20132848", ["kb-2847", "kb-2848"]),  # the hyphens that text layout puts in
        ("Prüf-2847", ["pruf-2847"]),
        ("错误KB-2847是什么", ["kb-2847"]),
        ("KB-2847's", ["kb-2847"]),
        ("\uff2b\uff22-2847", ["kb-2847"]),  # full width letters
    ],
)
def test_codes_versions_and_numbers_are_identifiers(text, found):
    assert identifiers(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "24h, a 10-day trial, the 3rd of 401k, 100MB, 2.5GB, a 1.5-hour talk",
        "the 1990s, 12:30, 3.5 of 10,000, 2024, 50%",
        "well-known state-of-the-art and/or input/output",
        "__init__ ... --- ___ # . /",
        "",
        "x" * LONGEST + "1",
    ],
)
def test_quantities_and_words_are_none(text):
    assert identifiers(text) == []


def test_parts_are_runs_and_numbers():
    assert parts("kb-err-2847") == ["kb-err", "err-2847", "2847"]
    assert parts("v1.2") == ["1.2"]
    assert parts("0x8007000e") == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["1" + "a" * 50 + "_1", "a-" * 200_000, "1." * 200_000, "a1" * 200_000, "-" * 400_000])
def test_no_text_takes_long(text):
    assert len(identifiers(text)) <= 1


@given(st.text())
def test_any_text_has_identifiers_that_are_their_own(text):
    for name in identifiers(text):
        assert identifiers(name) == [name]
        assert len(parts(name)) <= 40


@given(
    st.from_regex(r"[A-Z]{2,4}-[0-9]{3,6}(-[a-z]{1,5})?", fullmatch=True),
    st.sampled_from(["{}.", "({})", '"{}",', "is {}?", "{}: no", "{}; {}", "[{}]", "{}\u2026", "so {}!"]),
)
def test_what_stands_around_a_code_changes_nothing(code, sentence):
    assert identifiers(sentence.format(code, code)) == [code.lower()]

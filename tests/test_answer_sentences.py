import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.sentences import pieces, without_sentences


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("A is b [1]. C is d [2].", [("A is b.", (1,)), ("C is d.", (2,))]),
        ("A is b. [1] C is d. [2]", [("A is b.", (1,)), ("C is d.", (2,))]),
        ("A is b [1] [2] and c [1].", [("A is b and c.", (1, 2))]),
        ("A is b. C is d [1].", [("A is b.", ()), ("C is d.", (1,))]),
        ("[1] says so. Not here.", [("says so.", (1,)), ("Not here.", ())]),
        ("It costs 3.5 EUR, e.g. for Dr. Smith [1].", [("It costs 3.5 EUR, e.g. for Dr. Smith.", (1,))]),
        (
            "You can use:\n- this one [1]\n- that one [2]",
            [("You can use:", ()), ("this one", (1,)), ("that one", (2,))],
        ),
        ("1. First [1]\n2) Second [2]", [("First", (1,)), ("Second", (2,))]),
        ("| Berlin | 120 | [1]", [("| Berlin | 120 |", (1,))]),
        ("## Rates\n\n**Berlin** is _cheap_ [1].", [("Rates", ()), ("Berlin is cheap.", (1,))]),
        ("Set `RAG_HOME` to a_b_c [1].", [("Set RAG_HOME to a_b_c.", (1,))]),
        ("A name begins with RAG_ and is _short_ [1].", [("A name begins with RAG_ and is short.", (1,))]),
        ("It takes **20 days**. [1]", [("It takes 20 days.", (1,))]),
        ("Does it? Yes [1]!", [("Does it?", ()), ("Yes!", (1,))]),
        ("", []),
        ("[1]", []),
        ("…", []),
        ("日本語です。 [1] 次の文。 [2]", [("日本語です。", (1,)), ("次の文。", (2,))]),
    ],
)
def test_an_answer_is_cut_into_sentences_with_their_markers(text: str, cut: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(piece.text, piece.markers) for piece in pieces(text)] == cut


def test_list_items_and_table_rows_are_told_apart_from_prose() -> None:
    assert [piece.item for piece in pieces("Prose.\n- item\n| row | 1 |")] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "dropped", "left"),
    [
        ("A is b [1]. C is d [2].", [True, False], "C is d [2]."),
        ("A is b. [1] C is d. [2]", [False, True], "A is b. [1]"),
        ("Use:\n- this one [1]\n- that one [2]", [False, True, False], "Use:\n- that one [2]"),
        ("1. First [1]. More of it [2].\nEnd. [1]", [True, False, True], "1. More of it [2]."),
        (
            'He said "no". [1] (Dana left. [2]) **Robin** stayed. [3]',
            [False, True, False],
            'He said "no". [1] **Robin** stayed. [3]',
        ),
        ("A is b. [1]", [True], ""),
        ("", [], ""),
    ],
)
def test_a_sentence_goes_with_its_markers_and_the_rest_stays(text, dropped, left):
    assert without_sentences(text, dropped) == left


TOKENS = [
    "A is b",
    "It's 3.5 EUR",
    "“Yes”",
    "**bold** x",
    "`code [1]`",
    ". ",
    "? ",
    "! ",
    " [1]",
    " [2]",
    "\n",
    "\n- ",
    " (so)",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join), st.randoms())
def test_what_is_left_reads_as_before(text, random):
    before = pieces(text)
    dropped = [random.random() < 0.5 for _ in before]

    left = pieces(without_sentences(text, dropped))

    kept = [piece.text for piece, gone in zip(before, dropped, strict=True) if not gone]
    # Words only: a sign on its own, as in ". .", says nothing and may go with the sentence before it.
    assert said(piece.text for piece in left) == said(kept)


def said(parts):
    return "".join(character for character in "".join(parts) if character.isalpha())


def test_nothing_dropped_changes_nothing():
    text = "A is b [1]. C is d.\n\n- item [2]"

    assert without_sentences(text, [False] * 3) == text

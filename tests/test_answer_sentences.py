import pytest

from rag_app.sentences import pieces


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

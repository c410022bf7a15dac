import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_verbatim import passages

from rag_app.copies import without_copies


def order(*texts: str, first: int = 3) -> list[int]:
    return [hit.chunk.position for hit in without_copies(passages(*texts), first)]


def test_a_copy_gives_its_place_to_the_next_passage():
    assert order("The notice is 3 months.", "The notice is 3 months.", "b", "c", "d") == [0, 2, 3, 1, 4]


def test_line_ends_case_and_signs_make_no_other_passage():
    assert order("The notice\nis 3 months.", "the  notice is 3 months", "b", "c")[:3] == [0, 2, 3]


@pytest.mark.parametrize(
    "other", ["The notice is 4 months.", "The notice is not 3 months.", "The notice for you is 3 months."]
)
def test_another_number_or_word_is_another_passage(other):
    assert order("The notice is 3 months.", other, "b", "c") == [0, 1, 2, 3]


def test_where_nothing_else_is_left_copies_are_used():
    assert order("a", "a", "a") == [0, 1, 2]


@given(st.lists(st.sampled_from("abc")), st.integers(1, 5))
def test_no_hit_is_lost_and_the_best_stays_first(texts, first):
    found = order(*texts, first=first)

    assert sorted(found) == list(range(len(texts)))
    assert found[:1] == [0][: len(texts)]

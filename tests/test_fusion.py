import pytest

from rag_app.fusion import fuse, reciprocal_rank


def test_reciprocal_rank_is_the_published_sum():
    assert reciprocal_rank([["a", "b"], ["b"]]) == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61})


def test_what_both_lists_hold_comes_before_what_one_holds():
    assert fuse([["a", "b", "c"], ["c", "d"]], 10) == ["c", "a", "b", "d"]


def test_the_first_of_each_list_stay_when_the_list_is_cut():
    dense, lexical = [f"d{n}" for n in range(50)], [f"l{n}" for n in range(50)]

    kept = fuse([dense, lexical[:10] + dense], 20)

    assert set(dense[:10]) | set(lexical[:10]) == set(kept)


def test_a_limit_smaller_than_the_kept_ones_holds():
    assert len(fuse([[f"d{n}" for n in range(50)], [f"l{n}" for n in range(50)]], 7)) == 7


@pytest.mark.parametrize("lists", [[], [[]], [[], []]])
def test_nothing_fuses_to_nothing(lists):
    assert fuse(lists, 5) == []

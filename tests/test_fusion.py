import pytest

from rag_app.fusion import fuse, fused_places, reciprocal_rank


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


def test_places_are_those_of_the_joined_list():
    dense, lexical = ["a", "b", "c", "d"], ["e", "c", "f", "a"]
    items = ["f", "e", "d", "c", "b", "a"]
    ranks = [tuple(one.index(item) + 1 if item in one else None for one in (dense, lexical)) for item in items]

    places = dict(zip(fused_places(ranks), items, strict=True))

    assert [places[place] for place in range(1, 7)] == fuse([dense, lexical], 6)

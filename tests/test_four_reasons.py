"""The written questions, and the counting of wins."""

from collections import Counter

import pytest

from benchmarks.four_reasons import KINDS, KNOWN, Item, Scored, interval, items, known, sign_test, table, won


def row(kind, *, dense=(0.9, 0.1), alone=(0.9, 0.1), joined=(0.9, 0.1), name=""):
    return Scored(Item(kind, name, "q", ("right", "near")), dense, alone, joined)


def test_there_are_25_questions_of_each_kind_and_five_known_examples():
    counts = Counter(item.kind for item in items())

    assert counts == {**dict.fromkeys(KINDS, 25), KNOWN: 5}


def test_every_question_has_one_to_four_near_passages_and_no_passage_comes_twice():
    written = items()
    texts = [passage for item in written for passage in item.passages]

    assert {len(item.passages) - 1 for item in written} <= {1, 2, 3, 4}
    assert len({item.question for item in written}) == len(written)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("scores", "win"), [((2, 1), True), ((1, 2), False), ((1, 1), False), ((3, 1, 3), False), ((-1, -2, -3), True)]
)
def test_a_win_is_strictly_before_all_others(scores, win):
    assert won(scores) is win


# Published examples: Newcombe, Statistics in Medicine 1998, table I, method 3.
@pytest.mark.parametrize(
    ("wins", "tries", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(wins, tries, low, high):
    assert interval(wins, tries) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ([True] * 6, [False] * 6, (6, 0, 2 / 64)),
        ([True, False], [False, True], (1, 1, 1.0)),
        ([True, True], [True, True], (0, 0, 1.0)),
        ([True] * 5 + [False], [False] * 5 + [True], (5, 1, 14 / 64)),
    ],
    ids=["all", "even", "no difference", "five of six"],
)
def test_the_sign_test_is_exact(first, second, told):
    assert sign_test(first, second) == pytest.approx(told)


def test_the_table_counts_wins_by_kind_and_leaves_known_examples_out():
    rows = [row("negation", dense=(0.1, 0.9)), row("negation"), row("other words"), row("known", dense=(0.1, 0.9))]
    rows += [row(kind) for kind in ("kind of answer", "cut passages")]

    lines = table(rows).splitlines()

    assert lines[1].split()[:4] == ["negation", "2", "1", "1"]
    assert lines[-1].split()[:4] == ["all", "5", "2", "4"]


def test_a_model_without_calibration_is_told_so():
    rows = [row(kind, joined=None) for kind in KINDS]

    assert "not calibrated" in table(rows).splitlines()[1]


def test_known_examples_are_told_one_by_one():
    told = known([row("known", name="a", dense=(0, 1)), row("known", name="b", joined=None)]).splitlines()

    assert [line.split() for line in told[1:]] == [["a", "wrong", "right", "right"], ["b", "right", "right", "-"]]

"""The ablation of the training recipe: its arithmetic, and that what was measured is not measured again."""

import json
import math

import numpy as np
import pytest

from benchmarks.ablation import ARMS, MEAN, OTHER, RANKING, RECIPE, Bench, Figures, Size, change, changes, table

# METRICS: recall@50, hit@3, mrr@10, ndcg@10
POOR, FAIR, GOOD = (1.0, 0.0, 0.2, 0.3), (1.0, 1.0, 0.5, 0.6), (1.0, 1.0, 1.0, 1.0)


def figures(alone, joined, wins=(1, 2)) -> Figures:
    """Two sets of different size, of which each weighs the same."""
    ways = {"dense": POOR, "alone": alone, "joined": joined}
    values = {name: {way: [row] * count for way, row in ways.items()} for name, count in (("one", 2), ("two", 6))}
    return Figures(values, values, wins)


def test_each_arm_has_its_figures_beside_those_of_dense():
    lines = table({RECIPE: figures(FAIR, GOOD), OTHER: figures(POOR, FAIR, (3, 4))}).splitlines()

    assert lines[0] == "dense: nDCG@10 0.300; hit@3 0.000, hit@50 1.000"
    expected = ["0.600", "1.000", "2.000", "3.333", "1.000", "1.000", "100.0%", "100.0%", "1", "2"]
    assert lines[-2].split() == [RECIPE, *expected]
    assert lines[-1].split()[-2:] == ["3", "4"]


def test_a_change_is_paired_and_every_set_weighs_the_same():
    base, other = figures(POOR, POOR), figures(POOR, FAIR)
    other.retrieval["one"]["joined"] = [POOR, POOR]

    at, low, high = change(other.retrieval, base.retrieval, "joined", "ndcg@10")

    assert (at, low, high) == pytest.approx((0.15, 0.15, 0.15))


def test_a_change_that_hangs_on_the_question_has_an_interval():
    base, other = figures(POOR, POOR), figures(POOR, POOR)
    other.retrieval["two"]["joined"] = [POOR, GOOD, POOR, GOOD, POOR, GOOD]

    at, low, high = change(other.retrieval, base.retrieval, "joined", "ndcg@10")

    assert at == pytest.approx(0.175)
    assert low < at < high


def test_changes_are_against_the_recipe():
    lines = changes({RECIPE: figures(POOR, POOR), MEAN: figures(POOR, FAIR)}).splitlines()

    assert len(lines) == 2
    assert lines[1].startswith(MEAN)
    assert "+0.300 (+0.300 to +0.300)" in lines[1]


def test_no_gap_is_no_error():
    values = {"one": {way: [GOOD] for way in ("dense", "alone", "joined")}}
    same = Figures(values, values, (0, 0))

    assert "nan" in table({RECIPE: same})


def test_an_arm_that_was_measured_is_read_and_another_size_is_another_arm(tmp_path):
    bench = Bench(tmp_path / "nowhere", tmp_path / "to", tmp_path / "cache", Size(0.1, 600, 15))
    folder = tmp_path / "to" / "other-draws-600-0.1"
    folder.mkdir(parents=True)
    made = figures(FAIR, GOOD)
    (folder / "15-figures.json").write_text(json.dumps([made.retrieval, made.pools, made.wins]))

    found = bench.figures(OTHER)

    assert found.wins == (1, 2)
    assert found.retrieval["one"]["joined"] == [list(GOOD)] * 2
    assert len({bench._folder(arm) for arm in ARMS}) == len(ARMS)


def test_arms_are_joined_as_what_ships_and_no_two_orders_become_equal():
    near, far = RANKING.relevance(9.0, 0.99, 1.0), RANKING.relevance(9.01, 0.99, 1.0)

    assert near < far < 1
    assert math.isclose(RANKING.cosine / RANKING.logit, 30)
    assert np.isfinite(far)

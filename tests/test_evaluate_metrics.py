"""The measures against trec_eval's own code, and the bootstrap against what is known of it."""

import numpy as np
import pytest
import pytrec_eval

from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.metrics import METRICS, Target, first_right, gains, measured


def judged_run(seed):
    """A random question: a ranking of documents, and judgements of some of them and of some that were not found."""
    random = np.random.default_rng(seed)
    documents = [f"d{n}" for n in range(int(random.integers(4, 120)))]
    judged = {name: int(random.integers(0, 5)) for name in documents if random.random() < 0.4}
    judged[documents[0]] = int(random.integers(1, 5))
    ranking = [str(name) for name in random.permutation(documents)[: int(random.integers(1, len(documents) + 1))]]
    return ranking, judged


def by_trec_eval(ranking, judged):
    """The same four by trec_eval, which knows no recip_rank with a depth: it is given only that many."""
    deep = {name: float(-rank) for rank, name in enumerate(ranking)}
    shallow = dict(list(deep.items())[:10])
    names = {"recall_50", "success_3", "ndcg_cut_10"}
    told = pytrec_eval.RelevanceEvaluator({"q": judged}, names).evaluate({"q": deep})["q"]
    first = pytrec_eval.RelevanceEvaluator({"q": judged}, {"recip_rank"}).evaluate({"q": shallow})["q"]
    return [told["recall_50"], told["success_3"], first["recip_rank"], told["ndcg_cut_10"]]


@pytest.mark.parametrize("seed", range(200))
def test_measures_agree_with_trec_eval(seed):
    ranking, judged = judged_run(seed)
    targets = [Target(name, 1, gain) for name, gain in judged.items() if gain > 0]

    ours = measured(gains([(name, 1) for name in ranking], targets), targets)

    assert ours == pytest.approx(by_trec_eval(ranking, judged), abs=1e-9)


def test_the_random_runs_are_not_all_alike():
    found = [by_trec_eval(*judged_run(seed)) for seed in range(200)]

    assert (np.std(found, axis=0) > 0.1).all()


def test_measures_have_their_names():
    assert METRICS == ("recall@50", "hit@3", "mrr@10", "ndcg@10")


def test_a_page_found_twice_counts_once():
    targets = [Target("a", 3, 1.0), Target("a", 4, 1.0)]

    assert gains([("a", 3), ("a", 3), ("a", 4), ("b", 3)], targets) == [1, 0, 1, 0]


@pytest.mark.parametrize(("tolerance", "expected"), [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [1, 1, 0])])
def test_a_page_near_the_right_one_counts_as_far_as_is_tolerated(tolerance, expected):
    targets = [Target("a", 5, 1.0), Target("a", 9, 1.0)]

    assert gains([("a", 6), ("a", 7), ("a", 6)], targets, tolerance) == expected


def test_the_nearest_of_several_right_pages_is_the_one_that_is_found():
    targets = [Target("a", 4, 1.0), Target("a", 6, 2.0)]

    assert gains([("a", 6), ("a", 5)], targets, 1) == [2, 1]


def test_a_question_without_a_right_passage_measures_nothing():
    target = [Target("a", 1, 1.0)]

    assert measured([0.0, 0.0], target) == (0, 0, 0, 0)
    assert measured([], target) == (0, 0, 0, 0)
    assert first_right([0.0, 0.0]) is None


def test_the_same_seed_draws_the_same_interval():
    values = np.random.default_rng(1).random((40, 2))

    first, again, other = (interval(bootstrap_means(values, seed)) for seed in (7, 7, 8))

    assert (first == again).all()
    assert (first != other).any()


def test_the_interval_is_that_of_the_mean():
    values = np.random.default_rng(3).normal(0.5, 0.2, (400, 1))

    low, high = interval(bootstrap_means(values, seed=0))[:, 0]

    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 8)


def test_a_difference_that_is_the_same_for_every_question_has_no_width():
    before = np.random.default_rng(5).random((50, 1))
    draws = bootstrap_means(np.hstack([before, before + 0.1]), seed=0)

    paired = interval(draws[:, 1:] - draws[:, :1])

    assert paired.ravel() == pytest.approx([0.1, 0.1])

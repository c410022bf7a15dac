"""Fitting a calibration: what is fitted, what few cases do, where the threshold comes to lie."""

import math
from dataclasses import replace
from random import Random

import pytest

from rag_app.rerank.calibration import Calibration
from rag_app.train.calibrating import (
    Case,
    Scored,
    best_relevance,
    cases,
    expected_error,
    fit,
    fitted,
    fitted_joined,
    refused,
    with_closer,
)
from rag_app.train.compare import threshold

TRUE = Calibration(bias=-2.0, logit=0.8, cosine=1.5, threshold=0.03, alone_bias=-1.5, alone_logit=0.9, overlap=1.1)
WEIGHTS = [TRUE.bias, TRUE.logit, TRUE.cosine, TRUE.overlap]


def passages(count, seed=1):
    """Passages that are right as often as TRUE says."""
    rng = Random(seed)
    drawn = [(rng.gauss(0, 3), rng.uniform(0, 1), rng.uniform(0, 1)) for _ in range(count)]
    return [
        Scored(cosine, logit, rng.random() < TRUE.relevance(logit, cosine, overlap), overlap)
        for logit, cosine, overlap in drawn
    ]


def test_the_weights_that_made_the_cases_are_found_again():
    assert fit(passages(20_000), with_cosine=True) == pytest.approx(WEIGHTS, abs=0.15)


def test_few_cases_stay_near_the_weights_that_are_known_and_many_leave_them():
    far = (1.0, 0.1, -1.0, 0.0)
    few, many = (fit(passages(count), with_cosine=True, near=far, pull=10.0) for count in (20, 20_000))

    assert math.dist(few, far) < 1 < math.dist(many, far)
    assert many == pytest.approx(WEIGHTS, abs=0.4)


def test_cases_that_all_lie_apart_get_weights_with_bounds():
    apart = [Scored(0.5, 1.0 if right else -1.0, right) for right in (True, False) * 10]

    assert all(abs(weight) < 50 for weight in fit(apart, with_cosine=True))


def test_weights_that_are_far_off_are_come_back_from():
    # From here a whole Newton step overshoots, and without a check each further one does more.
    far = (-3.08, 0.54)
    rng = Random(0)
    few = [Scored(0.5, rng.gauss(11, 3), n % 3 == 0) for n in range(120)]

    bias, logit = fit(few, with_cosine=False, near=far, pull=1.0)

    assert abs(bias) < 5
    assert abs(logit) < 1


def rows(questions, seed=2):
    return [passages(12, seed=seed + n) for n in range(questions)]


def test_a_question_is_a_case_as_it_is_and_with_what_answers_it_taken_away():
    right, wrong = Scored(0.5, 1.0, right=True), Scored(0.4, 0.0, right=False)

    assert cases([[right, wrong], [wrong, wrong], [right]], foreign=[[wrong]]) == [
        Case([right, wrong], answerable=True),
        Case([wrong], answerable=False),
        Case([wrong], answerable=False),
    ]


def test_a_fitted_calibration_says_how_often_it_is_right():
    calibration = fitted(cases(rows(800)), 0.03)

    assert expected_error(calibration, cases(rows(400, seed=5_000))) < 0.05
    assert calibration.threshold == 0.03


def certain(logits):
    """An answerable question for each logit."""
    return [Case([Scored(0.0, logit, right=True)], answerable=True) for logit in logits]


PLAIN = Calibration(bias=0.0, logit=1.0, cosine=0.0, threshold=0.0, alone_bias=0.0, alone_logit=1.0)


@pytest.mark.parametrize(
    ("lowest", "expected"),
    [(0.5, 0.03), (0.02, 0.02), (0.001, 0.015)],
    ids=["never above what ships", "where one in twenty falls", "never below half of what ships"],
)
def test_the_threshold_lies_where_one_in_twenty_of_the_answerable_falls_within_bounds(lowest, expected):
    known = certain([math.log(lowest / (1 - lowest))] * 6 + [5.0] * 94)

    assert threshold(PLAIN, known, 0.03) == pytest.approx(expected, rel=1e-3)


def test_the_share_that_is_refused_is_counted_for_each_kind():
    calibration = Calibration(0.0, 1.0, 0.0, 0.5, 0.0, 1.0)
    known = [*certain([1.0, -1.0]), Case([Scored(0.0, -2.0, right=False)], answerable=False)]

    assert refused(calibration, known, answerable=True) == 0.5
    assert refused(calibration, known, answerable=False) == 1.0


def test_an_order_that_is_given_stays_and_only_its_scale_is_fitted():
    cosine, overlap = TRUE.cosine / TRUE.logit, TRUE.overlap / TRUE.logit
    rng = Random(4)
    drawn = passages(12_000)
    known = [Case(drawn[place : place + 3], answerable=True) for place in range(0, len(drawn), 3)]

    found = fitted_joined(known, 0.1, cosine, overlap)

    assert (found.cosine / found.logit, found.overlap / found.logit) == pytest.approx((cosine, overlap))
    assert (found.bias, found.logit) == pytest.approx((TRUE.bias, TRUE.logit), abs=0.15)
    assert found.threshold == 0.1
    one, other = (
        (
            found.relevance(item.logit, item.cosine, item.overlap),
            item.logit + cosine * item.cosine + overlap * item.overlap,
        )
        for item in rng.sample(drawn, 2)
    )
    assert (one[0] < other[0]) == (one[1] < other[1])


def test_the_first_of_a_questions_passages_has_a_line_of_its_own():
    """One passage of each question is right, and it comes first more often than its value alone says."""
    rng = Random(11)
    known = []
    for _ in range(3_000):
        values = sorted((rng.gauss(0, 1.5) for _ in range(3)), reverse=True)
        right = 0 if rng.random() < 0.6 else rng.choice([1, 2, None])
        known.append(Case([Scored(0.0, v, right=place == right) for place, v in enumerate(values)], answerable=True))

    calibration = fitted_joined(known, 0.1, 0.0, 0.0)
    flat = replace(calibration, lift=0.0, stretch=1.0)
    first, second, _ = calibration.relevances([0.0, -0.1, -0.2])

    assert expected_error(calibration, known) < 0.03 < expected_error(flat, known)
    assert first > 0.5 > second


def test_the_order_of_the_relevances_is_that_of_the_values():
    calibration = Calibration(-5.8, 0.13, 4.0, 0.05, 0.0, 1.0, 1.0, lift=3.6, stretch=1.5)
    for values in ([-9.0, -9.5, -20.0], [2.0, 5.0, 1.9], [-3.0], []):
        chances = calibration.relevances(values)
        assert sorted(range(len(values)), key=lambda i: -chances[i]) == sorted(
            range(len(values)), key=lambda i: -values[i]
        )
        assert calibration.relevances(values, first=False) <= chances


def doubtful(count, seed=5):
    """Questions of one passage whose scores say nothing and whose best part says it all."""
    rng = Random(seed)
    told = [rng.random() < 0.5 for _ in range(count)]
    parts = [((-8.0, 0.1), ((1.0, 0.7) if right else (-6.0, 0.2))) for right in told]
    return [
        Case([Scored(0.3, 0.0, right, 0.1, own), Scored(0.1, -6.0, False)], answerable=right)
        for right, own in zip(told, parts, strict=True)
    ]


def test_what_the_best_part_tells_is_learned_where_the_passage_alone_tells_nothing():
    known = doubtful(400)
    before = Calibration(-1.0, 0.2, 2.0, 0.1, 0.0, 1.0)

    after = with_closer(before, known)

    assert after.closer_part > 0
    told = {answerable: best_relevance(after, next(case for case in known if case.answerable == answerable))
            for answerable in (True, False)}  # fmt: skip
    assert told[True] > 0.9
    assert told[False] < 0.1
    assert expected_error(after, known) < expected_error(before, known)


def test_relevances_that_no_closer_look_told_are_held_against_their_own_threshold():
    made = replace(TRUE, threshold=0.9, first_threshold=0.0001, closer_part=1.0)

    assert refused(made, [Case([Scored(0.5, 0.0, right=True)], answerable=True)], answerable=True) == 0
    assert refused(made, [Case([Scored(0.5, 0.0, True, 0.0, ((-9.0, 0.0),))], answerable=True)], answerable=True) == 1

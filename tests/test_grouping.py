import numpy as np
import pytest

from rag_app.team import grouping
from rag_app.team.grouping import NAME_LIMIT, central, grouped, held, named, standing


def unit(*rows):
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def bundles(count, size, dimensions=64, spread=0.05, seed=7):
    """`count` directions at random, each with `size` vectors close to it, in turn."""
    chance = np.random.default_rng(seed)
    centres = np.repeat(chance.normal(size=(count, dimensions)), size, axis=0)
    return unit(*(centres + spread * chance.normal(size=centres.shape)))


def test_near_questions_are_one_group_the_largest_first():
    vectors = unit((1, 0, 0), (0, 1, 0), (0.9, 0.1, 0), (0, 0, 1), (1, 0.1, 0.1), (0.1, 1, 0))

    assert grouped(vectors) == [[0, 2, 4], [1, 5], [3]]


def test_no_question_is_no_group_and_one_is_its_own():
    assert grouped(np.zeros((0, 4), dtype=np.float32)) == []
    assert grouped(unit((1, 0, 0, 0))) == [[0]]


def test_a_chain_is_not_drawn_together_by_its_links():
    angles = np.radians(np.arange(0, 180, 30))
    chain = unit(*np.column_stack([np.cos(angles), np.sin(angles)]))

    assert len(grouped(chain, 0.8)) > 1  # each link has a cosine of .87, the ends point away from each other


@pytest.mark.parametrize("largest", [6_000, 20])
def test_many_bundles_are_found_also_where_a_component_is_too_large_to_compare(largest, monkeypatch):
    monkeypatch.setattr(grouping, "LARGEST", largest)

    found = grouped(bundles(40, 12))

    assert found == [list(range(start, start + 12)) for start in range(0, 480, 12)]


@pytest.mark.slow
def test_twenty_thousand_questions_are_grouped():
    found = grouped(bundles(2_000, 10, dimensions=256))

    assert sum(map(len, found)) == 20_000
    assert len(found) == 2_000


def test_what_the_library_holds_draws_two_questions_together():
    first, second, about = unit((1, 0, 0.2), (0, 1, 0.2), (0.1, 0.1, 1))

    said = np.vstack([first, second])
    one, other = standing(said, np.vstack([held(first, about[None]), held(second, about[None])]))

    assert float(one @ other) > float(first @ second) + 0.1
    assert np.linalg.norm(one) == pytest.approx(1)


def test_without_a_library_questions_stand_for_what_they_say_alone():
    said = unit((1, 0, 0.2), (0.3, 1, 0.2))
    nothing = np.vstack([held(question, np.zeros((0, 3), dtype=np.float32)) for question in said])

    one, other = standing(said, nothing)

    assert float(one @ other) == pytest.approx(float(said[0] @ said[1]))


def test_what_the_library_holds_is_above_all_the_nearest_passage():
    question, *passages = unit((1, 0, 0), (0.9, 0.1, 0), (0.1, 0.9, 0), (0, 0.1, 0.9))

    about = held(question, np.vstack(passages))

    assert float(about @ passages[0]) > 0.99


def test_a_loose_meaning_is_one_group_and_two_close_ones_stay_apart():
    """No cut of the cosines alone does both: within the loose one they are lower than between the two close ones."""
    loose = bundles(1, 8, spread=1.0, seed=2)
    pair = bundles(1, 2, spread=0.7, seed=3)
    close = np.vstack([unit(*(pair[[place] * 8] + 0.02 * bundles(8, 1, seed=place))) for place in (0, 1)])
    within, between = float((loose @ loose.T)[np.triu_indices(8, 1)].mean()), float((close[:8] @ close[8:].T).mean())

    found = grouped(np.vstack([loose, close]))

    assert within < between
    assert found == [list(range(8)), list(range(8, 16)), list(range(16, 24))]


def test_a_group_is_named_by_its_most_central_question_in_one_line():
    vectors = unit((1, 0.4, 0), (1, 0, 0), (1, -0.4, 0))

    assert central(vectors, [0, 1, 2]) == 1
    assert named("How do I\n delete  it?") == "How do I delete it?"
    assert len(named("word " * 100)) <= NAME_LIMIT + 2

"""How much of a question's words its candidates hold."""

import random

import pytest
from examples import make_hit

from rag_app.overlap import overlaps, with_overlap

QUESTION = "What does error KX-81 of the GH217 pump mean?"


def test_word_that_few_candidates_hold_counts_most():
    texts = ["The pump has an error.", "Error of the pump: see below.", "GH217", "A pump and an error again."]

    found = overlaps(QUESTION, texts)

    assert max(found) == found[2]


def test_shares_lie_between_nothing_and_everything():
    none, some, most = overlaps("red lamp", ["green wheel", "a lamp", "red lamps, red lamp, red lamp"])

    assert none == 0.0
    assert 0 < some < most < 1


def test_second_mention_adds_less_than_the_first():
    once, twice = overlaps("lamp", ["lamp", "lamp lamp", "wheel"])[:2]

    assert 0 < twice - once < once


def test_case_accents_and_endings_are_folded():
    assert overlaps("Réglages du pompes", ["reglage pompe", "rien"])[0] > 0
    assert overlaps("pumps", ["PUMP", "lamp"])[0] > 0


@pytest.mark.parametrize("question", ["", "???", "what is the", "zzz"])
def test_question_without_a_shared_word_gives_nothing(question):
    assert overlaps(question, ["the lamp is red", ""]) == [0.0, 0.0]


def test_no_candidates():
    assert overlaps("lamp", []) == []
    assert with_overlap("lamp", []) == []


def test_order_of_the_texts_does_not_matter():
    rng = random.Random(3)
    words = ["lamp", "pump", "red", "valve", "GH217", "error", "wheel"]
    texts = [" ".join(rng.choices(words, k=6)) for _ in range(20)]
    shuffled = rng.sample(range(20), 20)

    straight = overlaps("red lamp GH217 error", texts)
    mixed = overlaps("red lamp GH217 error", [texts[place] for place in shuffled])

    assert [straight[place] for place in shuffled] == pytest.approx(mixed)


def test_hits_keep_everything_else():
    hits = [make_hit("A red lamp.", name="a"), make_hit("A wheel.", name="b")]

    found = with_overlap("lamp", hits)

    assert [hit.chunk for hit in found] == [hit.chunk for hit in hits]
    assert found[0].overlap is not None
    assert found[0].overlap > 0
    assert found[1].overlap == 0.0


def test_word_that_nobody_holds_lowers_every_share():
    texts = ["a lamp", "a wheel"]

    assert 0 < overlaps("lamp zeppelin", texts)[0] < overlaps("lamp", texts)[0]

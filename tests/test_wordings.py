"""Which of two wordings is answered."""

from dataclasses import replace

import pytest
from examples import make_hit

from rag_app.records import Answer, Stage
from rag_app.wordings import best_relevance, better

THRESHOLD = 0.1
TYPED = "May my dog sit in the saloon?"
CARRIED = f"What does F-204 mean? {TYPED}"


def found(wording, text, relevance):
    hit = replace(make_hit(text, name=text), relevance=relevance, used=True)
    return Answer(TYPED, wording, Stage.RERANKING, hits=(hit,))


def taken(carried, typed):
    return better(found(CARRIED, *carried), found(TYPED, *typed), THRESHOLD).rewritten


@pytest.mark.parametrize(
    ("carried", "typed", "wording"),
    [
        (("Dogs may sit anywhere.", 0.15), ("Dogs.", 0.02), CARRIED),
        (("Dogs may sit anywhere.", 0.15), ("Dogs.", 0.3), TYPED),
        (("F-204 means that the paper is empty.", 0.15), ("Dogs.", 0.02), TYPED),
        (("F-204 means that the paper is empty.", 0.95), ("Dogs.", 0.02), TYPED),
        (("Dogs may sit anywhere.", 0.09), ("Dogs.", 0.02), TYPED),
        (("F-204: no paper. Dogs may sit anywhere.", 0.9), ("F-204: no paper. Dogs may sit anywhere.", 0.2), TYPED),
    ],
    ids=[
        "finds more",
        "finds less",
        "finds the earlier answer again",
        "finds it again, plainly",
        "finds nothing",
        "finds what both find",
    ],
)
def test_the_carried_wording_has_to_find_what_was_typed(carried, typed, wording):
    assert taken(carried, typed) == wording


def test_a_passage_that_both_find_is_asked_what_was_typed_and_as_relevant_as_carried():
    text = "F-204: no paper. Dogs may sit anywhere."

    best = better(found(CARRIED, text, 0.9), found(TYPED, text, 0.02), THRESHOLD)

    assert best.rewritten == TYPED
    assert best_relevance(best) == 0.9


def test_an_answer_without_passages_is_as_relevant_as_nothing():
    nothing = Answer(TYPED, TYPED, Stage.RERANKING)

    assert best_relevance(nothing) == 0
    assert better(nothing, nothing, THRESHOLD) is nothing

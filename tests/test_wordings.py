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
    return Answer(TYPED, wording, Stage.RERANKING, hits=(replace(make_hit(text), relevance=relevance, used=True),))


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
    ],
    ids=["finds more", "finds less", "finds the earlier answer again", "finds it again, plainly", "finds nothing"],
)
def test_the_carried_wording_has_to_find_what_was_typed(carried, typed, wording):
    assert taken(carried, typed) == wording


def test_an_answer_without_passages_is_as_relevant_as_nothing():
    nothing = Answer(TYPED, TYPED, Stage.RERANKING)

    assert best_relevance(nothing) == 0
    assert better(nothing, nothing, THRESHOLD) is nothing

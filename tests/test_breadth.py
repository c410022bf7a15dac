from dataclasses import replace

import pytest
from examples import make_hit

from rag_app.breadth import MOST, asks_several, reach, room, used
from rag_app.team.wording import path_of


@pytest.mark.parametrize(
    "question",
    [
        "What does it cost and who pays for it?",
        "How long is the notice period? Does it differ for managers?",
        "How do the reranker and the retriever differ?",
        "What is the difference between page iv and sheet 6?",
        "Compare the annual plan with the monthly one",
        "Is the annual plan cheaper than the monthly one?",
        "When does it begin, and how is it asked for?",
    ],
)
def test_a_question_about_several_things_is_known(question):
    assert asks_several(question)
    assert room(question, 3) == MOST


@pytest.mark.parametrize(
    "question",
    [
        "Who pays for bed and breakfast?",
        "Which reranking models can I use?",
        "Why?",
        "What is the daily rate for Berlin?",
        "",
        "and?",
    ],
)
def test_a_question_about_one_thing_keeps_to_the_usual_number(question):
    assert not asks_several(question)
    assert room(question, 3) == 3


def scored(*relevances):
    return [replace(make_hit(), relevance=relevance) for relevance in relevances]


@pytest.mark.parametrize(
    ("relevances", "count"),
    [
        ((0.8, 0.2, 0.1, 0.2, 0.15, 0.1, 0.4), 6),
        ((0.8, 0.2, 0.1, 0.2, 0.07, 0.4), 4),  # the fifth is too far behind the best, and what follows waits
        ((0.8, 0.7, 0.6, None), 3),
        ((0.0, 0.0, 0.0, 0.0), 3),
        ((0.8,), 1),
        ((), 0),
    ],
)
def test_more_passages_are_used_while_they_are_near_the_best(relevances, count):
    assert sum(used(scored(*relevances), 3, MOST)) == count


def test_without_room_the_usual_number_is_used():
    assert used(scored(0.8, 0.7, 0.6, 0.6), 3, 3) == [True, True, True, False]


def approved(hit):
    return replace(hit, document=replace(hit.document, path=path_of("a" * 32)))


def test_approved_answers_take_no_place_of_the_passages():
    first, second, third, *others = scored(0.8, 0.2, 0.1, 0.05, 0.05)
    hits = [approved(first), second, approved(third), *others]

    assert reach(hits, 3) == 5
    assert used(hits, 3, 3) == [True] * 5


def test_no_more_approved_answers_than_passages_are_used():
    assert reach([approved(hit) for hit in scored(*[0.5] * 9)], 3) == 6

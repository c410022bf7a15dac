"""Each symptom is provoked by a small set, and told with its questions and what to try."""

import json
from dataclasses import replace

import pytest
from evaluation_sets import CountingReranker, dataset
from fakes import HashEmbedder

from ingest.records import Chunk
from rag_app.commands.diagnose import as_json, written
from rag_app.evaluate.answering import Answerers, KeptJudge, answered
from rag_app.evaluate.diagnose import (
    CUT,
    NOT_CHOSEN,
    NOT_CITED,
    NOT_FOUND,
    NOT_SAID,
    REFUSED,
    SLOW_RERANK,
    SLOW_SEARCH,
    UNREAD,
    diagnosis,
)
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.records import DENSE, LEXICAL, Ranking
from rag_app.evaluate.run import Plan, evaluate

NOTICE = "The notice period is three months long. It begins with the next month."
HOTEL = "Hotels above 300 dollars a night need approval."
PLAN = Plan(candidates=50, shown=1)


class Judge(CountingReranker):
    threshold = 0.3
    looks_closer = False

    def chances(self, scores):
        return list(scores)


@pytest.fixture
def asked(tmp_path):
    def run(made, judge=None):
        judge = judge or Judge()
        models = Models(HashEmbedder(), judge, Kept(tmp_path))
        kept = KeptJudge(models, judge)
        answers = answered(made, models, Answerers(kept, kept), PLAN)
        return replace(evaluate(made, models, PLAN), answered=answers)

    return run


def symptoms(run):
    return {name: len(own) for name, own in diagnosis(run, PLAN.shown).symptoms.items()}


def with_answer(made, *answers):
    return replace(made, questions=tuple(replace(question, answers=answers) for question in made.questions))


def test_a_question_that_is_answered_has_no_symptom(asked):
    found = diagnosis(asked(dataset({"a": NOTICE, "b": HOTEL}, {"How long is the notice period": ["a"]})), PLAN.shown)

    assert (found.questions, found.well, found.symptoms) == (1, 1, {})


def test_a_page_that_was_not_read_is_told(asked):
    assert symptoms(asked(dataset({"b": HOTEL}, {"How long is the notice period": ["a"]}))) == {UNREAD: 1}


def test_an_answer_over_the_border_of_two_passages_is_told(asked):
    made = dataset({"a": "The notice period lasts three", "b": HOTEL}, {"notice period": ["a"]})
    first = made.passages[0]
    second = replace(first, chunk=replace(first.chunk, id="a2", position=1, text="long months."), text="long months.")
    made = with_answer(replace(made, passages=(*made.passages, second)), "three long months")

    assert isinstance(second.chunk, Chunk)
    assert symptoms(asked(made)) == {CUT: 1}


def test_a_passage_in_neither_search_is_told(asked):
    run = asked(dataset({"a": NOTICE, "b": HOTEL}, {"notice period": ["a"]}))
    lost = {name: Ranking((0.0,) * 50, 1.0) for name in (DENSE, LEXICAL)}
    outcome = replace(run.outcomes[0], rankings={**run.outcomes[0].rankings, **lost})

    assert symptoms(replace(run, outcomes=(outcome,))) == {NOT_FOUND: 1}


def test_a_passage_that_the_reranker_puts_behind_is_told(asked):
    made = dataset({"a": "It lasts three months.", "b": NOTICE}, {"How long is the notice period": ["a"]})

    assert symptoms(asked(made)) == {NOT_CHOSEN: 1}


def test_a_refused_question_is_told(asked):
    class Doubting(Judge):
        threshold = 1.1

    made = dataset({"a": NOTICE, "b": HOTEL}, {"How long is the notice period": ["a"]})

    assert symptoms(asked(made, Doubting())) == {REFUSED: 1}


def test_what_is_not_cited_or_not_said_is_told(asked):
    made = dataset({"a": f"{NOTICE} Ask Dana."}, {"How long is the notice period": ["a"]})
    run = asked(with_answer(made, "Ask Dana"))
    uncited = replace(run.answered, given=(replace(run.answered.given[0], right=(False,)),))

    assert symptoms(run) == {NOT_SAID: 1}
    assert symptoms(replace(run, answered=uncited)) == {NOT_CITED: 1}


def test_a_slow_stage_is_told_with_the_slow_questions(asked):
    run = asked(dataset({"a": NOTICE, "b": HOTEL}, {"How long is the notice period": ["a"]}))
    slow = {
        name: replace(ranking, ms=9_000.0 if name.endswith("+rerank") else 400.0)
        for name, ranking in run.outcomes[0].rankings.items()
    }

    found = symptoms(replace(run, outcomes=(replace(run.outcomes[0], rankings=slow),)))

    assert found == {SLOW_SEARCH: 1, SLOW_RERANK: 1}


def test_the_command_tells_counts_questions_and_what_to_try(asked):
    found = diagnosis(asked(dataset({"b": HOTEL}, {"How long is the\x1b notice period": ["a"]})), PLAN.shown)

    text = written(found)

    assert "0 of 1 questions are answered from the right page." in text
    assert "1: the right page was not read from its file" in text
    assert "run text recognition" in text
    assert "\x1b" not in text
    assert json.loads(json.dumps(as_json(found)))["symptoms"][0]["count"] == 1

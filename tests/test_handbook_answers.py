"""The questions written for the handbook, asked of the real thing."""

import asyncio
import json
from pathlib import Path

import pytest

from ingest.settings import Settings as IngestSettings
from rag_app.build import build
from rag_app.settings import Settings

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "handbook_questions.jsonl").read_text().splitlines()
    if line
]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]
UNANSWERABLE = [question for question in QUESTIONS if not question["answerable"]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def answers(handbook_home):
    application = build(Settings(ingest=IngestSettings(home=handbook_home)))

    async def all_of_them():
        return {question["id"]: await last(application.pipeline, question["question"]) for question in QUESTIONS}

    yield asyncio.run(all_of_them())
    application.parts.index.close()


async def last(pipeline, question):
    return [answer async for answer in pipeline.ask(question)][-1]


def right_places(question):
    places = [question, *question.get("also", [])]
    return {(place["document"], page) for place in places for page in place.get("pages") or [place["page"]]}


def cited(answer):
    return {(Path(citation.path).name, citation.page) for citation in answer.citations}


def test_the_right_page_is_cited_for_most_questions_the_handbook_answers(answers):
    """The bar is 40, which was reached, and it must not get worse unseen. Other number formats move a few."""
    missed = [question["id"] for question in ANSWERABLE if not right_places(question) & cited(answers[question["id"]])]

    assert len(ANSWERABLE) == 45
    assert len(missed) <= 8, missed


def test_most_questions_it_does_not_answer_are_declined(answers):
    """The bar is 12, which was reached, and it must not get worse unseen. Other number formats move a few."""
    answered = [question["id"] for question in UNANSWERABLE if not answers[question["id"]].abstained]

    assert len(UNANSWERABLE) == 15
    assert len(answered) <= 5, answered


def test_every_sentence_of_every_answer_has_its_citation(answers):
    given = [answer for answer in answers.values() if not answer.abstained]

    assert all(sentence.markers for answer in given for sentence in answer.sentences)
    assert all(citation.quote for answer in given for citation in answer.citations)

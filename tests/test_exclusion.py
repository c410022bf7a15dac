"""Passages put aside: not found, kept with their turn, and gone with a purge."""

import json

import pytest
from fakes import HashEmbedder, SameQuestion, WordReranker
from scripted_desk import ScriptedDesk, citation
from shelves import new_library, put

from ingest.index.generation import Index
from rag_app.app_database import AppDatabase
from rag_app.blanking import blank, quoted
from rag_app.conversations import Conversations, put_aside
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.retrieve import HybridRetriever
from rag_app.web.answering import Answering

NOTICE = "The notice period is three months. It begins with the next month."
TRAINEES = "The notice period of trainees is two weeks."
FOOD = "The canteen opens at noon and serves soup."


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


@pytest.fixture
def pipeline(library):
    index = Index(library, HashEmbedder.name)
    judge = WordReranker()
    retriever = HybridRetriever(library, index, HashEmbedder())
    line = Line(SameQuestion(), retriever, judge, judge, Extractive(judge), Extractive(judge))
    yield Pipeline(library, line, candidates=2, passages=1)
    index.close()


@pytest.fixture
def database(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield database
    database.close()


async def last(pipeline, question):
    return [answer async for answer in pipeline.ask(question)][-1]


async def test_what_is_put_aside_is_not_found_and_the_next_takes_its_place(library, pipeline):
    put(library, NOTICE, TRAINEES, FOOD)
    question = "How long is the notice period?"
    first = await last(pipeline, question)
    best, second = (hit.chunk.text for hit in first.hits)

    other = await last(pipeline.without([best]), question)

    assert [hit.chunk.text for hit in other.hits] == [second, FOOD]
    assert other.citations[0].passage == second
    assert [hit.chunk.text for hit in (await last(pipeline, question)).hits] == [best, second]


async def test_a_copy_in_another_document_is_put_aside_as_well(library, pipeline):
    put(library, NOTICE, name="a.pdf")
    put(library, NOTICE.upper(), TRAINEES, name="b.pdf", content="b" * 64)

    answer = await last(pipeline.without([NOTICE]), "How long is the notice period?")

    assert [hit.chunk.text for hit in answer.hits] == [TRAINEES]


async def test_an_answer_is_asked_without_what_its_turn_keeps(tmp_path, database):
    scripted, conversations = ScriptedDesk(tmp_path), Conversations(database)
    answering = Answering(scripted.ask, conversations)
    aside = put_aside(citation())

    turn = await answering.start("dana", conversations.begin("dana"), "How long?", excluded=(aside,))
    async for grown in answering.follow(turn):
        turn = grown

    assert scripted.without == (citation().passage,)
    assert conversations.turn("dana", turn.id).excluded == (aside,)
    assert citation().passage not in {source.passage for source in turn.answer.sources}
    await answering.unreranked(turn)
    assert (scripted.reranked, scripted.without) == (False, (citation().passage,))


def test_a_purge_takes_the_words_of_what_was_put_aside(database):
    conversations = Conversations(database)
    source = citation()
    turn = conversations.add(conversations.begin("dana"), "How long?", excluded=(put_aside(source),))
    assert quoted(database, source.document_id)

    blank(database, source.document_id)

    (kept,) = conversations.turn("dana", turn.id).excluded
    assert (kept.passage, kept.title, kept.page) == ("", "Removed document", source.page)
    assert source.passage not in json.dumps(database.rows("SELECT excluded FROM turn"))


def test_the_last_turns_are_read_and_all_are_counted(database):
    conversations = Conversations(database)
    conversation = conversations.begin("dana")
    for number in range(5):
        conversations.add(conversation, f"Question {number}?")

    read = [turn.question for turn in conversations.turns("dana", conversation, last=2)]

    assert read == ["Question 3?", "Question 4?"]
    assert conversations.count("dana", conversation) == 5
    assert conversations.count("eve", conversation) == 0
    assert conversations.turns("eve", conversation, last=2) == []

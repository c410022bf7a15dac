"""Many chats at once: what the stub answers, and how answers are judged."""

import asyncio
import gc
from types import AsyncGeneratorType, SimpleNamespace

import pytest

from benchmarks.load import Fact, Outcome, facts, line
from benchmarks.made import document
from benchmarks.stub_endpoint import NOTHING, StubEndpoint, said
from rag_app.conversations import TurnState
from rag_app.generate.openai_chat import OpenAIChat
from rag_app.prompt import messages
from rag_app.records import Hit

ADA, BOB = Fact("Ada", "00ff0001"), Fact("Bob", "00ff0002")


def hits(*stated):
    made = [document(fact.name, [fact.text]) for fact in stated]
    return [Hit(chunks[0], one) for one, chunks in made]


def turn(text, *titles, state=TurnState.DONE):
    citations = [SimpleNamespace(title=title) for title in titles]
    return SimpleNamespace(state=state, answer=SimpleNamespace(text=text, citations=citations))


def test_the_stub_quotes_the_passage_the_question_is_about():
    prompt = messages(BOB.question, hits(ADA, BOB), ())[-1]["content"]
    other = messages("What is the door code of the “Eve” archive?", hits(ADA, BOB), ())[-1]["content"]

    assert said(prompt) == f"The door code of the Bob archive is {BOB.code}. [2]"
    assert said(other) == NOTHING


def unclosed():
    """Parts of the client's streams that wait to be collected."""
    # By their type alone: torch holds objects that warn when they are asked for their class.
    streams = [one for one in gc.get_objects() if type(one) is AsyncGeneratorType and one.ag_frame is not None]
    return [one for one in streams if one.__qualname__.startswith(("Response.", "AsyncStream."))]


@pytest.mark.slow
async def test_a_finished_answer_leaves_nothing_for_another_thread_to_collect():
    gc.collect()
    gc.disable()
    earlier = unclosed()  # what other tests have broken off
    try:
        with StubEndpoint(word_s=0.001) as endpoint:
            chat = OpenAIChat("stub", base_url=endpoint.base_url)
            assert [piece async for piece in chat.generate(ADA.question, hits(ADA), ())]
            await asyncio.sleep(0.1)
            left = [one.__qualname__ for one in unclosed() if all(one is not other for other in earlier)]
    finally:
        gc.enable()

    assert left == []


async def test_the_applications_own_client_understands_the_stub():
    with StubEndpoint(word_s=0.001) as endpoint:
        chat = OpenAIChat("stub", base_url=endpoint.base_url)
        pieces = [piece async for piece in chat.generate(ADA.question, hits(BOB, ADA), ())]

    assert len(pieces) > 1
    assert "".join(pieces) == f"The door code of the Ada archive is {ADA.code}. [2]"


@pytest.mark.parametrize(
    ("answered", "counted"),
    [
        (turn(f"It is {ADA.code} [1].", "Ada"), (0, 0, 0)),
        (turn(f"It is {BOB.code} [1].", "Bob"), (0, 1, 1)),
        (turn(f"It is {ADA.code} [1].", "Bob"), (0, 1, 0)),
        (turn("The passages do not say."), (0, 1, 0)),
        (turn("", state=TurnState.FAILED), (1, 0, 0)),
        (None, (1, 0, 0)),
    ],
)
def test_an_answer_must_state_its_fact_and_cite_its_document(answered, counted):
    outcome = Outcome()

    outcome.judge(answered, ADA, [ADA.code, BOB.code])

    assert (outcome.errors, outcome.wrong, outcome.mixed) == counted


def test_no_two_facts_share_a_name_or_a_code():
    stated = facts(300)

    assert len({fact.name for fact in stated}) == len({fact.code for fact in stated}) == 300
    assert not any(one.name in other.name for one in stated for other in stated if one is not other)


def test_a_line_tells_the_rate_beside_that_of_one_chat():
    told = line("10", Outcome(times=[0.2] * 10, wall=1.0), Outcome(times=[0.1] * 10, wall=2.0), (100, 101)).split()

    assert told == ["10", "10", "200", "200", "0", "0", "0", "10.00", "2.00", "101", "100.0"]

import asyncio
import contextlib
import sqlite3
from dataclasses import replace

import pytest
from scripted_desk import ScriptedDesk

from ingest.errors import GeneratorError
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState
from rag_app.web.answering import Answering, StillAnswering


@pytest.fixture
def scripted(tmp_path):
    return ScriptedDesk(tmp_path)


@pytest.fixture
def conversations(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield Conversations(database)
    database.close()


async def last_of(conversations, answering, turn):
    """The final state of a turn; one that ended before it was followed is only in the store."""
    seen = [grown async for grown in answering.follow(turn)]
    return seen[-1] if seen else conversations.turn("dana", turn.id)


async def test_an_answer_is_made_and_kept(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")

    turn = await answering.start("dana", conversation, "How long?")
    final = await last_of(conversations, answering, turn)

    assert final.state is TurnState.DONE
    assert conversations.turn("dana", turn.id) == final
    assert answering.running(conversation) is None


async def test_an_answer_goes_on_when_nobody_follows_it(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    turn = await answering.start("dana", conversations.begin("dana"), "How long?")
    async with contextlib.aclosing(answering.follow(turn)) as followed:
        await anext(followed)

    scripted.gate.set()
    final = await last_of(conversations, answering, turn)

    assert final.state is TurnState.DONE


async def test_two_pages_follow_the_same_answer(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    turn = await answering.start("dana", conversations.begin("dana"), "How long?")

    first, second = await asyncio.gather(
        last_of(conversations, answering, turn), last_of(conversations, answering, turn)
    )

    assert first == second


async def test_stopping_keeps_what_was_written_and_closes_the_source(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")
    turn = await answering.start("dana", conversation, "How long?")
    followed = answering.follow(turn)
    grown = await anext(followed)
    while grown.answer is None or not grown.answer.text:
        grown = await anext(followed)

    await answering.stop(turn.id)
    kept = conversations.turn("dana", turn.id)

    assert kept.state is TurnState.STOPPED
    assert kept.answer.text == grown.answer.text
    assert scripted.closed == 1
    assert (await anext(followed)).state is TurnState.STOPPED


async def test_closing_the_server_cuts_answers_off(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    turn = await answering.start("dana", conversations.begin("dana"), "How long?")
    await anext(answering.follow(turn))

    await answering.close()

    assert conversations.turn("dana", turn.id).state is TurnState.CUT


async def test_an_error_for_the_reader_is_kept_in_its_words(conversations):
    async def ask(*_question, **_given):
        raise GeneratorError("llama3 did not answer in 60 s. Ask again.")
        yield

    answering = Answering(ask, conversations)
    final = await last_of(
        conversations, answering, await answering.start("dana", conversations.begin("dana"), "How long?")
    )

    assert (final.state, final.failure) == (TurnState.FAILED, "llama3 did not answer in 60 s. Ask again.")


async def test_a_bug_is_logged_under_the_reference_that_is_shown(conversations, caplog):
    async def ask(*_question, **_given):
        raise ZeroDivisionError("secret detail")
        yield

    answering = Answering(ask, conversations)
    final = await last_of(
        conversations, answering, await answering.start("dana", conversations.begin("dana"), "How long?")
    )

    assert "secret detail" not in final.failure
    assert caplog.records[0].getMessage().partition(":")[0] in final.failure
    assert "ZeroDivisionError" in caplog.text


async def test_a_follow_up_is_asked_with_the_turns_before_it(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")
    await last_of(conversations, answering, await answering.start("dana", conversation, "How long is the notice?"))

    await last_of(conversations, answering, await answering.start("dana", conversation, "and for trainees?"))

    question, turns = scripted.asked[1]
    assert question == "and for trainees?"
    assert [turn.question for turn in turns] == ["How long is the notice?"]
    assert "[1]" not in turns[0].answer


async def test_what_was_found_is_kept_with_the_answer(scripted, conversations):
    answering = Answering(scripted.ask, conversations)

    turn = await answering.start("dana", conversations.begin("dana"), "How long?")
    await last_of(conversations, answering, turn)

    found = conversations.candidates("dana", turn.id)
    assert len(found) == 50
    assert [one.cited for one in found[:3]] == [True, True, False]


async def test_asked_again_it_takes_the_place_of_the_last_turn_and_is_no_follow_up_of_it(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")
    first = await answering.start("dana", conversation, "How long?")
    await last_of(conversations, answering, first)

    again = await answering.start("dana", conversation, "How long is the notice?", instead_of=first.id)
    await last_of(conversations, answering, again)

    assert [turn.question for turn in conversations.turns("dana", conversation)] == ["How long is the notice?"]
    assert scripted.asked[1] == ("How long is the notice?", ())


async def test_a_page_that_is_woken_looks_up_although_the_answer_stands_still(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    turn = await answering.start("dana", conversations.begin("dana"), "How long?")
    followed = answering.follow(turn)
    while (await anext(followed)).answer is None or not scripted.asked:
        pass
    waiting = asyncio.create_task(anext(followed))
    while not waiting.done():
        answering.wake(turn.id)
        await asyncio.sleep(0.01)

    assert waiting.result().id == turn.id
    answering.wake("0" * 32)  # nobody is making that one
    await answering.close()


async def test_following_a_turn_that_nobody_answers_ends_at_once(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    turn = conversations.add(conversations.begin("dana"), "How long?")

    assert [grown async for grown in answering.follow(replace(turn, state=TurnState.CUT))] == []


class FullDisk(Conversations):
    """Stores questions, and what became of them only after `failures` attempts."""

    failures = 0

    def save(self, turn, found=()):
        if self.failures and turn.state is not TurnState.WORKING:
            self.failures -= 1
            raise sqlite3.OperationalError("database or disk is full")
        super().save(turn, found)


@pytest.mark.parametrize("failures", [1, 2])
async def test_an_answer_that_cannot_be_stored_has_failed_and_the_next_question_is_answered(
    scripted, tmp_path, caplog, failures
):
    database = AppDatabase(tmp_path / "full.db")
    full = FullDisk(database)
    answering = Answering(scripted.ask, full)
    conversation = full.begin("dana")
    turn = await answering.start("dana", conversation, "How long?")
    full.failures = failures

    final = await last_of(conversations, answering, turn)

    (kept,) = answering.settled(full.turns("dana", conversation))
    assert (final.state, kept.state) == (TurnState.FAILED, TurnState.FAILED)
    assert "could not be stored" in kept.failure
    assert "disk is full" in caplog.text
    again = await answering.start("dana", conversation, "How long?", instead_of=turn.id)
    assert (await last_of(conversations, answering, again)).state is TurnState.DONE
    database.close()


async def test_a_conversation_takes_one_question_at_a_time(scripted, conversations):
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")

    told = await asyncio.gather(
        *(answering.start("dana", conversation, f"Question {number}?") for number in range(3)), return_exceptions=True
    )
    await last_of(conversations, answering, told[0])

    assert [type(one) for one in told[1:]] == [StillAnswering, StillAnswering]
    assert [turn.question for turn in conversations.turns("dana", conversation)] == ["Question 0?"]
    assert (await answering.start("dana", conversation, "And now?")).question == "And now?"
    await answering.close()


async def test_a_question_whose_reader_leaves_at_once_is_answered_all_the_same(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    conversation = conversations.begin("dana")
    asking = asyncio.create_task(answering.start("dana", conversation, "How long?"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    while (running := answering.running(conversation)) is None:
        await asyncio.sleep(0.01)
    scripted.gate.set()
    final = await last_of(conversations, answering, running)

    assert conversations.turn("dana", final.id).state is TurnState.DONE


async def test_stopping_twice_stores_what_was_written(scripted, conversations):
    scripted.gate.clear()
    answering = Answering(scripted.ask, conversations)
    turn = await answering.start("dana", conversations.begin("dana"), "How long?")
    followed = answering.follow(turn)
    while (grown := await anext(followed)).answer is None or not grown.answer.text:
        pass

    await asyncio.gather(*(answering.stop(turn.id) for _ in range(3)))

    assert conversations.turn("dana", turn.id).state is TurnState.STOPPED

"""Several people asking at once: everybody gets a turn, and what is stopped is not computed."""

import asyncio
import threading

import pytest

from ingest.compute import Compute, Priority
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState
from rag_app.records import Answer, Stage
from rag_app.web.answering import AT_ONCE, EACH, Answering


@pytest.fixture
def conversations(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield Conversations(database)
    database.close()


class Computing:
    """Answers by one piece of work on the cores; none is done before the gate is open."""

    def __init__(self):
        self.compute = Compute()
        self.gate = threading.Event()
        self.done = []

    def work(self, question):
        assert self.gate.wait(20)
        self.done.append(question)

    async def ask(self, question, turns, *, rerank=True, without=(), spaces=None):
        await asyncio.to_thread(self.compute.run, lambda: self.work(question), Priority.QUESTION)
        yield Answer(question, question, Stage.DONE, text="Yes.")


async def started(answering, conversations, person, question):
    turn = await answering.start(person, conversations.begin(person), question)

    async def ended():
        return [grown async for grown in answering.follow(turn)][-1]

    return turn, asyncio.create_task(ended())


async def test_one_persons_many_questions_do_not_hold_up_anothers(conversations):
    computing = Computing()
    answering = Answering(computing.ask, conversations)
    many = [await started(answering, conversations, "ada", f"ada {n}") for n in range(2 * AT_ONCE)]
    one = await started(answering, conversations, "bob", "bob")
    while computing.compute.waiting < EACH:  # the first is under way; bob's waits with ada's second
        await asyncio.sleep(0.001)
    computing.gate.set()

    ended = await asyncio.gather(*(task for _, task in [*many, one]))

    assert {turn.state for turn in ended} == {TurnState.DONE}
    assert computing.done.index("bob") <= EACH
    assert sorted(computing.done) == sorted([*(f"ada {n}" for n in range(2 * AT_ONCE)), "bob"])
    await answering.close()


async def test_a_stopped_answer_is_not_computed(conversations):
    computing = Computing()
    answering = Answering(computing.ask, conversations)
    _, first = await started(answering, conversations, "ada", "under way")
    stopped, second = await started(answering, conversations, "bob", "stopped")
    while not computing.compute.waiting:
        await asyncio.sleep(0.001)

    await answering.stop(stopped.id)
    waiting = computing.compute.waiting
    computing.gate.set()

    assert (await second).state is TurnState.STOPPED
    assert (await first).state is TurnState.DONE
    assert waiting == 0
    assert computing.done == ["under way"]
    await answering.close()

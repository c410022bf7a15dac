"""Several people asking at once: everybody gets a turn, and what is stopped is not computed."""

import asyncio
import threading
from dataclasses import replace

import pytest
from scripted_desk import ScriptedDesk

from ingest.compute import Compute, Priority
from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState
from rag_app.records import Answer, Mode, Stage
from rag_app.web.answering import Answering
from rag_app.web.places import AT_ONCE, EACH
from rag_app.web.programs import Asked, Caller, Programs
from rag_app.web.refusal import RequestRefused
from rag_app.web.server import create_app


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
        self.begun, self.done = 0, []

    def work(self, question):
        self.begun += 1
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


class Speaking(Computing):
    """Answers by a language model, which says nothing before `speaks` is set, and never ends."""

    def __init__(self):
        super().__init__()
        self.gate.set()
        self.speaks, self.silent, self.spoken = asyncio.Event(), 0, 0

    async def ask(self, question, turns, *, rerank=True, without=(), spaces=None):
        await asyncio.to_thread(self.compute.run, lambda: self.work(question), Priority.QUESTION)
        answer = Answer(question, question, Stage.WRITING, mode=Mode.MODEL)
        yield answer
        self.silent += 1
        await self.speaks.wait()
        yield replace(answer, text="Yes")
        self.silent, self.spoken = self.silent - 1, self.spoken + 1
        await asyncio.Event().wait()


async def until(met):
    for _ in range(2000):
        if met():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


async def test_answers_that_wait_for_the_language_model_leave_their_places_to_others(conversations):
    speaking = Speaking()
    answering = Answering(speaking.ask, conversations)
    people = [f"person {number}" for number in range(3 * AT_ONCE)]
    for person in people:
        await answering.start(person, conversations.begin(person), person)

    await until(lambda: len(speaking.done) == len(people))
    await until(lambda: speaking.silent == AT_ONCE)
    speaking.speaks.set()
    await until(lambda: speaking.spoken == len(people))

    assert sorted(speaking.done) == sorted(people)
    await answering.close()


def caller(folder, ask, key):
    return Caller(Who("0" * 32), replace(ScriptedDesk(folder).desk(), ask=ask), lambda: True, key)


async def heard(programs, who, question):
    return [growing.answer async for growing in programs.ask(who, Asked(question, store=False))][-1]


async def test_each_key_has_its_turn(conversations, tmp_path):
    computing = Computing()
    programs = Programs(conversations, lambda ask: ask)
    ada, bob = (caller(tmp_path, computing.ask, key) for key in ("ada", "bob"))
    many = [asyncio.create_task(heard(programs, ada, f"ada {number}")) for number in range(2 * AT_ONCE)]
    await until(lambda: computing.compute.waiting == EACH - 1)
    one = asyncio.create_task(heard(programs, bob, "bob"))
    await until(lambda: computing.compute.waiting == EACH)
    computing.gate.set()

    answers = await asyncio.gather(*many, one)

    assert {answer.stage for answer in answers} == {Stage.DONE}
    assert computing.done.index("bob") <= EACH
    assert len(computing.done) == len(many) + 1


async def test_one_keys_questions_do_not_take_all_room(conversations, tmp_path, monkeypatch):
    monkeypatch.setattr("rag_app.web.programs.MOST_EACH", 3)
    computing = Computing()
    programs = Programs(conversations, lambda ask: ask)
    ada, bob = (caller(tmp_path, computing.ask, key) for key in ("ada", "bob"))
    many = [asyncio.create_task(heard(programs, ada, f"ada {number}")) for number in range(3)]
    await until(lambda: computing.compute.waiting == EACH - 1)

    with pytest.raises(RequestRefused, match="Too many questions are waiting"):
        await heard(programs, ada, "one more")
    other = asyncio.create_task(heard(programs, bob, "bob"))
    computing.gate.set()

    assert len(await asyncio.gather(*many, other)) == 4
    assert "one more" not in computing.done
    assert (await heard(programs, ada, "later")).stage is Stage.DONE


@pytest.mark.parametrize("searching", [False, True])
async def test_a_programs_question_that_nobody_waits_for_is_not_computed(conversations, tmp_path, searching):
    computing = Computing()
    programs = Programs(conversations, lambda ask: ask)
    ada, bob = (caller(tmp_path, computing.ask, key) for key in ("ada", "bob"))
    first = asyncio.create_task(heard(programs, ada, "under way"))
    await until(lambda: computing.begun)
    work = programs.search(bob, "stopped", None, rerank=True) if searching else heard(programs, bob, "stopped")
    second = asyncio.create_task(work)
    await until(lambda: computing.compute.waiting == 1)

    second.cancel()
    await asyncio.wait({second})
    waiting = computing.compute.waiting
    computing.gate.set()

    assert (await first).stage is Stage.DONE
    assert waiting == 0
    assert computing.done == ["under way"]


async def test_an_answer_in_pieces_may_be_read_by_one_task_after_another(conversations, tmp_path):
    computing = Computing()
    computing.gate.set()
    programs = Programs(conversations, lambda ask: ask)
    answers = programs.ask(caller(tmp_path, computing.ask, "ada"), Asked("read in turns", store=False))

    async def step():
        return await anext(answers)

    first = await asyncio.create_task(step())
    await asyncio.create_task(answers.aclose())

    assert first.answer.text == "Yes."


@pytest.mark.slow
async def test_pages_are_served_while_all_places_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # with many cores the loop's own threads would be enough
    app = create_app(ScriptedDesk(tmp_path).desk(), home=tmp_path, secret=b"known")
    gate = threading.Event()
    async with app.router.lifespan_context(app):
        taken = [asyncio.create_task(asyncio.to_thread(gate.wait, 20)) for _ in range(2 * AT_ONCE)]  # and of programs

        told = await asyncio.wait_for(asyncio.to_thread(lambda: "a page"), 20)

        assert not any(task.done() for task in taken)
        gate.set()
        await asyncio.gather(*taken)

    assert told == "a page"

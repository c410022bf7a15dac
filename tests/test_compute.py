"""The queue in front of the cores: who goes first, what is joined, what leaves it."""

import asyncio
import contextvars
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from ingest.compute import Compute, Priority, asking

QUESTION, INGESTION = Priority.QUESTION, Priority.INGESTION
PATIENCE_S = 20.0


class Held:
    """A queue whose thread is held up by a first piece of work, so that what comes then waits in its order."""

    def __init__(self):
        self.compute = Compute()
        self.done = []
        self._gate = threading.Event()
        self._threads = ThreadPoolExecutor(32)
        self._asked = 0
        holding = threading.Event()
        self._threads.submit(self.compute.run, lambda: holding.set() or self._gate.wait(PATIENCE_S), QUESTION)
        assert holding.wait(PATIENCE_S)

    def ask(self, name, person="", priority=QUESTION, work=None):
        """One piece of work of one question, in the queue when this returns."""

        def run():
            with asking(person):
                return self.compute.run(work or (lambda: self.done.append(name)), priority)

        return self.queue(run)

    def queue(self, run):
        self._asked += 1
        future = self._threads.submit(contextvars.copy_context().run, run)
        deadline = time.monotonic() + PATIENCE_S
        while self.compute.waiting < self._asked:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return future

    def release(self):
        self._gate.set()
        self._threads.shutdown(wait=True)
        return self.done


@pytest.fixture
def held():
    queue = Held()
    yield queue
    queue.release()


def test_work_returns_what_it_made_and_raises_what_went_wrong():
    compute = Compute()

    assert compute.run(lambda: 7, QUESTION) == 7
    with pytest.raises(ZeroDivisionError):
        compute.run(lambda: 1 / 0, QUESTION)
    assert compute.run(lambda: 8, QUESTION) == 8


def test_questions_go_before_ingestion_whenever_they_came(held):
    held.ask("page 1", priority=INGESTION)
    held.ask("page 2", priority=INGESTION)
    held.ask("question", "ada")

    assert held.release() == ["question", "page 1", "page 2"]


def test_nobodys_second_question_comes_before_somebodys_first(held):
    for number in (1, 2, 3):
        held.ask(f"ada {number}", "ada")
    held.ask("bob 1", "bob")
    held.ask("eve 1", "eve")
    held.ask("bob 2", "bob")

    assert held.release() == ["ada 1", "bob 1", "eve 1", "ada 2", "bob 2", "ada 3"]


def test_whoever_asked_much_before_does_not_wait_for_ever(held):
    compute = held.compute
    held.release()
    for _ in range(50):
        with asking("ada"):
            compute.run(lambda: None, QUESTION)
    gate, order = threading.Event(), []
    threads = ThreadPoolExecutor(4)

    def ask(name, work):
        with asking(name):
            compute.run(work, QUESTION)

    running = threads.submit(ask, "eve", gate.wait)
    while compute.waiting or not running.running():
        time.sleep(0.001)
    for place, name in enumerate(("bob", "ada"), start=1):
        threads.submit(ask, name, lambda name=name: order.append(name))
        while compute.waiting < place:
            time.sleep(0.001)
    gate.set()
    threads.shutdown(wait=True)

    assert order == ["bob", "ada"]


def test_a_question_begun_is_finished_before_the_next_one_begins(held):
    def note(context, name):
        held.queue(lambda: context.copy().run(held.compute.run, lambda: held.done.append(name), QUESTION))

    with asking("ada"):
        ada = contextvars.copy_context()
        with asking("bob"):
            bob = contextvars.copy_context()
            note(ada, "ada 1")
            note(bob, "bob 1")
            note(ada, "ada 2")
            note(bob, "bob 2")
            held.release()

    assert held.done == ["ada 1", "ada 2", "bob 1", "bob 2"]


def test_requests_for_the_same_work_are_joined_and_each_gets_its_own(held):
    batches = []

    def double(items):
        batches.append(list(items))
        return [item * 2 for item in items]

    def join(items, work=double, priority=QUESTION):
        return held.queue(lambda: held.compute.join(work, items, priority, 5))

    found = [join([1, 2]), join([3]), join([4, 5, 6]), join([7])]
    other = join([8], lambda items: [item * 10 for item in items])
    ingested = join([9], priority=INGESTION)
    held.release()

    assert [one.result() for one in found] == [[2, 4], [6], [8, 10, 12], [14]]
    assert (other.result(), ingested.result()) == ([80], [18])
    assert batches == [[1, 2, 3, 7], [4, 5, 6], [9]]


def test_of_joined_requests_only_the_one_to_blame_fails(held):
    def inverse(items):
        return [1 / item for item in items]

    good = held.queue(lambda: held.compute.join(inverse, [2], QUESTION, 8))
    bad = held.queue(lambda: held.compute.join(inverse, [0], QUESTION, 8))
    short = held.queue(lambda: held.compute.join(lambda _items: [], [1], QUESTION, 8))
    held.release()

    assert good.result() == [0.5]
    with pytest.raises(ZeroDivisionError):
        bad.result()
    with pytest.raises(ValueError, match="0 values for 1 items"):
        short.result()


async def test_a_stopped_question_leaves_the_queue_and_lets_nothing_more_in(held):
    later = []

    def steps():
        held.compute.run(lambda: held.done.append("never"), QUESTION)
        later.append("not reached")

    async def answer():
        with asking("ada"):
            await asyncio.to_thread(steps)

    task = asyncio.create_task(answer())
    while not held.compute.waiting:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held.compute.waiting == 0
    held.ask("bob", "bob")

    assert held.release() == ["bob"]
    assert later == []


def test_after_its_end_a_question_computes_nothing():
    compute = Compute()
    with asking("ada"):
        context = contextvars.copy_context()

    with pytest.raises(CancelledError):
        context.run(compute.run, lambda: 1, QUESTION)


def test_nothing_spins_while_there_is_nothing_to_do():
    compute = Compute()
    compute.run(lambda: None, QUESTION)
    clock = time.pthread_getcpuclockid(compute._thread.ident)
    started = time.clock_gettime(clock)

    time.sleep(0.3)

    assert time.clock_gettime(clock) - started < 0.05  # seconds of the processor, not of the wall

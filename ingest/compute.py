"""Owns the cores: one thread runs all model work; questions before ingestion, and people in turn.

Two torch calls at once on a small machine are many times slower than one after the other (spinning
threads), so everything that computes with a model passes through here.

Questions are served whole, one after the other: sharing the cores among all of them would make the first as late
as the last. Their order is start-time fair queueing (Goyal, Vin and Cheng, 1996) with every question of the same
weight: nobody's second question comes before somebody's first. What several wait for alike is done together (`join`).
"""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


class Priority(IntEnum):
    """Who goes first. Lower is earlier."""

    QUESTION = 0
    INGESTION = 1


class Question:
    """A question that is being answered: whose it is, and what it still waits for."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.turn: tuple[int, int] | None = None  # its round and its number, from its first piece of work on
        self.stopped = False
        self.waiting: set[Future[Any]] = set()

    def stop(self) -> None:
        """Take what waits out of the queue, and let nothing more in."""
        self.stopped = True
        for future in tuple(self.waiting):
            future.cancel()


_question: ContextVar[Question | None] = ContextVar("question", default=None)


@contextmanager
def asking(person: str) -> Iterator[None]:
    """Whatever is computed inside, also on threads given this context, is one question of `person`.

    When the block ends, work that still waits is withdrawn: whoever waits for it gets CancelledError.
    """
    question = Question(person)
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)
        question.stop()


@dataclass(order=True, slots=True)
class _Piece:
    place: tuple[int, int, int, int]  # priority, round, number of the question, number of the piece
    future: Future[Any] = field(compare=False)
    work: Callable[..., Any] = field(compare=False)
    items: Sequence[Any] | None = field(compare=False)  # None: work of its own, without items
    most: int = field(compare=False)  # items that may be joined with those of others


class Compute:
    """A queue in front of one thread. The thread starts with the first piece of work."""

    def __init__(self) -> None:
        self._queue: list[_Piece] = []  # a heap
        self._filled = threading.Condition()
        self._numbers = itertools.count()
        self._round = 0  # of the question served last
        self._last: dict[str, int] = {}  # the round of each person's latest question, where it is not over
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Pieces of work in the queue, the one under way not counted."""
        with self._filled:
            return sum(not piece.future.cancelled() for piece in self._queue)

    def run(self, work: Callable[[], T], priority: Priority) -> T:
        """Do `work` on the compute thread and return what it returns, or raise what it raises.

        A piece of work should take at most about a second: a question waits for the piece under way. Raises
        CancelledError where the question was stopped before it began.
        """
        done: T = self._put(work, None, priority, 0)
        return done

    def join(
        self, work: Callable[[list[Item]], Sequence[T]], items: Sequence[Item], priority: Priority, most: int
    ) -> list[T]:
        """Do `work` on these items and on those that others wait with for the same work, up to `most` at once.

        `work` returns one value an item; those of `items` are returned, in order. Where it fails, it is done once more
        for each caller alone. Raises what it raises, and CancelledError as `run`.
        """
        done: list[T] = self._put(work, items, priority, most)
        return done

    def _put(self, work: Callable[..., Any], items: Sequence[Any] | None, priority: Priority, most: int) -> Any:  # noqa: ANN401 - what work returns
        question = _question.get() or Question("")
        future: Future[Any] = Future()
        question.waiting.add(future)
        try:
            if question.stopped:  # looked at after the future can be seen, so that `stop` misses none
                raise CancelledError
            with self._filled:
                self._start()
                place = (priority, *self._turn(question, priority), next(self._numbers))
                heapq.heappush(self._queue, _Piece(place, future, work, items, most))
                self._filled.notify()
            return future.result()
        finally:
            question.waiting.discard(future)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="compute", daemon=True)
            self._thread.start()

    def _turn(self, question: Question, priority: Priority) -> tuple[int, int]:
        if priority is not Priority.QUESTION:
            return 0, 0
        if question.turn is None:
            turn = max(self._round, self._last.get(question.person, -1) + 1)
            self._last = {person: last for person, last in self._last.items() if last >= self._round}
            self._last[question.person] = turn
            question.turn = turn, next(self._numbers)
        return question.turn

    def _loop(self) -> None:
        while True:
            _do(self._taken())

    def _taken(self) -> list[_Piece]:
        """The next piece of work, and those that can be joined with it, in their order."""
        with self._filled:
            while not self._queue:
                self._filled.wait()
            first = heapq.heappop(self._queue)
            self._round = max(self._round, first.place[1])
            taken = [first, *self._joining(first)]
        return [piece for piece in taken if piece.future.set_running_or_notify_cancel()]

    def _joining(self, first: _Piece) -> list[_Piece]:
        """Take out of the queue what can be done together with a piece."""
        if first.items is None:
            return []
        taken: list[_Piece] = []
        room = first.most - len(first.items)
        for piece in sorted(self._queue):
            alike = piece.items is not None and piece.place[0] == first.place[0] and piece.work == first.work
            if alike and len(piece.items or ()) <= room:
                taken.append(piece)
                room -= len(piece.items or ())
        joined = set(map(id, taken))
        self._queue = [piece for piece in self._queue if id(piece) not in joined]
        heapq.heapify(self._queue)
        return taken


def _do(pieces: Sequence[_Piece]) -> None:
    """Do the work of some pieces at once, and hand each its part of what came out, or what went wrong."""
    try:
        done = _worked(pieces)
    except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
        if len(pieces) > 1:  # one of them may be to blame
            for piece in pieces:
                _do([piece])
        else:
            pieces[0].future.set_exception(error)
        return
    for piece, value in zip(pieces, done, strict=True):
        piece.future.set_result(value)


def _worked(pieces: Sequence[_Piece]) -> list[Any]:
    """What each piece's work returned."""
    if not pieces or pieces[0].items is None:
        return [piece.work() for piece in pieces]
    values = list(pieces[0].work([item for piece in pieces for item in piece.items or ()]))
    cuts = list(itertools.accumulate((len(piece.items or ()) for piece in pieces), initial=0))
    if len(values) != cuts[-1]:
        raise ValueError(f"{len(values)} values for {cuts[-1]} items")
    return [values[start:end] for start, end in itertools.pairwise(cuts)]

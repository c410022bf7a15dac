"""Owns the cores: one thread runs all model work, questions before ingestion.

Two torch calls at once on a small machine are many times slower than one after the other (spinning
threads), so everything that computes with a model passes through here.
"""

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first. Lower is earlier."""

    QUESTION = 0
    INGESTION = 1


class Compute:
    """A queue in front of one thread. The thread starts with the first piece of work."""

    def __init__(self) -> None:
        self._queue: queue.PriorityQueue[tuple[int, int, Future[Any], Callable[[], Any]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def run(self, work: Callable[[], T], priority: Priority) -> T:
        """Do `work` on the compute thread and return what it returns, or raise what it raises.

        A piece of work should take at most about a second: a question waits for the piece under way.
        """
        self._start()
        future: Future[T] = Future()
        self._queue.put((priority, next(self._order), future, work))
        return future.result()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="compute", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while True:
            _, _, future, work = self._queue.get()
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                future.set_exception(error)
            # Let go before waiting: the last question's tensors would stay in memory until the next.
            del future, work

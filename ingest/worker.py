"""The loop that takes jobs. Only the home's owner runs it.

Several files are on their way at once, each in a thread of its own: while the model embeds one, others are read by
their children, and a large file that is embedded takes turns with small ones. All that must not be torn is a
transaction of the library, whichever thread it runs in.
"""

import contextlib
import errno
import logging
import os
import queue
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Collection

from ingest.index.generation import Index
from ingest.library import Library
from ingest.pipeline import Ingestion
from ingest.records import Job, JobKind, JobState

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0  # after a failure outside of any one file
IDLE_SECONDS = 0.3  # between two looks at the table while there is nothing to do
MOST_LANES = 4  # files at once; each may take the memory of a reader
LARGE = 3_000_000  # bytes; one lane is always left for files that are smaller
AHEAD = 200  # waiting jobs that are looked at


class Worker:
    """Works off waiting jobs, oldest first, and keeps the index current."""

    def __init__(self, library: Library, ingestion: Ingestion, index: Index, lanes: int = 0) -> None:
        """`lanes` is how many files are on their way at once; 0: as many as there are cores, 2 to 4."""
        self._lanes = lanes or min(max(os.cpu_count() or 1, 2), MOST_LANES)
        self._library = library
        self._ingestion = ingestion
        self._index = index
        self._told = False  # whether it was said that another process is needed

    def work_off(self, stop: threading.Event | None = None) -> None:
        """Do every waiting job, several at once, then bring the index up to date.

        Once `stop` is set, or one of them raised what is not its file's fault, no other is begun.
        """
        ended: queue.SimpleQueue[tuple[int, BaseException | None]] = queue.SimpleQueue()
        running: dict[int, Job] = {}
        failure: BaseException | None = None
        worked = False
        while True:
            go_on = failure is None and not (stop and stop.is_set()) and self._current()
            job = self._next(running.values()) if go_on else None
            if job is not None:
                if worked and self._index.behind():
                    self._index.follow()  # so that not all of it waits for the last file
                worked = True
                self._begin(job, running, ended)
            elif running:
                with contextlib.suppress(queue.Empty):  # then the table is looked at again: a file may have come
                    number, error = ended.get(timeout=IDLE_SECONDS)
                    del running[number]
                    failure = failure or error
            else:
                break
        if failure is not None:
            raise failure
        if worked:
            self._index.refresh()

    def _begin(
        self, job: Job, running: dict[int, Job], ended: "queue.SimpleQueue[tuple[int, BaseException | None]]"
    ) -> None:
        if job.kind is JobKind.REBUILD:
            self._do(job)
            return
        running[job.id] = job
        threading.Thread(target=self._lane, args=(job, ended), name=f"job {job.id}", daemon=True).start()

    def _lane(self, job: Job, ended: "queue.SimpleQueue[tuple[int, BaseException | None]]") -> None:
        error: BaseException | None = None
        try:
            self._do(job)
        except BaseException as raised:  # noqa: BLE001 - raised again by work_off
            error = raised
        finally:
            ended.put((job.id, error))

    def _next(self, running: Collection[Job]) -> Job | None:
        """The oldest job that may begin beside those running; None where there is none.

        Jobs about one name or one content keep their order. A rebuild has the index for itself.
        """
        oldest = self._library.jobs.next_waiting()
        if oldest is None or len(running) >= self._lanes:
            return None
        if oldest.kind is JobKind.REBUILD:
            return None if running else oldest
        begun = {job.id for job in running}
        large = sum(job.size > LARGE for job in running)
        held = {key for job in running for key in _keys(job)}
        for job in self._library.jobs.under_way(AHEAD):
            if job.id in begun:
                continue
            if held.isdisjoint(_keys(job)) and (job.size <= LARGE or large < self._lanes - 1):
                return job
            held.update(_keys(job))
        return None

    def _current(self) -> bool:
        """Whether documents can get the vectors that the library needs by now; else files have to wait."""
        if self._ingestion.ready():
            return True
        if not self._told:
            self._told = True
            now = self._library.fact("embedder")
            logger.warning("The library was embedded anew with %s. Start again with that RAG_EMBEDDER.", now)
        return False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        while not stop.wait(IDLE_SECONDS):
            try:
                self.work_off(stop)
                self._index.tend()
            except Exception:
                # The loop must outlive one failure, or every later upload would wait for ever.
                logger.exception("the worker failed and goes on")
                stop.wait(PAUSE_SECONDS)

    def _do(self, job: Job) -> None:
        try:
            if job.kind is JobKind.REBUILD:
                self._rebuild(job)
            else:
                self._ingestion.run(job)
        except Exception as error:
            # A bug in one file must not stop the others; its traceback is found by the reference.
            reference = uuid.uuid4().hex[:4].upper()
            logger.exception("job %s (%s) failed; reference %s", job.id, job.content[:12], reference)
            reason = f"Something failed here that should not have; nothing was kept. It is logged as {reference}."
            if _no_room(error):
                free = shutil.disk_usage(self._library.home.folder).free
                reason = (
                    f"The disk became full ({free / 1e6:.0f} MB left); nothing was kept. Make room, then add it again."
                )
            self._library.jobs.update(job.id, state=JobState.REFUSED, reason=reason)
            self._library.sweep()

    def _rebuild(self, job: Job) -> None:
        self._library.jobs.update(job.id, state=JobState.INDEXING)
        if self._index.rebuild():
            self._library.jobs.update(job.id, state=JobState.READY)
        else:
            self._library.jobs.update(job.id, state=JobState.REFUSED, reason="The search index could not be built.")


def _keys(job: Job) -> tuple[tuple[str, str], ...]:
    """What no two files on their way may share: the name and the contents."""
    return (job.space, f"name {job.path}"), (job.space, f"content {job.content}")


def _no_room(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno == errno.ENOSPC

"""The loop that takes jobs. Only the home's owner runs it."""

import errno
import logging
import shutil
import sqlite3
import threading
import uuid

from ingest.index.generation import Index
from ingest.library import Library
from ingest.pipeline import Ingestion
from ingest.records import Job, JobKind, JobState

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0  # after a failure outside of any one file
IDLE_SECONDS = 0.3  # between two looks at the table while there is nothing to do


class Worker:
    """Works off waiting jobs, oldest first, and keeps the index current."""

    def __init__(self, library: Library, ingestion: Ingestion, index: Index) -> None:
        self._library = library
        self._ingestion = ingestion
        self._index = index
        self._told = False  # whether it was said that another process is needed

    def work_off(self, stop: threading.Event | None = None) -> None:
        """Do every waiting job, then bring the index up to date."""
        worked = False
        while self._current() and (job := self._library.jobs.next_waiting()) and not (stop and stop.is_set()):
            self._do(job)
            worked = True
        if worked:
            self._index.refresh()

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


def _no_room(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno == errno.ENOSPC

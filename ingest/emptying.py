"""Ends what is on its way into a space, so that nothing comes in while the space is taken away."""

import time

from ingest.errors import HomeBusy, LibraryError
from ingest.home import OwnerLock
from ingest.library import Library
from ingest.library.jobs import KEPT
from ingest.pipeline import CANCELLED
from ingest.records import Job

WAIT_S = 60.0  # seconds until a file that is read or embedded has to have stopped
POLL_S = 0.2  # between two looks
_ALL = 1_000_000  # jobs, more than a table holds


def under_way(library: Library, space: str) -> list[Job]:
    """The files that are on their way into a space."""
    return [job for job in library.jobs.under_way(_ALL) if job.space == space]


def stop(library: Library, space: str, wait_s: float = WAIT_S) -> int:
    """Cancel every file on its way into a space, wait until none is, and return how many there were.

    Whoever owns the home stops them; without an owner they are ended here. Raises LibraryError where one goes on for
    longer than `wait_s` seconds.
    """
    begun = under_way(library, space)
    for job in begun:
        library.jobs.cancel(job.id)
    until = time.monotonic() + wait_s
    while (left := under_way(library, space)) and not _ended_here(library, left):
        if time.monotonic() > until:
            raise LibraryError(
                f"A file is still on its way into the space {space} and was asked to stop. Nothing was removed; do "
                "this once more in a minute."
            )
        time.sleep(POLL_S)
    library.sweep()
    return len(begun)


def forget(library: Library, space: str) -> None:
    """Delete what is known of files that came into a space earlier: their names, and how they ended."""
    for content in {job.content for job in library.jobs.ended(KEPT) if job.space == space}:
        library.jobs.forget(space, content)


def _ended_here(library: Library, jobs: list[Job]) -> bool:
    """Whether nobody owns the home, so that nobody would take these jobs up; they are ended then."""
    try:
        with OwnerLock(library.home).acquire():
            for job in jobs:
                library.jobs.update(job.id, state=CANCELLED[0], reason=CANCELLED[1])
    except HomeBusy:
        return False
    return True

"""The jobs table: every file on its way in, and how the last ones ended."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.library.database import Database
from ingest.library.rows import marks
from ingest.records import UNDER_WAY, Job, JobKind, JobState

KEPT = 5_000  # finished jobs kept for the eye
_ACTIVE = tuple(sorted(UNDER_WAY))
_MARKS = ",".join("?" * len(_ACTIVE))


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """A file as it came to the door."""

    space: str
    path: str
    content: str = ""  # SHA-256 of its bytes; "" when it was refused before it was read
    size: int = 0  # bytes
    mtime_ns: int = 0  # modification time of the file; 0 for an upload
    state: JobState = JobState.WAITING
    reason: str = ""
    document_id: str | None = None
    kind: JobKind = JobKind.FILE


def insert(connection: sqlite3.Connection, job: NewJob) -> int:
    """Store a job inside the caller's transaction and return its id; old finished ones go."""
    cursor = connection.execute(
        "INSERT INTO jobs(space, path, content, size, mtime_ns, state, reason, document_id, kind) "
        "VALUES(?,?,?,?,?,?,?,?,?)",
        (job.space, job.path, job.content, job.size, job.mtime_ns, job.state, job.reason, job.document_id, job.kind),
    )
    identifier = int(cursor.lastrowid or 0)
    connection.execute(
        f"DELETE FROM jobs WHERE id <= ? AND state NOT IN ({_MARKS})",
        (identifier - KEPT, *_ACTIVE),
    )
    return identifier


class Jobs:
    """Reads and writes jobs. The state in the table is what people see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: NewJob) -> Job:
        """Store a job and return it. A file refused at the door is a job too, so that it is listed."""
        with self._database.writing() as connection:
            identifier = insert(connection, job)
        return self.get(identifier)

    def get(self, job_id: int) -> Job:
        """One job. Raises KeyError when there is none."""
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", (job_id,))
        if row is None:
            raise KeyError(job_id)
        return _job(row)

    def latest(self, limit: int = 100) -> list[Job]:
        """The newest jobs with files, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM (SELECT * FROM jobs WHERE kind = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
            (JobKind.FILE, limit),
        )
        return [_job(row) for row in rows]

    def under_way(self, limit: int, spaces: Sequence[str] | None = None) -> list[Job]:
        """The jobs with files that are not finished, of some spaces or all, in the order they are worked off."""
        of_these, values = _within(spaces)
        rows = self._database.rows(
            f"SELECT * FROM jobs WHERE kind = ? AND state IN ({_MARKS}){of_these} ORDER BY id LIMIT ?",
            (JobKind.FILE, *_ACTIVE, *values, limit),
        )
        return [_job(row) for row in rows]

    def ended(self, limit: int, spaces: Sequence[str] | None = None) -> list[Job]:
        """The jobs with files that finished last, of some spaces or all, newest first."""
        of_these, values = _within(spaces)
        rows = self._database.rows(
            f"SELECT * FROM jobs WHERE kind = ? AND state NOT IN ({_MARKS}){of_these} ORDER BY id DESC LIMIT ?",
            (JobKind.FILE, *_ACTIVE, *values, limit),
        )
        return [_job(row) for row in rows]

    def count_under_way(self, spaces: Sequence[str] | None = None) -> int:
        """How many jobs with files are not finished, of some spaces or all."""
        of_these, values = _within(spaces)
        (count,) = self._database.rows(
            f"SELECT count(*) FROM jobs WHERE kind = ? AND state IN ({_MARKS}){of_these}",
            (JobKind.FILE, *_ACTIVE, *values),
        )[0]
        return int(count)

    def count_by_state(self) -> dict[JobState, int]:
        """How many jobs with files stand in each state, of those that are kept; states without any are left out."""
        rows = self._database.rows("SELECT state, count(*) FROM jobs WHERE kind = ? GROUP BY state", (JobKind.FILE,))
        return {JobState(state): int(count) for state, count in rows}

    def next_waiting(self) -> Job | None:
        """The job to work on: the oldest that is not finished, also one that a crash left half done."""
        row = self._database.row(f"SELECT * FROM jobs WHERE state IN ({_MARKS}) ORDER BY id LIMIT 1", _ACTIVE)
        return None if row is None else _job(row)

    def mtime_ns(self, job_id: int) -> int:
        """Modification time of the job's file when it was taken in; 0 for an upload."""
        (row,) = self._database.rows("SELECT mtime_ns FROM jobs WHERE id = ?", (job_id,))
        return int(row["mtime_ns"])

    def update(self, job_id: int, **columns: str | float | None) -> None:
        """Set columns of one job; the names are this module's, never a user's."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._database.writing() as connection:
            connection.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*columns.values(), job_id))

    def forget(self, space: str, content: str) -> None:
        """Delete what is known of finished jobs with these bytes."""
        with self._database.writing() as connection:
            connection.execute(
                f"DELETE FROM jobs WHERE space = ? AND content = ? AND state NOT IN ({_MARKS})",
                (space, content, *_ACTIVE),
            )

    def cancel(self, job_id: int) -> bool:
        """Ask for a job to be stopped; False when it is finished already."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                f"UPDATE jobs SET cancel = 1 WHERE id = ? AND state IN ({_MARKS})",
                (job_id, *_ACTIVE),
            )
        return cursor.rowcount > 0

    def cancelled(self, job_id: int) -> bool:
        """Whether someone asked for the job to be stopped."""
        row = self._database.row("SELECT cancel FROM jobs WHERE id = ?", (job_id,))
        return row is None or bool(row["cancel"])


def _within(spaces: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    """What narrows a WHERE to some spaces, and its values."""
    return ("", ()) if spaces is None else (f" AND space IN ({marks(spaces)})", spaces)


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        space=row["space"],
        path=row["path"],
        content=row["content"],
        state=JobState(row["state"]),
        reason=row["reason"],
        document_id=row["document_id"],
        pages_done=row["pages_done"],
        pages=row["pages"],
        chunks_done=row["chunks_done"],
        chunks=row["chunks"],
        seconds=row["seconds"],
        size=row["size"],
        kind=JobKind(row["kind"]),
    )

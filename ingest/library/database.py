"""Connections to library.db: lent to whoever reads or writes, and writing as whole transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.errors import LibraryError
from ingest.library.schema import connect

KEPT = 4  # open connections that wait for the next who needs one; further ones are closed when they are given back
COMPACT_S = 60.0  # seconds to wait for readers of what is to be overwritten


def compact(path: Path) -> None:
    """Write a database anew without what was deleted from it, and empty its journal.

    Raises LibraryError where there is no room or another process keeps reading.
    """
    connection = sqlite3.connect(path, timeout=COMPACT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("VACUUM")
        deadline = time.monotonic() + COMPACT_S
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise LibraryError(f"{path} is being read all the time and could not be compacted. Do this once more.")
            time.sleep(0.1)
    except sqlite3.OperationalError as error:
        raise LibraryError(
            f"{path} could not be compacted ({error}). It needs as much room again as it takes "
            f"({path.stat().st_size / 1e6:.0f} MB). Make room, then do this once more."
        ) from error
    finally:
        connection.close()


class Database:
    """One SQLite file. Each read and each transaction has a connection for itself, used again by the next.

    A connection per thread would stay open, with its cache of pages, for as long as threads wait for work. SQLite keeps
    the handle of a closed one while another holds a lock on the file, and gives it to the next that is opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[sqlite3.Connection] = []  # the last given back is taken first: it knows the most pages
        self._lock = threading.Lock()
        self._own = threading.local()  # the connection in whose transaction the thread is

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; inside `writing` its own, so that what it wrote is seen."""
        mine: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if mine is not None:
            yield mine
            return
        connection = self._taken()
        try:
            yield connection
        finally:
            self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored when the block ends, none of it when it raises."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self._own.connection = connection
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._own.connection = None
            connection.execute("COMMIT")

    def rows(self, statement: str, values: Sequence[str | float | None] = ()) -> list[sqlite3.Row]:
        """All rows that a statement reads."""
        with self.reading() as connection:
            return connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[str | float | None] = ()) -> sqlite3.Row | None:
        """The first row that a statement reads, or None."""
        with self.reading() as connection:
            found: sqlite3.Row | None = connection.execute(statement, values).fetchone()
            return found

    def stream(self, statement: str, values: Sequence[str | float | None] = ()) -> Iterator[sqlite3.Row]:
        """Rows one by one, for what is too large to hold; all of one moment, the one of the first."""
        with self.reading() as connection, closing(connection.execute(statement, values)) as rows:
            yield from rows

    def close(self) -> None:
        """Close the connections that nobody uses; those in use are closed when they are given back too many."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.close()

    def _taken(self) -> sqlite3.Connection:
        with self._lock:
            if self._waiting:
                return self._waiting.pop()
        connection = connect(self._path)
        connection.row_factory = sqlite3.Row
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            keep = len(self._waiting) < KEPT and not connection.in_transaction  # as where COMMIT failed
            if keep:
                self._waiting.append(connection)
        if not keep:
            connection.close()

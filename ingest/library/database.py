"""Connections to library.db: one a thread, and writing as whole transactions."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import LibraryError
from ingest.library.schema import connect

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
    """One SQLite file. Every thread gets a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection; reading only, unless inside `writing`."""
        mine: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if mine is None:
            mine = connect(self._path)
            mine.row_factory = sqlite3.Row
            self._local.connection = mine
        return mine

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored when the block ends, none of it when it raises."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close this thread's connection."""
        mine: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if mine is not None:
            mine.close()
            del self._local.connection

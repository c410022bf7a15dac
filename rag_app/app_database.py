"""app.db: the file that holds what people did, its tables, and writing as whole transactions.

What stands in the tables is the business of `conversations.py` and `feedback.py`.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.errors import LibraryError

# What each version of the file adds to the one before it; never edited, only added to.
VERSIONS = (
    """
    CREATE TABLE conversation (
        id TEXT PRIMARY KEY,
        browser TEXT NOT NULL,
        begun TEXT NOT NULL,
        touched TEXT NOT NULL
    );
    CREATE INDEX conversation_browser ON conversation (browser, touched);
    CREATE TABLE turn (
        id TEXT PRIMARY KEY,
        conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        asked TEXT NOT NULL,
        question TEXT NOT NULL,
        state TEXT NOT NULL,
        failure TEXT NOT NULL DEFAULT '',
        answer TEXT,
        UNIQUE (conversation, position)
    );
    """,
    """
    ALTER TABLE conversation ADD COLUMN name TEXT NOT NULL DEFAULT '';
    CREATE TABLE candidates (
        turn TEXT PRIMARY KEY REFERENCES turn (id) ON DELETE CASCADE,
        candidates TEXT NOT NULL
    );
    CREATE TABLE feedback (
        turn TEXT PRIMARY KEY REFERENCES turn (id) ON DELETE CASCADE,
        given TEXT NOT NULL,
        verdict TEXT NOT NULL,
        reason TEXT NOT NULL,
        note TEXT NOT NULL,
        question TEXT NOT NULL,
        searched TEXT NOT NULL,
        answer TEXT NOT NULL,
        passages TEXT NOT NULL
    );
    """,
)


class AppDatabase:
    """One connection, handed from thread to thread under a lock."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`. Raises LibraryError when it was written by a newer version."""
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute("PRAGMA secure_delete=ON")  # a deleted conversation leaves no text in the file
        # SQLite's own LIKE and lower() fold only ASCII.
        self._db.create_function("holds", 2, _holds, deterministic=True)
        self._bring_up_to_date(path)

    def _bring_up_to_date(self, path: Path) -> None:
        with self.writing() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(VERSIONS):
                sentence = f"{path} was written by a newer version. Install that version, or use another RAG_HOME."
                raise LibraryError(sentence)
            for addition in VERSIONS[version:]:
                for statement in filter(str.strip, addition.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(VERSIONS)}")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored when the block ends, none of it when it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
        """What a question to the tables finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _holds(text: str, part: str) -> bool:
    """Whether `text` holds `part`, capital or small; `part` is folded already."""
    return part in text.casefold()

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
from ingest.library import schema

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
    """
    ALTER TABLE turn ADD COLUMN excluded TEXT NOT NULL DEFAULT '[]';
    """,
    """
    ALTER TABLE turn ADD COLUMN spaces TEXT NOT NULL DEFAULT '[]';
    CREATE TABLE reply (
        id INTEGER PRIMARY KEY,
        turn TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
        copied TEXT NOT NULL,
        text TEXT NOT NULL,
        model TEXT NOT NULL
    );
    CREATE INDEX reply_turn ON reply (turn);
    """,
    """
    CREATE TABLE person (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        folded TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        administrator INTEGER NOT NULL,
        disabled INTEGER NOT NULL DEFAULT 0,
        added TEXT NOT NULL
    );
    CREATE TABLE space (
        name TEXT PRIMARY KEY,
        begun TEXT NOT NULL
    );
    CREATE TABLE member (
        space TEXT NOT NULL,
        person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
        role INTEGER NOT NULL,
        PRIMARY KEY (person, space)
    );
    CREATE TABLE session (
        secret TEXT PRIMARY KEY,
        person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
        begun REAL NOT NULL,
        used REAL NOT NULL
    );
    CREATE INDEX session_person ON session (person);
    CREATE TABLE invitation (
        person TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
        secret TEXT NOT NULL UNIQUE,
        expires REAL NOT NULL
    );
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        person TEXT NOT NULL,
        name TEXT NOT NULL,
        act TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE api_key (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        person TEXT REFERENCES person (id) ON DELETE CASCADE,
        spaces TEXT,
        hash TEXT NOT NULL,
        made REAL NOT NULL,
        expires REAL,
        used REAL,
        revoked REAL
    );
    CREATE INDEX api_key_person ON api_key (person);
    """,
    """
    CREATE TABLE question_vector (
        turn TEXT PRIMARY KEY REFERENCES turn (id) ON DELETE CASCADE,
        embedder TEXT NOT NULL,
        vector BLOB NOT NULL
    );
    CREATE TABLE inbox_case (
        id TEXT PRIMARY KEY,
        spaces TEXT NOT NULL,
        embedder TEXT NOT NULL,
        vector BLOB NOT NULL,
        assigned TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        closed TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        changed TEXT NOT NULL,
        name TEXT NOT NULL
    );
    CREATE TABLE approved (
        id TEXT PRIMARY KEY,
        space TEXT NOT NULL,
        withdrawn TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE approved_version (
        approved TEXT NOT NULL REFERENCES approved (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        written TEXT NOT NULL,
        author TEXT NOT NULL,
        name TEXT NOT NULL,
        question TEXT NOT NULL,
        answer TEXT NOT NULL,
        review TEXT NOT NULL,
        sources TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (approved, number)
    );
    """,
    """
    CREATE TABLE identity (
        person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        PRIMARY KEY (person, issuer),
        UNIQUE (issuer, subject)
    );
    CREATE TABLE shared (
        conversation TEXT PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
        token TEXT NOT NULL UNIQUE,
        made TEXT NOT NULL
    );
    """,
)


class AppDatabase:
    """One connection, handed from thread to thread under a lock."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`; one of an earlier version is migrated, after a copy was made.

        Raises LibraryError when it was made by a newer version, is damaged, or could not be copied.
        """
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=schema.WAIT_S, check_same_thread=False, isolation_level=None)
        try:
            self._set_up()
            self._bring_up_to_date(path)
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise LibraryError(
                    f"{path} is damaged ({error}). Restore a backup with `rag restore FILE` into an empty RAG_HOME, or "
                    "move that file away to go on without the conversations; the documents are not in it."
                ) from error
            raise

    def _set_up(self) -> None:
        schema.use_wal(self._db)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute("PRAGMA secure_delete=ON")  # a deleted conversation leaves no text in the file
        # SQLite's own LIKE and lower() fold only ASCII.
        self._db.create_function("holds", 2, _holds, deterministic=True)

    def _bring_up_to_date(self, path: Path) -> None:
        version = self._version()
        if version > len(VERSIONS):
            raise LibraryError(
                f"{path} was made by a newer version of this program (schema {version}, this one knows "
                f"{len(VERSIONS)}). Update the program, or set RAG_HOME to another folder."
            )
        if version == len(VERSIONS):
            return
        if version:
            schema.keep_copy(self._db, path, version)
        with self.writing() as connection:
            for addition in VERSIONS[self._version() :]:  # another process may have been here meanwhile
                for statement in filter(str.strip, addition.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(VERSIONS)}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored when the block ends, none of it when it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: str | float) -> list[tuple[Any, ...]]:
        """What a question to the tables finds."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def drop_copies(path: Path) -> None:
    """Delete the copies that migrations of the file at `path` left beside it."""
    for version in range(1, len(VERSIONS)):
        schema.earlier(path, version).unlink(missing_ok=True)


def storable(text: str) -> str:
    """`text` as SQLite can hold it: halves of a character that come apart are joined, and lone ones replaced.

    A language model's server may send the two halves of an emoji one after the other.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _holds(text: str, part: str) -> bool:
    """Whether `text` holds `part`, capital or small; `part` is folded already."""
    return part in text.casefold()

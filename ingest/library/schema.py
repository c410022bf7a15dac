"""The tables of library.db and how a connection to it is opened."""

import sqlite3
import time
import uuid
from pathlib import Path

from ingest.errors import LibraryError

VERSION = 4
WAIT_S = 30.0  # seconds to wait for others who write to a database, or open it for the first time

TABLES = """
CREATE TABLE IF NOT EXISTS documents(
  id TEXT PRIMARY KEY, space TEXT NOT NULL, content TEXT NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL,
  pages INTEGER NOT NULL, chunks INTEGER NOT NULL, size INTEGER NOT NULL, added TEXT NOT NULL,
  failed_pages TEXT NOT NULL, empty_pages TEXT NOT NULL, hidden_words INTEGER NOT NULL,
  recipe TEXT NOT NULL, health TEXT NOT NULL DEFAULT '{}',  -- JSON: what else is known of how it was read
  state TEXT NOT NULL CHECK(state IN ('hidden', 'ready', 'gone')),
  seq INTEGER NOT NULL DEFAULT 0);          -- rises with each document made visible; 0 while hidden
CREATE INDEX IF NOT EXISTS documents_by_state ON documents(state, seq, space, chunks);  -- counts read nothing else
CREATE INDEX IF NOT EXISTS documents_by_content ON documents(content);
CREATE TABLE IF NOT EXISTS names(
  space TEXT NOT NULL, path TEXT NOT NULL, document_id TEXT NOT NULL,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,   -- of the file when it was read; 0 for an upload
  PRIMARY KEY(space, path)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_by_document ON names(document_id);
CREATE TABLE IF NOT EXISTS chunks(
  id TEXT PRIMARY KEY, document_id TEXT NOT NULL, position INTEGER NOT NULL, page INTEGER NOT NULL,
  first_page INTEGER NOT NULL, last_page INTEGER NOT NULL, label TEXT NOT NULL, heading TEXT NOT NULL,
  text TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, UNIQUE(document_id, position));
CREATE TABLE IF NOT EXISTS vectors(
  document_id TEXT NOT NULL, embedder TEXT NOT NULL, position INTEGER NOT NULL,  -- of the first row
  count INTEGER NOT NULL, data BLOB NOT NULL,          -- count x dimensions float32, little endian
  PRIMARY KEY(document_id, embedder, position));
CREATE TABLE IF NOT EXISTS jobs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, space TEXT NOT NULL, path TEXT NOT NULL, content TEXT NOT NULL,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  document_id TEXT, pages_done INTEGER NOT NULL DEFAULT 0, pages INTEGER NOT NULL DEFAULT 0,
  chunks_done INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
  cancel INTEGER NOT NULL DEFAULT 0, kind TEXT NOT NULL DEFAULT 'file');
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs(state);
CREATE TABLE IF NOT EXISTS facts(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

# What leads from each version to the next; TABLES is where they all lead.
MIGRATIONS = {
    1: """
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'file';
DELETE FROM facts WHERE key = 'generation' OR key LIKE 'words:%';  -- without checksums: built once more
""",
    2: """
ALTER TABLE documents ADD COLUMN health TEXT NOT NULL DEFAULT '{}';
""",
    3: """
DROP INDEX IF EXISTS documents_by_seq;
CREATE INDEX IF NOT EXISTS documents_by_state ON documents(state, seq, space, chunks);
""",
}


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread at a time, to a database of this version; an older one is migrated, after a copy.

    Raises LibraryError for a database that is damaged or was made by a newer version.
    """
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):  # busy, or no room: not the file's fault
            raise
        raise LibraryError(
            f"{path} is damaged ({error}). Restore a backup with `rag restore FILE` into an empty RAG_HOME, "
            "or add the files again there; the originals lie in the folder `originals` beside it."
        ) from error
    if version > VERSION:
        connection.close()
        raise LibraryError(
            f"{path} was made by a newer version of this program (schema {version}, this one knows {VERSION}). "
            "Update the program, or set RAG_HOME to another folder."
        )
    if version == 0:
        _create(connection)
    elif version < VERSION:
        _migrate(connection, path, version)
    return connection


def use_wal(connection: sqlite3.Connection) -> None:
    """Let a connection keep its journal as WAL. Raises sqlite3.OperationalError where others held the file too long.

    Of two who open a new file at the same moment both hold a read lock and want to write; SQLite refuses one of them
    at once, whatever its timeout, since neither would ever let go (https://www.sqlite.org/c3ref/busy_handler.html).
    """
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _create(connection: sqlite3.Connection) -> None:
    # IF NOT EXISTS: two processes may meet here, and the second waits at BEGIN IMMEDIATE.
    connection.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version={VERSION};COMMIT;")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring an older database to this version in one transaction; the copy made before stays beside it."""
    try:
        keep_copy(connection, path, version)
    except LibraryError:
        connection.close()
        raise
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been here meanwhile.
    current = int(connection.execute("PRAGMA user_version").fetchone()[0])
    try:
        for step in range(current, VERSION):
            for statement in _statements(MIGRATIONS[step]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy a database beside itself before it is migrated from `version`, unless that was done already.

    Raises LibraryError where it cannot be copied.
    """
    copy = earlier(path, version)
    if copy.exists():
        return
    partial = copy.with_suffix(f".{uuid.uuid4().hex}")
    try:
        connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.OperationalError as error:
        partial.unlink(missing_ok=True)
        raise LibraryError(
            f"{path} is of an earlier version and could not be copied before its migration ({error}). Nothing was "
            f"changed. Make room on its disk ({path.stat().st_size / 1e6:.0f} MB), then start again."
        ) from error
    partial.replace(copy)


def earlier(path: Path, version: int) -> Path:
    """Where the copy of a database lies that was made before its migration from `version`."""
    return path.with_name(f"{path.name}.schema-{version}")


def _statements(script: str) -> list[str]:
    lines = [line.partition("--")[0] for line in script.splitlines()]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]

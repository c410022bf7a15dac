"""The tables of library.db and how a connection to it is opened."""

import sqlite3
from pathlib import Path

from ingest.errors import LibraryError

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS documents(
  id TEXT PRIMARY KEY, space TEXT NOT NULL, content TEXT NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL,
  pages INTEGER NOT NULL, chunks INTEGER NOT NULL, size INTEGER NOT NULL, added TEXT NOT NULL,
  failed_pages TEXT NOT NULL, empty_pages TEXT NOT NULL, hidden_words INTEGER NOT NULL,
  recipe TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('hidden', 'ready', 'gone')),
  seq INTEGER NOT NULL DEFAULT 0);          -- rises with each document made visible; 0 while hidden
CREATE INDEX IF NOT EXISTS documents_by_seq ON documents(state, seq);
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
  cancel INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs(state);
CREATE TABLE IF NOT EXISTS facts(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread. Raises LibraryError for a database made by a newer version."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version == 0:
        _create(connection)
    elif version > VERSION:
        connection.close()
        raise LibraryError(
            f"{path} was made by a newer version of this program (schema {version}, this one knows {VERSION}). "
            "Update the program, or set RAG_HOME to another folder."
        )
    return connection


def _create(connection: sqlite3.Connection) -> None:
    # IF NOT EXISTS: two processes may meet here, and the second waits at BEGIN IMMEDIATE.
    connection.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version={VERSION};COMMIT;")

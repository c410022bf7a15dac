"""Rows of library.db as values, and the other way round."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.records import UNDER_WAY, Chunk, Document

# Visible documents that have not a vector for every passage, by the embedder that is asked for.
LACKING = (
    "SELECT d.* FROM documents d WHERE d.state = 'ready' AND d.chunks != (SELECT coalesce(sum(v.count), 0) "
    "FROM vectors v WHERE v.document_id = d.id AND v.embedder = ?)"
)
_HEALTH = ("characters", "form_values", "notes", "doubt")  # of a document, in one column
# Places in JSON, [[document id, position], ...]: one statement for any number of them, which SQLite keeps prepared.
PLACES = "SELECT json_extract(value, '$[0]') AS document_id, json_extract(value, '$[1]') AS position FROM json_each(?)"
# Their vectors, each cut out of its block.
VECTORS_AT = (
    "SELECT w.document_id, w.position, "
    "substr(v.data, 1 + (w.position - v.position) * (length(v.data) / v.count), length(v.data) / v.count) AS vector "
    f"FROM ({PLACES}) w JOIN vectors v ON v.document_id = w.document_id AND v.embedder = ? AND v.position = "
    "(SELECT max(b.position) FROM vectors b "
    "WHERE b.document_id = w.document_id AND b.embedder = v.embedder AND b.position <= w.position) "
    "WHERE w.position < v.position + v.count"
)
# Spaces with a visible document, each found by the one before it: a document goes with its last name.
SPACES = (
    "WITH RECURSIVE found(space) AS (SELECT min(space) FROM names UNION ALL "
    "SELECT (SELECT min(space) FROM names n WHERE n.space > found.space) FROM found WHERE found.space IS NOT NULL) "
    "SELECT space FROM found WHERE EXISTS (SELECT 1 FROM names n JOIN documents d ON d.id = n.document_id "
    "WHERE n.space = found.space AND d.state = 'ready') ORDER BY space"
)
CHUNK_COLUMNS = "id, document_id, position, page, first_page, last_page, label, heading, text, start, end"


@dataclass(frozen=True, slots=True)
class VectorBlock:
    """Consecutive vectors of one document."""

    document_id: str
    position: int  # of the first row's passage
    vectors: NDArray[np.float32]  # (passages, dimensions)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a set of spaces holds."""

    documents: int
    chunks: int


def marks(values: Sequence[object]) -> str:
    """As many question marks as there are values, for an IN list."""
    return ",".join("?" * len(values))


def matrix(row: sqlite3.Row) -> NDArray[np.float32]:
    """The vectors of a row of the table, (passages, dimensions)."""
    return np.frombuffer(row["data"], dtype="<f4").reshape(row["count"], -1)


def chunk_of(row: sqlite3.Row, prefix: str) -> Chunk:
    """The passage of a row whose columns begin with `prefix`."""
    return Chunk(**{name.strip(): row[prefix + name.strip()] for name in CHUNK_COLUMNS.split(",")})


def document_of(row: sqlite3.Row) -> Document:
    """The document of a row."""
    return Document(
        id=row["id"],
        space=row["space"],
        content=row["content"],
        title=row["title"],
        path=row["path"],
        pages=row["pages"],
        chunks=row["chunks"],
        size=row["size"],
        added=row["added"],
        failed_pages=tuple(json.loads(row["failed_pages"])),
        empty_pages=tuple(json.loads(row["empty_pages"])),
        hidden_words=row["hidden_words"],
        **json.loads(row["health"]),
    )


def store(connection: sqlite3.Connection, document: Document, recipe: str, chunks: Sequence[Chunk]) -> None:
    """Insert a document, hidden, with its passages."""
    connection.execute(
        "INSERT INTO documents(id, space, content, title, path, pages, chunks, size, added, failed_pages, "
        "empty_pages, hidden_words, recipe, health, state) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,'hidden')",
        (
            document.id,
            document.space,
            document.content,
            document.title,
            document.path,
            document.pages,
            len(chunks),
            document.size,
            document.added,
            json.dumps(document.failed_pages),
            json.dumps(document.empty_pages),
            document.hidden_words,
            recipe,
            json.dumps({name: getattr(document, name) for name in _HEALTH}, ensure_ascii=False),
        ),
    )
    connection.executemany(
        f"INSERT INTO chunks({CHUNK_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        [tuple(getattr(chunk, name.strip()) for name in CHUNK_COLUMNS.split(",")) for chunk in chunks],
    )


def store_vectors(
    connection: sqlite3.Connection, document_id: str, embedder: str, position: int, vectors: NDArray[np.float32]
) -> None:
    """Insert the vectors of the passages from `position` on, (passages, dimensions)."""
    connection.execute(
        "INSERT INTO vectors(document_id, embedder, position, count, data) VALUES(?,?,?,?,?)",
        (document_id, embedder, position, len(vectors), vectors.astype("<f4").tobytes()),
    )


def show(connection: sqlite3.Connection, document_id: str) -> None:
    """Make a hidden document visible, with the next seq."""
    (last,) = connection.execute(
        "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM facts WHERE key = 'seq'"
    ).fetchone()
    remember(connection, "seq", str(last + 1))
    connection.execute(
        "UPDATE documents SET state = 'ready', seq = ? WHERE id = ? AND state = 'hidden'", (last + 1, document_id)
    )


def remember(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Store a fact in the place of what was known under its key."""
    connection.execute(
        "INSERT INTO facts(key, value) VALUES(?,?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (key, value),
    )


def delete_rows(connection: sqlite3.Connection, document_id: str) -> None:
    """Delete a document with its passages and vectors, but not its names."""
    connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
    connection.execute("DELETE FROM vectors WHERE document_id = ?", (document_id,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))


def unneeded(connection: sqlite3.Connection, contents: Collection[str]) -> set[str]:
    """Those of the contents that no document has and no job goes on with."""
    working = tuple(UNDER_WAY)
    needed = connection.execute(
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM documents WHERE content = value) "
        f"OR value IN (SELECT content FROM jobs WHERE state IN ({marks(working)}))",
        (json.dumps(sorted(contents)), *working),
    )
    return set(contents) - {row[0] for row in needed}

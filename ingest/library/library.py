"""The library: documents, their passages and vectors. The truth; every index is a shadow of it.

A document is written under the state `hidden` and made visible by one short transaction, so a crash at any
moment leaves the library as before or as after. `seq` rises with each document made visible: an index that holds
everything up to a seq knows by it what it lacks.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest import failpoints
from ingest.errors import ModelError
from ingest.home import Home, flush
from ingest.library import integrity
from ingest.library.database import Database
from ingest.library.integrity import Finding
from ingest.library.jobs import Jobs, NewJob, insert
from ingest.library.rows import (
    CHUNK_COLUMNS,
    LACKING,
    PLACES,
    SPACES,
    VECTORS_AT,
    Counts,
    VectorBlock,
    chunk_of,
    delete_rows,
    document_of,
    marks,
    matrix,
    remember,
    show,
    store,
    store_vectors,
    unneeded,
)
from ingest.records import UNDER_WAY, Chunk, Document, Job, Place


class EmbedderChanged(Exception):
    """The library has taken another embedder while a document was embedded."""


class Library:
    """Speaks to library.db and the originals. May be used from any thread."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.database = Database(home.library_db)
        self.jobs = Jobs(self.database)
        self._swept = False  # whether all originals were looked at since the start

    # ---- reading

    def spaces(self) -> list[str]:
        """The spaces that hold at least one visible document."""
        rows = self._read(SPACES)
        return [row["space"] for row in rows]

    def counts(self, spaces: Sequence[str]) -> Counts:
        """Visible documents and passages of some spaces."""
        row = next(
            self._read(
                "SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks FROM documents "
                f"WHERE state = 'ready' AND space IN ({marks(spaces)})",
                *spaces,
            )
        )
        return Counts(row["documents"], row["chunks"])

    def documents(self, spaces: Sequence[str] | None = None) -> list[Document]:
        """Visible documents, of some spaces or all, by title."""
        wanted = self.spaces() if spaces is None else spaces
        rows = self._read(
            f"SELECT * FROM documents WHERE state = 'ready' AND space IN ({marks(wanted)}) "
            "ORDER BY title COLLATE NOCASE, id",
            *wanted,
        )
        return [document_of(row) for row in rows]

    def fingerprint(self) -> tuple[int, ...]:
        """Another value when another document may be visible, or one of them may have changed."""
        row = next(
            self._read("SELECT count(*), total(pages), total(chunks), max(seq) FROM documents WHERE state = 'ready'")
        )
        return tuple(int(value or 0) for value in row)

    def document(self, document_id: str) -> Document | None:
        """A visible document, or None."""
        return next(
            (
                document_of(row)
                for row in self._read("SELECT * FROM documents WHERE id = ? AND state = 'ready'", document_id)
            ),
            None,
        )

    def named(self, space: str, path: str) -> tuple[Document, int, int] | None:
        """The visible document of a name, with the size and modification time its file had."""
        row = next(
            self._read(
                "SELECT d.*, n.size AS file_size, n.mtime_ns FROM names n JOIN documents d ON d.id = n.document_id "
                "WHERE n.space = ? AND n.path = ? AND d.state = 'ready'",
                space,
                path,
            ),
            None,
        )
        return None if row is None else (document_of(row), row["file_size"], row["mtime_ns"])

    def original(self, document: Document) -> Path:
        """The file as it came."""
        return self.home.originals / document.content

    def chunks(self, chunk_ids: Sequence[str], spaces: Sequence[str]) -> dict[str, tuple[Chunk, Document]]:
        """Visible passages among the ids, with their documents; what is deleted or not in `spaces` is left out."""
        return self._visible_chunks(f"(SELECT id FROM chunks WHERE id IN ({marks(chunk_ids)}))", chunk_ids, spaces)

    def chunks_at(self, places: Iterable[Place], spaces: Sequence[str]) -> dict[Place, tuple[Chunk, Document]]:
        """Visible passages at (document id, position), with their documents."""
        wanted = json.dumps(list(places))
        ids = f"(SELECT id FROM ({PLACES}) p CROSS JOIN chunks USING (document_id, position))"
        found = self._visible_chunks(ids, [wanted], spaces)
        return {Place(chunk.document_id, chunk.position): (chunk, document) for chunk, document in found.values()}

    def _visible_chunks(
        self, ids: str, values: Sequence[str | int], spaces: Sequence[str]
    ) -> dict[str, tuple[Chunk, Document]]:
        columns = ", ".join(f"c.{name.strip()} AS c_{name.strip()}" for name in CHUNK_COLUMNS.split(","))
        # CROSS: from the few ids to their rows. Left to itself, SQLite begins with every document of the spaces.
        rows = self._read(
            f"SELECT d.*, {columns} FROM {ids} w CROSS JOIN chunks c ON c.id = w.id "
            "CROSS JOIN documents d ON d.id = c.document_id "
            f"WHERE d.state = 'ready' AND d.space IN ({marks(spaces)})",
            *values,
            *spaces,
        )
        return {row["c_id"]: (chunk_of(row, "c_"), document_of(row)) for row in rows}

    def document_chunks(self, document_id: str) -> list[Chunk]:
        """All passages of a document in reading order, also while it is hidden."""
        rows = self._read(
            f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE document_id = ? ORDER BY position",
            document_id,
        )
        return [chunk_of(row, "") for row in rows]

    def vectors_at(self, places: Iterable[Place], embedder: str) -> dict[Place, NDArray[np.float32]]:
        """Vectors of the passages at (document id, position); those without one are left out."""
        rows = self._read(VECTORS_AT, json.dumps(list(places)), embedder)
        return {Place(row["document_id"], row["position"]): np.frombuffer(row["vector"], dtype="<f4") for row in rows}

    def document_vectors(self, document_id: str, embedder: str) -> Iterator[VectorBlock]:
        """Vectors of one document in reading order, block by block."""
        rows = self.database.stream(
            "SELECT document_id, position, count, data FROM vectors WHERE document_id = ? AND embedder = ? "
            "ORDER BY position",
            (document_id, embedder),
        )
        for row in rows:
            yield VectorBlock(row["document_id"], row["position"], matrix(row))

    def vectors(self, embedder: str, spaces: Sequence[str], after: int = 0) -> Iterator[VectorBlock]:
        """Vectors of visible documents of some spaces whose seq is above `after`, block by block."""
        rows = self.database.stream(
            "SELECT v.document_id, v.position, v.count, v.data FROM documents d JOIN vectors v "
            "ON v.document_id = d.id AND v.embedder = ? "
            f"WHERE d.state = 'ready' AND d.seq > ? AND d.space IN ({marks(spaces)}) ORDER BY d.seq, v.position",
            (embedder, after, *spaces),
        )
        for row in rows:
            yield VectorBlock(row["document_id"], row["position"], matrix(row))

    def visible(self, after: int = 0) -> list[tuple[Document, int]]:
        """Visible documents with their seq, above `after`, in the order they became visible."""
        rows = self._read("SELECT * FROM documents WHERE state = 'ready' AND seq > ? ORDER BY seq", after)
        return [(document_of(row), row["seq"]) for row in rows]

    def passages_up_to(self, seq: int) -> int:
        """Visible passages of documents with at most this seq."""
        row = next(
            self._read("SELECT coalesce(sum(chunks), 0) AS n FROM documents WHERE state = 'ready' AND seq <= ?", seq)
        )
        return int(row["n"])

    def seq(self) -> int:
        """The highest seq given so far."""
        return int(self.fact("seq") or 0)

    def fact(self, key: str) -> str | None:
        """A remembered fact, or None."""
        row = next(self._read("SELECT value FROM facts WHERE key = ?", key), None)
        return None if row is None else str(row["value"])

    def findings(self) -> list[Finding]:
        """All that is wrong with what is stored; reads every original and vector."""
        return integrity.findings(self.home, self.database)

    # ---- writing

    def remember(self, **facts: str) -> None:
        """Remember facts, all of them or none."""
        with self.database.writing() as connection:
            for key, value in facts.items():
                remember(connection, key, value)

    def claim_embedder(self, name: str) -> None:
        """Take `name` for this library's vectors; raises ModelError when they were made by another."""
        known = self.fact("embedder")
        if known is None:
            self.remember(embedder=name)
        elif known != name:
            raise ModelError(
                f"The passages in {self.home.folder} were embedded with {known}, and RAG_EMBEDDER now names {name}. "
                "Set RAG_EMBEDDER back, or run `rag rebuild --model` with the other one to embed them anew."
            )

    def accept(self, file: Path, job: NewJob) -> Job:
        """Move a file on the home's disk among the originals and store its job, as one step against `sweep`."""
        with self.database.writing() as connection:
            file.replace(self.home.originals / job.content)
            flush(self.home.originals)
            failpoints.reached("intake.moved")
            identifier = insert(connection, job)
        failpoints.reached("intake.accepted")
        return self.jobs.get(identifier)

    def begin(self, document: Document, recipe: str, chunks: Sequence[Chunk]) -> None:
        """Store a document with its passages, hidden; what an earlier try left under its id is replaced."""
        with self.database.writing() as connection:
            delete_rows(connection, document.id)
            store(connection, document, recipe, chunks)
            failpoints.reached("document.rows")
        failpoints.reached("document.begun")

    def hidden(self, document_id: str, recipe: str) -> Document | None:
        """A document begun with this recipe and not yet visible, so that work on it can go on."""
        rows = self._read(
            "SELECT * FROM documents WHERE id = ? AND state = 'hidden' AND recipe = ?", document_id, recipe
        )
        return next((document_of(row) for row in rows), None)

    def embedded(self, document_id: str, embedder: str) -> int:
        """How many passages of a document have their vector."""
        row = next(
            self._read(
                "SELECT coalesce(sum(count), 0) AS n FROM vectors WHERE document_id = ? AND embedder = ?",
                document_id,
                embedder,
            )
        )
        return int(row["n"])

    def add_vectors(self, document_id: str, embedder: str, position: int, vectors: NDArray[np.float32]) -> None:
        """Store the vectors of the passages from `position` on, (passages, dimensions)."""
        with self.database.writing() as connection:
            store_vectors(connection, document_id, embedder, position, vectors)
            failpoints.reached("vectors.rows")
        failpoints.reached("vectors.stored")

    def publish(self, document_id: str, space: str, path: str, *, size: int, mtime_ns: int) -> None:
        """Make a document visible under a name, in one transaction.

        The document that had the name before goes with it, unless it has another name. Raises EmbedderChanged where
        its vectors are not all there by the embedder that the library has by now.
        """
        with self.database.writing() as connection:
            show(connection, document_id)
            embedder = self.fact("embedder")
            if embedder and connection.execute(f"{LACKING} AND d.id = ?", (embedder, document_id)).fetchone():
                raise EmbedderChanged
            self._name(connection, document_id, space, path, (size, mtime_ns))
            failpoints.reached("publish.rows")
        failpoints.reached("publish.committed")
        self.sweep(())

    def rename(self, document_id: str, space: str, path: str, *, size: int, mtime_ns: int) -> None:
        """Give a visible document a (further) name; the name's earlier document goes as in `publish`."""
        with self.database.writing() as connection:
            self._name(connection, document_id, space, path, (size, mtime_ns))
        self.sweep(())

    @staticmethod
    def _name(connection: sqlite3.Connection, document_id: str, space: str, path: str, file: tuple[int, int]) -> None:
        before = connection.execute(
            "SELECT document_id FROM names WHERE space = ? AND path = ?", (space, path)
        ).fetchone()
        connection.execute(
            "INSERT INTO names(space, path, document_id, size, mtime_ns) VALUES(?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET document_id = excluded.document_id, size = excluded.size, "
            "mtime_ns = excluded.mtime_ns",
            (space, path, document_id, *file),
        )
        if before is not None and before["document_id"] != document_id:
            _drop_if_nameless(connection, before["document_id"])

    def remove(self, document_id: str) -> Document | None:
        """Take a document out of answers at once, then delete its passages, vectors and original.

        Returns what was removed, or None when there is no such document.
        """
        document = self.document(document_id)
        if document is None:
            return None
        with self.database.writing() as connection:
            connection.execute("DELETE FROM names WHERE document_id = ?", (document_id,))
            _drop_if_nameless(connection, document_id)
            failpoints.reached("remove.rows")
        failpoints.reached("remove.committed")
        self.sweep([document.content])
        return document

    def sweep(self, contents: Collection[str] | None = None) -> None:
        """Delete the rows of documents that are gone or that no job goes on with, and originals that nothing needs.

        With `contents`, of the originals only those, and those of the rows; but the first time all, since a crash may
        have left one.
        """
        working = tuple(UNDER_WAY)
        looked_at = None if contents is None or not self._swept else set(contents)
        lost = (
            "SELECT id, content FROM documents d WHERE state = 'gone' OR state = 'hidden' AND NOT EXISTS "
            "(SELECT 1 FROM jobs j WHERE j.space = d.space AND j.content = d.content "
            f"AND j.state IN ({marks(working)}))"
        )
        for row in list(self._read(lost, *working)):
            with self.database.writing() as connection:
                # Looked at again inside the transaction: a new job may have taken it up.
                if connection.execute(f"SELECT 1 FROM ({lost}) WHERE id = ?", (*working, row["id"])).fetchone():
                    delete_rows(connection, row["id"])
                failpoints.reached("sweep.rows")
            if looked_at is not None:
                looked_at.add(row["content"])
        with self.database.writing() as connection:  # `accept` must not put one there between look and deed
            for name in unneeded(connection, self._originals() if looked_at is None else looked_at):
                (self.home.originals / name).unlink(missing_ok=True)
                failpoints.reached("sweep.original")
        self._swept = True

    def _originals(self) -> set[str]:
        return {file.name for file in self.home.originals.iterdir()}

    def close(self) -> None:
        """Close the connections to the library that nobody uses."""
        self.database.close()

    def _read(self, statement: str, *values: str | int) -> Iterator[sqlite3.Row]:
        return iter(self.database.rows(statement, values))


def _drop_if_nameless(connection: sqlite3.Connection, document_id: str) -> None:
    connection.execute(
        "UPDATE documents SET state = 'gone' WHERE id = ? AND NOT EXISTS "
        "(SELECT 1 FROM names WHERE document_id = documents.id)",
        (document_id,),
    )

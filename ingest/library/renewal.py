"""Passages and vectors made anew beside the old ones, and taken in one transaction."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest import failpoints
from ingest.library.library import Library
from ingest.library.rows import LACKING, delete_rows, document_of, remember, show, store, store_vectors
from ingest.records import Chunk, Document

_MODEL = "embedder_model"


class Renewal:
    """What `rag rebuild` asks of a library. May run beside the process that owns the home."""

    def __init__(self, library: Library) -> None:
        self._database = library.database

    def outdated(self, recipe: str) -> list[Document]:
        """Visible documents whose passages were made by another recipe."""
        statement = "SELECT * FROM documents WHERE state = 'ready' AND recipe != ? ORDER BY seq"
        return [document_of(row) for row in self._database.rows(statement, (recipe,))]

    def replace(
        self, document: Document, recipe: str, chunks: Sequence[Chunk], embedder: str, vectors: NDArray[np.float32]
    ) -> bool:
        """Store a visible document anew, with its vectors, (passages, dimensions); False where it is gone."""
        with self._database.writing() as connection:
            row = connection.execute("SELECT state FROM documents WHERE id = ?", (document.id,)).fetchone()
            if row is None or row["state"] != "ready":
                return False
            delete_rows(connection, document.id)
            store(connection, document, recipe, chunks)
            store_vectors(connection, document.id, embedder, 0, vectors)
            show(connection, document.id)
            failpoints.reached("recut.rows")
        failpoints.reached("recut.committed")
        return True

    def lacking(self, embedder: str) -> list[Document]:
        """Visible documents without all their vectors by an embedder."""
        return [document_of(row) for row in self._database.rows(LACKING, (embedder,))]

    def announce(self, name: str, model: str) -> None:
        """Say by which model's name or folder the embedder `name` can be loaded, before it is switched to."""
        with self._database.writing() as connection:
            remember(connection, _MODEL, json.dumps([name, model]))

    def model_of(self, name: str) -> str | None:
        """What was announced of an embedder, or None."""
        row = self._database.row("SELECT value FROM facts WHERE key = ?", (_MODEL,))
        known, model = json.loads(row["value"]) if row else (None, None)
        return model if known == name else None

    def add_vectors(self, chunk: Chunk, embedder: str, vectors: NDArray[np.float32]) -> bool:
        """Store the vectors of a visible document's passages from `chunk` on, (passages, dimensions).

        False where the document was removed or cut anew meanwhile, or those before them are not there.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT (SELECT coalesce(sum(count), 0) FROM vectors WHERE document_id = d.id AND embedder = ?) AS n "
                "FROM chunks c JOIN documents d ON d.id = c.document_id WHERE c.id = ? AND d.state = 'ready'",
                (embedder, chunk.id),
            ).fetchone()
            if row is None or row["n"] != chunk.position:
                return False
            store_vectors(connection, chunk.document_id, embedder, chunk.position, vectors)
            failpoints.reached("renewal.rows")
        failpoints.reached("renewal.stored")
        return True

    def switch_embedder(self, name: str) -> bool:
        """Take another embedder's vectors from now on; False where visible documents still lack some."""
        with self._database.writing() as connection:
            if connection.execute(LACKING, (name,)).fetchone():
                return False
            remember(connection, "embedder", name)
            failpoints.reached("switch.rows")
        failpoints.reached("switch.committed")
        return True

    def drop_other_vectors(self) -> None:
        """Delete the vectors of all embedders but the library's own. Nothing may be answering with them."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM vectors WHERE embedder != (SELECT value FROM facts WHERE key = 'embedder')")
            failpoints.reached("drop.rows")
        failpoints.reached("drop.committed")

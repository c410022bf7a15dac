"""Passages and vectors made anew beside the old ones, and taken in one transaction."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.library.library import Library
from ingest.library.rows import LACKING, delete_rows, document_of, remember, show, store, store_vectors
from ingest.records import Chunk, Document


class Renewal:
    """What `rag rebuild` asks of a library. May run beside the process that owns the home."""

    def __init__(self, library: Library) -> None:
        self._database = library.database

    def outdated(self, recipe: str) -> list[Document]:
        """Visible documents whose passages were made by another recipe."""
        statement = "SELECT * FROM documents WHERE state = 'ready' AND recipe != ? ORDER BY seq"
        return [document_of(row) for row in self._database.connection.execute(statement, (recipe,))]

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
        return True

    def lacking(self, embedder: str) -> list[Document]:
        """Visible documents without all their vectors by an embedder."""
        return [document_of(row) for row in self._database.connection.execute(LACKING, (embedder,))]

    def switch_embedder(self, name: str) -> bool:
        """Take another embedder's vectors from now on; False where visible documents still lack some."""
        with self._database.writing() as connection:
            if connection.execute(LACKING, (name,)).fetchone():
                return False
            remember(connection, "embedder", name)
        return True

    def drop_other_vectors(self) -> None:
        """Delete the vectors of all embedders but the library's own. Nothing may be answering with them."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM vectors WHERE embedder != (SELECT value FROM facts WHERE key = 'embedder')")

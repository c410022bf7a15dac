"""Rows of library.db as values, and the other way round."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.records import Chunk, Document

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
    )

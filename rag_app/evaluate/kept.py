"""Vectors and scores that are computed once: RAG_HOME/cache/evaluate.db. Safe to delete at any time.

Every entry is found by a hash of all that it hangs on, so nothing in it can be out of date.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import LibraryError
from ingest.library.schema import use_wal

FILE = "evaluate.db"
_AT_ONCE = 500  # keys of one query
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors(key BLOB PRIMARY KEY, data BLOB NOT NULL, ms REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores(key BLOB PRIMARY KEY, score REAL NOT NULL, ms REAL NOT NULL) WITHOUT ROWID;
"""

Vector = NDArray[np.float32]


def key(*parts: str) -> bytes:
    """A hash of texts in their order, 16 bytes; where one ends and the next begins is part of it."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode(errors="surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.digest()


class Kept:
    """What earlier runs computed. Several processes may share it. Raises LibraryError where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The pipeline scores in threads of its own, one after the other.
            self._connection = sqlite3.connect(self._file, timeout=60, isolation_level=None, check_same_thread=False)
            use_wal(self._connection)
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise self._fault(error) from error

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, tuple[Vector, float]]:
        """The vectors that are held, (dimensions,), each with the milliseconds it took."""
        rows = self._rows("SELECT key, data, ms FROM vectors", keys)
        return {held: (np.frombuffer(data, dtype="<f4"), ms) for held, data, ms in rows}

    def add_vectors(self, vectors: Mapping[bytes, tuple[Vector, float]]) -> None:
        """Hold vectors, in one transaction."""
        rows = [(held, vector.astype("<f4").tobytes(), ms) for held, (vector, ms) in vectors.items()]
        self._add("vectors", rows)

    def scores(self, keys: Sequence[bytes]) -> dict[bytes, tuple[float, float]]:
        """The scores that are held, each with the milliseconds it took."""
        return {held: (score, ms) for held, score, ms in self._rows("SELECT key, score, ms FROM scores", keys)}

    def add_scores(self, scores: Mapping[bytes, tuple[float, float]]) -> None:
        """Hold scores, in one transaction."""
        self._add("scores", [(held, score, ms) for held, (score, ms) in scores.items()])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, selection: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Any, float]]:
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            with self._told():
                yield from self._connection.execute(f"{selection} WHERE key IN ({','.join('?' * len(part))})", part)

    def _add(self, table: str, rows: Sequence[tuple[bytes, bytes | float, float]]) -> None:
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES(?,?,?)", rows)
            self._connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> LibraryError:
        return LibraryError(
            f"{self._file} cannot be used ({error}). It only holds what can be computed again: delete it, see that "
            "the disk has room, and run again."
        )

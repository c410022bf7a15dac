"""The vectors of the inbox's questions in `app.db`, made where there are none yet.

They are of one model and one formula, told by `name`; with another they are made anew, and what editors said of a group
moves along: it hangs on a vector, which is replaced by the new one of the question that was nearest to it.
"""

from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag_app.app_database import AppDatabase
from rag_app.team.grouping import Vectors

EMBEDDED = 300  # questions that one look gives a vector, some seconds of work; the others come with the next

Vector = NDArray[np.float32]
Put = tuple[str, tuple[str, ...]]  # a stand-alone question, and the spaces it was put to


class Embedding(Protocol):
    """Gives questions the vectors they are grouped by."""

    @property
    def name(self) -> str:
        """Which models and which formula they are of."""
        ...

    def vectors(self, asked: Sequence[Put]) -> Vectors:
        """The vectors of questions, (questions, dimensions), each of length 1."""
        ...


def vectors_of(database: AppDatabase, embedding: Embedding, asked: Mapping[str, Put]) -> tuple[dict[str, Vector], int]:
    """The vectors of questions by turn, and how many questions were left for a later look. Raises ModelError."""
    name = embedding.name
    known = {
        turn: read(vector)
        for turn, vector in database.rows("SELECT turn, vector FROM question_vector WHERE embedder=?", name)
        if turn in asked
    }
    missing = [turn for turn in asked if turn not in known]
    wanted = missing[:EMBEDDED]
    if not wanted:
        return known, 0
    made = dict(zip(wanted, embedding.vectors([asked[turn] for turn in wanted]), strict=True))
    with database.writing() as connection:
        _move(connection, made, name)
        connection.executemany(
            "INSERT OR REPLACE INTO question_vector SELECT id, ?, ? FROM turn WHERE id=?",
            [(name, written(vector), turn) for turn, vector in made.items()],
        )
    return {**known, **made}, len(missing) - len(made)


def written(vector: Vector) -> bytes:
    """A vector as it stands in the database."""
    return vector.astype("<f4").tobytes()


def read(vector: bytes) -> Vector:
    """A vector from the database."""
    return np.frombuffer(vector, dtype="<f4")


def _move(connection: Connection, made: Mapping[str, Vector], name: str) -> None:
    """Give each case of another model the new vector of the question nearest to it, once that has one."""
    cases = connection.execute("SELECT id, embedder, vector FROM inbox_case WHERE embedder<>?", (name,)).fetchall()
    for model in {embedder for _, embedder, _ in cases}:
        before = connection.execute("SELECT turn, vector FROM question_vector WHERE embedder=?", (model,)).fetchall()
        if not before:
            continue
        vectors = np.vstack([read(vector) for _, vector in before])
        for case, embedder, vector in cases:
            nearest = before[int(np.argmax(vectors @ read(vector)))][0] if embedder == model else ""
            if nearest in made:
                connection.execute(
                    "UPDATE inbox_case SET embedder=?, vector=? WHERE id=?", (name, written(made[nearest]), case)
                )

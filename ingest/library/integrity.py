"""Looks whether a library holds what it says: originals by their hash, passages and vectors by count and shape.

Reads only, and may run beside the process that owns the home. What another process is changing at that moment is
looked at twice before it is called wrong.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from ingest.home import Home
from ingest.library.database import Database
from ingest.records import UNDER_WAY

AGAIN_S = 1.0  # seconds after which a finding is looked at again
_ROW_BYTES = 4  # of one float32
_UNIT = 0.01  # how far from 1 the length of a sound vector may be


class Fault(StrEnum):
    """What can be wrong with a library."""

    DOUBLED = "doubled"  # passages or vectors that are there twice
    MISSING = "missing"  # originals, passages or vectors that are not there, or not as they were
    ORPHANS = "orphans"  # what belongs to no document
    DATABASE = "database"  # the file itself


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, and what to do."""

    fault: Fault
    sentence: str
    advice: str
    count: int = 1  # how many passages, files or rows it is about


ADD_AGAIN = "Remove the document with `rag documents remove ID` and add its file again, or restore a backup."
RESTORE = "Restore a backup with `rag restore FILE` into an empty RAG_HOME; a damaged database mends by nothing else."
START = "The next start of `rag serve` clears it away."


def findings(home: Home, database: Database) -> list[Finding]:
    """All that is wrong with the library, the same in two looks."""
    first = _look(home, database)
    if not first:
        return []
    time.sleep(AGAIN_S)
    second = set(_look(home, database))
    return [finding for finding in first if finding in second]


def _look(home: Home, database: Database) -> list[Finding]:
    with database.reading() as connection:
        return _seen(home, connection)


def _seen(home: Home, connection: sqlite3.Connection) -> list[Finding]:
    try:
        damage = [row[0] for row in connection.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
        if damage:
            return [Finding(Fault.DATABASE, f"{home.library_db} is damaged: {'; '.join(damage)}.", RESTORE)]
        checks: list[Callable[[], list[Finding]]] = [
            lambda: _originals(home, connection),
            lambda: _passages(connection),
            lambda: _vectors(connection),
            lambda: _leftovers(connection),
        ]
        return [finding for check in checks for finding in check()]
    except sqlite3.DatabaseError as error:
        return [Finding(Fault.DATABASE, f"{home.library_db} is damaged: {error}.", RESTORE)]


def _originals(home: Home, connection: sqlite3.Connection) -> list[Finding]:
    titles = dict(connection.execute("SELECT content, title FROM documents WHERE state = 'ready'").fetchall())
    needed = {row[0] for row in connection.execute("SELECT content FROM documents")}
    needed |= {
        row[0] for row in connection.execute(f"SELECT content FROM jobs WHERE state IN ({_marks()})", _working())
    }
    found = []
    for content, title in titles.items():
        sentence = _harm(home.originals / content, content)
        if sentence:
            found.append(Finding(Fault.MISSING, f"The original of {title!r} {sentence}.", ADD_AGAIN))
    strays = [file.name for file in sorted(home.originals.iterdir()) if file.name not in needed]
    return found + [Finding(Fault.ORPHANS, f"The original {name} belongs to no document.", START) for name in strays]


def _harm(file: Path, content: str) -> str:
    try:
        with file.open("rb") as source:
            same = hashlib.file_digest(source, "sha256").hexdigest() == content
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if same else "is not the file that was added: its checksum differs"


def _passages(connection: sqlite3.Connection) -> list[Finding]:
    """Documents whose passages are not exactly the positions 0 to their number."""
    rows = connection.execute(
        "SELECT d.title, d.chunks, count(c.id), count(DISTINCT c.position), "
        "coalesce(min(c.position), 0), coalesce(max(c.position), -1), count(nullif(trim(c.text), '')) "
        "FROM documents d LEFT JOIN chunks c ON c.document_id = d.id WHERE d.state = 'ready' GROUP BY d.id"
    )
    found = []
    for title, wanted, held, distinct, lowest, highest, with_text in rows:
        if held > distinct or held > wanted:
            count = max(held - distinct, held - wanted)
            found.append(Finding(Fault.DOUBLED, f"{title!r} has {count} passages too many.", ADD_AGAIN, count))
        elif distinct < wanted or (lowest, highest) != (0, wanted - 1) or with_text < wanted:
            count = max(wanted - min(distinct, with_text), 1)
            found.append(Finding(Fault.MISSING, f"{title!r} lacks {count} of {wanted} passages.", ADD_AGAIN, count))
    return found


def _vectors(connection: sqlite3.Connection) -> list[Finding]:
    """Documents whose blocks of vectors do not follow one another, or are not unit vectors of the common length."""
    found = []
    (embedder,) = connection.execute("SELECT coalesce(max(value), '') FROM facts WHERE key = 'embedder'").fetchone()
    widths = connection.execute(
        "SELECT length(data) / count AS width, count(*) AS n FROM vectors WHERE embedder = ? GROUP BY width ORDER BY n",
        (embedder,),
    ).fetchall()
    width = widths[-1][0] if widths else 0
    ready = connection.execute("SELECT id, title, chunks FROM documents WHERE state = 'ready'").fetchall()
    for identifier, title, wanted in ready:
        blocks = connection.execute(
            "SELECT position, count, data FROM vectors WHERE document_id = ? AND embedder = ? ORDER BY position",
            (identifier, embedder),
        )
        at = 0
        for position, count, data in blocks:
            if position < at:
                found.append(Finding(Fault.DOUBLED, f"{title!r} has vectors twice.", ADD_AGAIN, at - position))
            elif position > at:
                break
            if not _unit_vectors(data, count, width):
                found.append(Finding(Fault.MISSING, f"Vectors of {title!r} are damaged.", ADD_AGAIN, count))
            at = position + count
        if at != wanted:
            sentence = f"{title!r} has vectors for {at} of {wanted} passages."
            found.append(Finding(Fault.MISSING, sentence, ADD_AGAIN, abs(wanted - at)))
    return found


def _unit_vectors(data: bytes, count: int, width: int) -> bool:
    if len(data) != count * width or width % _ROW_BYTES:
        return False
    lengths = np.linalg.norm(np.frombuffer(data, dtype="<f4").reshape(count, -1).astype(np.float64), axis=1)
    return bool(np.all(np.abs(lengths - 1) < _UNIT))  # false also where one is not a number


def _leftovers(connection: sqlite3.Connection) -> list[Finding]:
    """Rows that belong to no document, and documents that nobody finishes."""
    found = []
    for table in ("chunks", "vectors", "names"):
        (count,) = connection.execute(
            f"SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = t.document_id)"
        ).fetchone()
        if count:
            found.append(Finding(Fault.ORPHANS, f"{count} rows of {table} belong to no document.", RESTORE, count))
    lost = (
        "SELECT count(*) FROM documents d WHERE state = 'gone' OR state = 'hidden' AND NOT EXISTS "
        f"(SELECT 1 FROM jobs j WHERE j.space = d.space AND j.content = d.content AND j.state IN ({_marks()}))"
    )
    (count,) = connection.execute(lost, _working()).fetchone()
    if count:
        found.append(Finding(Fault.ORPHANS, f"{count} documents were begun or removed and left behind.", START, count))
    (count,) = connection.execute(
        "SELECT count(*) FROM documents d WHERE state = 'ready' AND NOT EXISTS "
        "(SELECT 1 FROM names n WHERE n.document_id = d.id)"
    ).fetchone()
    if count:
        found.append(Finding(Fault.ORPHANS, f"{count} documents have no name.", ADD_AGAIN, count))
    return found


def _working() -> Sequence[str]:
    return tuple(UNDER_WAY)


def _marks() -> str:
    return ",".join("?" * len(UNDER_WAY))

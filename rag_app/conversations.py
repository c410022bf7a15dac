"""What browsers asked and were answered: app.db. The only speaker of its SQL.

A stored answer keeps title, page and quote themselves and never a passage's id, so that it still reads right
when the library has changed.
"""

import json
import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingest.errors import LibraryError
from rag_app.records import Answer, Citation, Hit, Mode, Sentence, Stage, Support, Timings, Turn

SCHEMA = 1
NEAREST = 3  # passages kept with an answer that found nothing

_TABLES = """
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    browser TEXT NOT NULL,
    begun TEXT NOT NULL,
    touched TEXT NOT NULL
);
CREATE INDEX conversation_browser ON conversation (browser, touched);
CREATE TABLE turn (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT NOT NULL DEFAULT '',
    answer TEXT,
    UNIQUE (conversation, position)
);
"""
_TURN = "turn.id, turn.conversation, turn.asked, turn.question, turn.state, turn.failure, turn.answer"


class TurnState(StrEnum):
    """How far a question has come."""

    WORKING = "working"
    DONE = "done"
    STOPPED = "stopped"  # by the reader
    CUT = "cut"  # the server ended before the answer did
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it is shown and kept: no candidate list, no passage ids."""

    rewritten: str
    stage: Stage
    text: str
    citations: tuple[Citation, ...]
    uncited: tuple[Citation, ...]  # passages that were read or lay nearest, but that the answer does not cite
    sentences: tuple[Sentence, ...]
    abstained: bool
    mode: Mode
    model: str
    notice: str
    searched: int  # passages in the spaces that were searched
    read: int  # passages the cross-encoder read
    kept: int  # passages handed to the generator
    timings: Timings

    @property
    def sources(self) -> tuple[Citation, ...]:
        """Cited passages first, then the others; a source's number in addresses is its place here."""
        return self.citations + self.uncited


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A question of a conversation and where its answer stands."""

    id: str  # 32 hex digits
    conversation: str  # 32 hex digits
    asked: str  # ISO 8601, UTC
    question: str
    state: TurnState
    failure: str = ""  # a sentence, where the state is FAILED
    answer: StoredAnswer | None = None


def stored(answer: Answer) -> StoredAnswer:
    """What of `answer` is shown and kept."""
    used = [hit for hit in answer.hits if hit.used]
    return StoredAnswer(
        rewritten=answer.rewritten,
        stage=answer.stage,
        text=answer.text,
        citations=answer.citations,
        uncited=_uncited(answer, used),
        sentences=answer.sentences,
        abstained=answer.abstained,
        mode=answer.mode,
        model=answer.model,
        notice=answer.notice,
        searched=answer.passages_searched,
        read=_read(answer),
        kept=len(used),
        timings=answer.timings,
    )


def _read(answer: Answer) -> int:
    """Passages the cross-encoder has read, or is reading now."""
    if answer.stage is Stage.RERANKING:
        return len(answer.hits)
    return len([hit for hit in answer.hits if hit.rerank_rank is not None])


def _uncited(answer: Answer, used: list[Hit]) -> tuple[Citation, ...]:
    if answer.stage is not Stage.DONE:
        return ()
    cited = {(citation.document_id, citation.passage) for citation in answer.citations}
    near = used or list(answer.hits[:NEAREST])
    rest = [hit for hit in near if (hit.document.id, hit.chunk.text) not in cited]
    taken = {citation.marker for citation in answer.citations}
    numbers = (number for number in range(1, len(near) + len(taken) + 1) if number not in taken)
    return tuple(_as_citation(hit, number) for hit, number in zip(rest, numbers, strict=False))


def _as_citation(hit: Hit, marker: int) -> Citation:
    chunk, document = hit.chunk, hit.document
    return Citation(
        marker=marker,
        document_id=document.id,
        title=document.title,
        path=document.path,
        page=chunk.page,
        label=chunk.label,
        quote="",
        passage=chunk.text,
        relevance=hit.relevance or 0.0,
        first_page=chunk.first_page,
        start=chunk.start,
    )


def past_turns(turns: list[StoredTurn]) -> list[Turn]:
    """The finished turns as the pipeline wants them: plain text, markers taken out."""
    return [
        Turn(turn.question, _plain(turn.answer), turn.answer.rewritten)
        for turn in turns
        if turn.answer is not None and turn.state in (TurnState.DONE, TurnState.STOPPED)
    ]


def _plain(answer: StoredAnswer) -> str:
    return "" if answer.abstained else re.sub(r"\s*\[\d+\]", "", answer.text)


class Conversations:
    """The conversations of all browsers. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`. Raises LibraryError when a newer version of it is found."""
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._prepare(path)

    def _prepare(self, path: Path) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            self._db.close()
            raise LibraryError(f"{path} was written by a newer version. Install that version, or use another RAG_HOME.")
        with self._transaction():
            if version == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA}")
            # The process that was answering these is gone.
            self._db.execute("UPDATE turn SET state=? WHERE state=?", (TurnState.CUT, TurnState.WORKING))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def begin(self, browser: str) -> str:
        """Begin a conversation, from now on the current one of `browser`, and return its id."""
        conversation, now = uuid.uuid4().hex, _now()
        with self._transaction():
            self._db.execute("INSERT INTO conversation VALUES (?, ?, ?, ?)", (conversation, browser, now, now))
        return conversation

    def current(self, browser: str) -> str | None:
        """The conversation that `browser` used last, or None where it has none."""
        sql = "SELECT id FROM conversation WHERE browser=? ORDER BY touched DESC, rowid DESC LIMIT 1"
        rows = self._rows(sql, browser)
        return str(rows[0][0]) if rows else None

    def turns(self, browser: str, conversation: str) -> list[StoredTurn]:
        """The turns of a conversation, oldest first; none where it is not this browser's."""
        sql = (
            f"SELECT {_TURN} FROM turn JOIN conversation ON conversation.id = turn.conversation"
            " WHERE conversation.id=? AND browser=? ORDER BY position"
        )
        return [_turn(row) for row in self._rows(sql, conversation, browser)]

    def turn(self, browser: str, turn: str) -> StoredTurn | None:
        """A turn by its id; None where there is none or it is not this browser's."""
        sql = (
            f"SELECT {_TURN} FROM turn JOIN conversation ON conversation.id = turn.conversation"
            " WHERE turn.id=? AND browser=?"
        )
        rows = self._rows(sql, turn, browser)
        return _turn(rows[0]) if rows else None

    def add(self, conversation: str, question: str) -> StoredTurn:
        """Append a question, in state WORKING."""
        turn = StoredTurn(uuid.uuid4().hex, conversation, _now(), question, TurnState.WORKING)
        sql = (
            "INSERT INTO turn (id, conversation, position, asked, question, state)"
            " SELECT ?, ?, 1 + COALESCE(MAX(position), 0), ?, ?, ? FROM turn WHERE conversation=?"
        )
        with self._transaction():
            self._db.execute(sql, (turn.id, conversation, turn.asked, question, turn.state, conversation))
            self._db.execute("UPDATE conversation SET touched=? WHERE id=?", (turn.asked, conversation))
        return turn

    def save(self, turn: StoredTurn) -> None:
        """Keep how far `turn` has come."""
        text = None if turn.answer is None else json.dumps(asdict(turn.answer), ensure_ascii=False)
        sql = "UPDATE turn SET state=?, failure=?, answer=? WHERE id=?"
        with self._transaction():
            self._db.execute(sql, (turn.state, turn.failure, text, turn.id))

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._db.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _turn(row: tuple[Any, ...]) -> StoredTurn:
    identity, conversation, asked, question, state, failure, text = row
    turn = StoredTurn(identity, conversation, asked, question, TurnState(state), failure)
    return turn if text is None else replace(turn, answer=_answer(json.loads(text)))


def _answer(values: Mapping[str, Any]) -> StoredAnswer:
    built = {
        "stage": Stage(values["stage"]),
        "mode": Mode(values["mode"]),
        "citations": tuple(Citation(**one) for one in values["citations"]),
        "uncited": tuple(Citation(**one) for one in values["uncited"]),
        "sentences": tuple(
            Sentence(one["text"], tuple(one["markers"]), Support(one["support"])) for one in values["sentences"]
        ),
        "timings": Timings(**values["timings"]),
    }
    return StoredAnswer(**{**values, **built})

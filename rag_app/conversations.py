"""What browsers asked and were answered, kept in app.db.

A stored answer keeps title, page and quote themselves and never a passage's id, so that it still reads right
when the library has changed.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rag_app.app_database import AppDatabase, storable
from rag_app.candidates import Candidate
from rag_app.records import Answer, Citation, Hit, Mode, Sentence, Stage, Support, Timings, Turn

NEAREST = 3  # passages kept with an answer that found nothing
NAME_LIMIT = 120  # characters of a conversation's name

_TURN = (
    "turn.id, turn.conversation, turn.asked, turn.question, turn.state, turn.failure, turn.answer,"
    " COALESCE(feedback.verdict, ''), turn.excluded, turn.spaces"
)
_TURNS = (
    f"SELECT {_TURN} FROM turn JOIN conversation ON conversation.id = turn.conversation"
    " LEFT JOIN feedback ON feedback.turn = turn.id"
)
# A conversation is called by the name it was given, otherwise by its first question.
_SUMMARIES = (
    "SELECT conversation.id, COALESCE(NULLIF(conversation.name, ''), first.question), conversation.touched"
    " FROM conversation JOIN turn AS first ON first.conversation = conversation.id AND first.position ="
    " (SELECT MIN(position) FROM turn WHERE turn.conversation = conversation.id)"
    " WHERE conversation.browser=?"
)


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
    spaces: tuple[str, ...] = ()  # that were searched; none in answers kept before this was
    first_words: float = 0.0  # milliseconds from asking to the first words; 0 where none came or it was not measured

    @property
    def sources(self) -> tuple[Citation, ...]:
        """Cited passages first, then the others; a source's number in addresses is its place here."""
        return self.citations + self.uncited


@dataclass(frozen=True, slots=True)
class Excluded:
    """A passage that the reader does not want an answer made from."""

    document_id: str
    title: str
    page: int  # 1-based physical page
    label: str  # printed label of that page
    passage: str  # the whole text


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
    verdict: str = ""  # what the reader said of it: a feedback.Verdict, or "" where nothing was said
    excluded: tuple[Excluded, ...] = ()  # passages it was asked without
    spaces: tuple[str, ...] = ()  # it was asked in; none where no choice was made: all that may be searched


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as it stands in a list."""

    id: str  # 32 hex digits
    name: str
    touched: str  # ISO 8601, UTC: when the last question was asked in it


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
        spaces=answer.spaces,
    )


def _read(answer: Answer) -> int:
    """Passages the cross-encoder has read, or is reading now."""
    if answer.stage is Stage.RERANKING:
        return len(answer.hits)
    judged = sum(hit.relevance is not None for hit in answer.hits)
    # A reranker that only orders reads them all, and the bundled one then judges those that are used.
    ordered = sum(hit.rerank_rank is not None for hit in answer.hits)
    return ordered if judged <= sum(hit.used for hit in answer.hits) else judged


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
        before=hit.lead,
        after=hit.after.text if hit.after else "",
    )


def put_aside(source: Citation) -> Excluded:
    """A source of an answer as a passage that the next one is made without."""
    return Excluded(source.document_id, source.title, source.page, source.label, source.passage)


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

    def __init__(self, database: AppDatabase) -> None:
        self._database = database
        with database.writing() as connection:
            # The process that was answering these is gone.
            connection.execute("UPDATE turn SET state=? WHERE state=?", (TurnState.CUT, TurnState.WORKING))

    def begin(self, browser: str) -> str:
        """Begin a conversation and return its id; it is listed once something was asked in it."""
        conversation, now = uuid.uuid4().hex, _now()
        sql = "INSERT INTO conversation (id, browser, begun, touched) VALUES (?, ?, ?, ?)"
        with self._database.writing() as connection:
            connection.execute(sql, (conversation, browser, now, now))
        return conversation

    def current(self, browser: str) -> str | None:
        """The conversation that `browser` used last, or None where it has none."""
        sql = "SELECT id FROM conversation WHERE browser=? ORDER BY touched DESC, rowid DESC LIMIT 1"
        rows = self._database.rows(sql, browser)
        return str(rows[0][0]) if rows else None

    def owns(self, browser: str, conversation: str) -> bool:
        """Whether `conversation` is there and is this browser's."""
        return bool(self._database.rows("SELECT 1 FROM conversation WHERE id=? AND browser=?", conversation, browser))

    def listed(self, browser: str, *, holding: str = "", limit: int) -> list[Summary]:
        """The last `limit` conversations of `browser`, latest first, whose name or a question holds `holding`."""
        found = (
            " AND (holds(conversation.name, ?) OR EXISTS"
            " (SELECT 1 FROM turn WHERE turn.conversation = conversation.id AND holds(turn.question, ?)))"
        )
        part = holding.strip().casefold()
        order = " ORDER BY conversation.touched DESC, conversation.rowid DESC LIMIT ?"
        rows = self._database.rows(f"{_SUMMARIES}{found}{order}", browser, part, part, limit)
        return [Summary(*row) for row in rows]

    def summary(self, browser: str, conversation: str) -> Summary | None:
        """Name and time of one conversation; None where it is not this browser's or nothing was asked in it."""
        rows = self._database.rows(f"{_SUMMARIES} AND conversation.id=?", browser, conversation)
        return Summary(*rows[0]) if rows else None

    def rename(self, browser: str, conversation: str, name: str) -> bool:
        """Call a conversation `name`, or by its first question where that is empty; False where it is not there."""
        given = storable(" ".join(name.split())[:NAME_LIMIT])
        with self._database.writing() as connection:
            sql = "UPDATE conversation SET name=? WHERE id=? AND browser=?"
            return connection.execute(sql, (given, conversation, browser)).rowcount > 0

    def remove(self, browser: str, conversation: str) -> bool:
        """Take out a conversation with all that was asked, answered and judged in it; False where it is not there."""
        with self._database.writing() as connection:
            sql = "DELETE FROM conversation WHERE id=? AND browser=?"
            return connection.execute(sql, (conversation, browser)).rowcount > 0

    def turns(self, browser: str, conversation: str, *, last: int = -1) -> list[StoredTurn]:
        """The turns of a conversation, or the `last` of them, oldest first; none where it is not this browser's."""
        sql = f"{_TURNS} WHERE conversation.id=? AND browser=? ORDER BY position DESC LIMIT ?"
        return [_turn(row) for row in reversed(self._database.rows(sql, conversation, browser, last))]

    def count(self, browser: str, conversation: str) -> int:
        """How many turns a conversation has; 0 where it is not this browser's."""
        sql = "SELECT count(*) FROM turn JOIN conversation ON conversation.id = turn.conversation"
        return int(self._database.rows(f"{sql} WHERE conversation.id=? AND browser=?", conversation, browser)[0][0])

    def turn(self, browser: str, turn: str) -> StoredTurn | None:
        """A turn by its id; None where there is none or it is not this browser's."""
        rows = self._database.rows(f"{_TURNS} WHERE turn.id=? AND browser=?", turn, browser)
        return _turn(rows[0]) if rows else None

    def candidates(self, browser: str, turn: str) -> tuple[Candidate, ...]:
        """All that was found for a turn's question, best first; nothing where it is not this browser's."""
        sql = (
            "SELECT candidates.candidates FROM candidates JOIN turn ON turn.id = candidates.turn"
            " JOIN conversation ON conversation.id = turn.conversation WHERE turn.id=? AND browser=?"
        )
        rows = self._database.rows(sql, turn, browser)
        return tuple(Candidate(**one) for one in json.loads(rows[0][0])) if rows else ()

    def add(
        self,
        conversation: str,
        question: str,
        *,
        instead_of: str = "",
        excluded: Sequence[Excluded] = (),
        spaces: Sequence[str] = (),
    ) -> StoredTurn:
        """Append a question, in state WORKING. The conversation's last turn goes where it is `instead_of`."""
        turn = StoredTurn(
            uuid.uuid4().hex,
            conversation,
            _now(),
            storable(question),
            TurnState.WORKING,
            excluded=tuple(excluded),
            spaces=tuple(spaces),
        )
        put_aside = _json([asdict(one) for one in excluded])
        drop = (
            "DELETE FROM turn WHERE id=? AND conversation=? AND position ="
            " (SELECT MAX(position) FROM turn WHERE conversation=?)"
        )
        sql = (
            "INSERT INTO turn (id, conversation, position, asked, question, state, excluded, spaces)"
            " SELECT ?, ?, 1 + COALESCE(MAX(position), 0), ?, ?, ?, ?, ? FROM turn WHERE conversation=?"
        )
        with self._database.writing() as connection:
            connection.execute(drop, (instead_of, conversation, conversation))
            row = (turn.id, conversation, turn.asked, turn.question, turn.state, put_aside, _json(spaces))
            connection.execute(sql, (*row, conversation))
            connection.execute("UPDATE conversation SET touched=? WHERE id=?", (turn.asked, conversation))
        return turn

    def save(self, turn: StoredTurn, found: Sequence[Candidate] = ()) -> None:
        """Keep how far `turn` has come, and what was `found` for its question where that is known."""
        text = None if turn.answer is None else _json(asdict(turn.answer))
        sql = "UPDATE turn SET state=?, failure=?, answer=? WHERE id=?"
        with self._database.writing() as connection:
            known = connection.execute(sql, (turn.state, storable(turn.failure), text, turn.id)).rowcount
            if found and known:
                listed = _json([asdict(candidate) for candidate in found])
                connection.execute("INSERT OR REPLACE INTO candidates VALUES (?, ?)", (turn.id, listed))


def _json(values: object) -> str:
    return storable(json.dumps(values, ensure_ascii=False))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _turn(row: tuple[Any, ...]) -> StoredTurn:
    identity, conversation, asked, question, state, failure, text, verdict, excluded, spaces = row
    aside = tuple(Excluded(**one) for one in json.loads(excluded))
    turn = StoredTurn(
        identity,
        conversation,
        asked,
        question,
        TurnState(state),
        failure,
        verdict=verdict,
        excluded=aside,
        spaces=tuple(json.loads(spaces)),
    )
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
        "spaces": tuple(values.get("spaces", ())),
    }
    return StoredAnswer(**{**values, **built})

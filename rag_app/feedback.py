"""What readers said of answers, kept in app.db with all that a later training needs of them.

A judgement keeps question, answer and passages itself, so that it still says the same when the library has
changed. It goes with its conversation: who deletes that deletes this too.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from rag_app.app_database import AppDatabase, storable
from rag_app.conversations import StoredAnswer, StoredTurn
from rag_app.records import Citation

NOTE_LIMIT = 2_000  # characters


class Verdict(StrEnum):
    """What the reader thinks of an answer."""

    GOOD = "good"
    POOR = "poor"


class Reason(StrEnum):
    """What was wrong, as far as the reader said."""

    UNSAID = ""
    WRONG_PAGE = "wrong_page"
    MISSING = "document_missing"
    NOT_ASKED = "not_what_i_asked"
    OUT_OF_DATE = "out_of_date"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class JudgedPassage:
    """A passage that stood with the answer."""

    document_id: str
    title: str
    path: str
    page: int  # 1-based physical page
    label: str  # printed label of that page
    quote: str  # the sentences that support the answer; "" where it was not cited
    passage: str  # the whole text
    relevance: float  # 0 to 1, as the reranker said at the time
    cited: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict and what it was about."""

    turn: str  # 32 hex digits
    verdict: Verdict
    reason: Reason = Reason.UNSAID
    note: str = ""  # in the reader's own words
    given: str = ""  # ISO 8601, UTC
    question: str = ""  # as it was asked
    searched: str = ""  # the stand-alone question that was searched for
    answer: str = ""  # with its markers
    passages: tuple[JudgedPassage, ...] = field(default=())  # the cited ones first


class Feedback:
    """All verdicts. Safe to use from several threads."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def give(self, turn: StoredTurn, verdict: Verdict, reason: Reason = Reason.UNSAID, note: str = "") -> None:
        """Keep a verdict on a finished turn, in the place of an earlier one. Nothing happens where it has no answer."""
        if turn.answer is None:
            return
        passages = json.dumps([asdict(one) for one in _passages(turn.answer)], ensure_ascii=False)
        answer, now = turn.answer, datetime.now(UTC).isoformat(timespec="microseconds")
        said = (verdict, reason, storable(note.strip()[:NOTE_LIMIT]))
        row = (turn.id, now, *said, turn.question, answer.rewritten, answer.text, passages)
        with self._database.writing() as connection:
            # The turn may be gone by now: deleted in another tab.
            there = connection.execute("SELECT 1 FROM turn WHERE id=?", (turn.id,)).fetchone()
            if there:
                connection.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def withdraw(self, turn: StoredTurn) -> None:
        """Forget the verdict on a turn."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM feedback WHERE turn=?", (turn.id,))

    def given(self) -> list[Judgement]:
        """Every verdict of every browser, the oldest first."""
        sql = (
            "SELECT turn, verdict, reason, note, given, question, searched, answer, passages FROM feedback"
            " ORDER BY given, rowid"
        )
        return [_judgement(*row) for row in self._database.rows(sql)]


def _judgement(turn: str, verdict: str, reason: str, *rest: str) -> Judgement:
    note, given, question, searched, answer, passages = rest
    return Judgement(
        turn=turn,
        verdict=Verdict(verdict),
        reason=Reason(reason),
        note=note,
        given=given,
        question=question,
        searched=searched,
        answer=answer,
        passages=tuple(JudgedPassage(**one) for one in json.loads(passages)),
    )


def _passages(answer: StoredAnswer) -> list[JudgedPassage]:
    cited = len(answer.citations)
    return [_judged(source, cited=place < cited) for place, source in enumerate(answer.sources)]


def _judged(source: Citation, *, cited: bool) -> JudgedPassage:
    return JudgedPassage(
        document_id=source.document_id,
        title=source.title,
        path=source.path,
        page=source.page,
        label=source.label,
        quote=source.quote,
        passage=source.passage,
        relevance=source.relevance,
        cited=cited,
    )

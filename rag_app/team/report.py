"""What a team's questions came to, by week and space: how many were answered, how quickly, and what is missing.

Nothing in it tells who asked.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from ingest.records import Document
from rag_app.access import Role, Who, may
from rag_app.app_database import AppDatabase
from rag_app.conversations import TurnState
from rag_app.feedback import Verdict
from rag_app.records import Mode
from rag_app.team.approved import Approved, to_review
from rag_app.unanswered import Missing, grouped

LOOKED_AT = 100_000  # questions, the latest first
WEEKS = 8  # the present one counted, where nobody says otherwise
WEEKS_MOST = 104
GAPS = 20  # most frequent questions without an answer
UNKNOWN = ""  # the space of questions that were asked before it was kept
_SPOKEN = frozenset({Mode.EXTRACTIVE, Mode.MODEL})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what came of it, without who asked."""

    at: str  # ISO 8601, UTC
    question: str  # as it was searched for
    spaces: tuple[str, ...]  # that were searched
    answered: bool
    abstained: bool  # nothing relevant enough was found; neither where it was stopped or failed
    verdict: str = ""  # a feedback.Verdict, or ""
    first_words: float = 0.0  # milliseconds; 0 where it was not measured
    cited: tuple[str, ...] = ()  # ids of documents, each once

    @property
    def week(self) -> date:
        """The Monday of the week it was asked in, in UTC."""
        return monday(datetime.fromisoformat(self.at).date())


@dataclass(frozen=True, slots=True)
class Week:
    """The questions of one week, of one space or of all together."""

    begins: date  # a Monday
    space: str = ""
    questions: int = 0
    answered: int = 0
    abstained: int = 0  # the rest was stopped, was cut off or failed
    good: int = 0  # thumbs up
    poor: int = 0  # thumbs down
    first_words: float | None = None  # milliseconds, the median of those measured


@dataclass(frozen=True, slots=True)
class Used:
    """A document and how many answers cite it."""

    title: str
    space: str
    added: str  # ISO 8601
    answers: int


@dataclass(frozen=True, slots=True)
class Stale:
    """An approved answer that somebody should look at."""

    question: str
    space: str
    why: str  # a sentence


@dataclass(frozen=True, slots=True)
class Report:
    """What the page, the CSV and the command are views of."""

    spaces: tuple[str, ...]  # that may be reported on
    shown: tuple[str, ...]  # that are
    together: tuple[Week, ...]  # a week each, the oldest first, also where nothing was asked; a question counts once
    by_space: tuple[Week, ...]  # only weeks with questions; a question counts in each space it was searched in
    gaps: tuple[Missing, ...]
    more_gaps: int  # further ones that are not listed
    documents: tuple[Used, ...]  # the most cited first
    stale: tuple[Stale, ...]


class Ledger:
    """Reads from app.db what was asked."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def since(self, day: date) -> list[Asked]:
        """Every question since the beginning of a day (UTC), the latest first; none that is still being answered."""
        sql = (
            "SELECT turn.asked, COALESCE(NULLIF(json_extract(turn.answer, '$.rewritten'), ''), turn.question),"
            " COALESCE(NULLIF(json_extract(turn.answer, '$.spaces'), '[]'), turn.spaces), turn.state,"
            " json_extract(turn.answer, '$.mode'), json_extract(turn.answer, '$.abstained'),"
            " COALESCE(feedback.verdict, ''), json_extract(turn.answer, '$.first_words'),"
            " (SELECT json_group_array(DISTINCT json_extract(value, '$.document_id'))"
            " FROM json_each(turn.answer, '$.citations'))"
            " FROM turn LEFT JOIN feedback ON feedback.turn = turn.id"
            " WHERE turn.asked >= ? AND turn.state <> ? ORDER BY turn.rowid DESC LIMIT ?"
        )
        return [_asked(row) for row in self._database.rows(sql, day.isoformat(), TurnState.WORKING, LOOKED_AT)]


def _asked(row: tuple[Any, ...]) -> Asked:
    at, question, spaces, state, mode, abstained, verdict, first_words, cited = row
    whole = state == TurnState.DONE
    return Asked(
        at=at,
        question=question,
        spaces=tuple(json.loads(spaces)),
        answered=whole and not abstained and mode in _SPOKEN,
        abstained=whole and bool(abstained),
        verdict=verdict,
        first_words=first_words or 0.0,
        cited=tuple(json.loads(cited)),
    )


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def first_week(today: date, weeks: int) -> date:
    """The Monday with which the last `weeks` weeks begin, the present one counted."""
    return monday(today) - timedelta(weeks=min(max(weeks, 1), WEEKS_MOST) - 1)


def report(
    asked: Sequence[Asked],
    documents: Sequence[Document],
    who: Who,
    *,
    since: date,
    today: date,
    space: str = "",
    stale: Sequence[Stale] = (),
) -> Report:
    """The report on the spaces that `who` may edit, or on `space` where it is one of them; weeks begin at `since`."""
    held = {one.space for one in documents} | {name for one in asked for name in one.spaces or (UNKNOWN,)}
    allowed = tuple(sorted(name for name in held if may(who, Role.EDITOR, name)))
    shown = (space,) if space and space in allowed else allowed
    seen = [one for one in asked if set(one.spaces or (UNKNOWN,)) & set(shown)]
    gaps = grouped([(one.question, one.at) for one in seen if one.abstained])
    weeks: dict[date, list[Asked]] = {
        since + timedelta(weeks=number): [] for number in range((monday(today) - since).days // 7 + 1)
    }
    for one in seen:
        weeks.get(one.week, []).append(one)
    return Report(
        spaces=allowed,
        shown=shown,
        together=tuple(_week(begins, "", own) for begins, own in weeks.items()),
        by_space=tuple(_by_space(weeks, shown)),
        gaps=tuple(gaps[:GAPS]),
        more_gaps=max(0, len(gaps) - GAPS),
        documents=tuple(_used(seen, [one for one in documents if one.space in shown])),
        stale=tuple(one for one in stale if one.space in shown),
    )


def _by_space(weeks: Mapping[date, Sequence[Asked]], spaces: Sequence[str]) -> Iterator[Week]:
    for begins, asked in weeks.items():
        for space in spaces:
            own = [one for one in asked if space in (one.spaces or (UNKNOWN,))]
            if own:
                yield _week(begins, space, own)


def _week(begins: date, space: str, asked: Sequence[Asked]) -> Week:
    measured = [one.first_words for one in asked if one.first_words]
    return Week(
        begins=begins,
        space=space,
        questions=len(asked),
        answered=sum(one.answered for one in asked),
        abstained=sum(one.abstained for one in asked),
        good=sum(one.verdict == Verdict.GOOD for one in asked),
        poor=sum(one.verdict == Verdict.POOR for one in asked),
        first_words=median(measured) if measured else None,
    )


def _used(asked: Sequence[Asked], documents: Sequence[Document]) -> list[Used]:
    times = Counter(document for one in asked for document in one.cited)
    used = [Used(one.title, one.space, one.added, times[one.id]) for one in documents]
    return sorted(used, key=lambda one: (-one.answers, one.title.casefold(), one.space))


class Reports:
    """Makes reports from what was asked and what the library holds."""

    def __init__(
        self,
        ledger: Ledger,
        documents: Callable[[], Sequence[Document]],
        stale: Callable[[], Sequence[Stale]] = tuple,
    ) -> None:
        self._ledger = ledger
        self._documents = documents
        self._stale = stale

    def made(self, who: Who, weeks: int = WEEKS, space: str = "") -> Report:
        """The report on the last `weeks` weeks, the present one counted, of what `who` may edit."""
        today = datetime.now(UTC).date()
        since = first_week(today, weeks)
        asked = self._ledger.since(since)
        return report(asked, self._documents(), who, since=since, today=today, space=space, stale=self._stale())


def to_look_at(approved: Approved, documents: Callable[[], Sequence[Document]]) -> Callable[[], Sequence[Stale]]:
    """What tells the approved answers that somebody should look at, in every space."""

    def stale() -> list[Stale]:
        held, today = documents(), datetime.now(UTC).date()
        reasons = [(one, to_review(one, held, today)) for one in approved.listed(Who(""))]
        return [Stale(one.latest.question, one.space, " ".join(why)) for one, why in reasons if why]

    return stale


def weeks_of(text: str) -> int:
    """How many weeks an address asks for; the usual number where it says nothing sensible."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004 - digits
    return number if 1 <= number <= WEEKS_MOST else WEEKS

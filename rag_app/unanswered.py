"""The questions that the library could not answer, from app.db, with how often each came."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from rag_app.app_database import AppDatabase
from rag_app.conversations import TurnState

LOOKED_AT = 20_000  # turns, the latest first
SHOWN = 100
_APART = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Missing:
    """A question without an answer, however it was spelled."""

    question: str  # as it was searched for, the last time
    times: int
    last: str  # ISO 8601, UTC


class Unanswered:
    """Reads what nobody was told. Everybody who may sign in sees it, without who asked."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def listed(self) -> list[Missing]:
        """The questions that were refused for want of a passage, the most frequent first."""
        sql = (
            "SELECT COALESCE(NULLIF(json_extract(answer, '$.rewritten'), ''), question), asked FROM"
            " (SELECT question, asked, answer FROM turn WHERE state=? AND answer IS NOT NULL"
            " ORDER BY rowid DESC LIMIT ?) WHERE json_extract(answer, '$.abstained')"
        )
        return grouped(self._database.rows(sql, TurnState.DONE, LOOKED_AT))[:SHOWN]


def grouped(rows: Iterable[tuple[str, str]]) -> list[Missing]:
    """(question, asked) -> one for each that differs in more than case, accents' form, spaces and punctuation.

    Example: "Who is Ann?" and "who is ann" are one question that came twice.
    """
    found: dict[str, Missing] = {}
    for question, asked in rows:
        key = folded(question)
        known = found.get(key)
        if known is None:
            found[key] = Missing(question, 1, asked)
        else:
            latest = (question, asked) if asked > known.last else (known.question, known.last)
            found[key] = Missing(latest[0], known.times + 1, latest[1])
    ordered = sorted(found.values(), key=lambda one: one.last, reverse=True)
    return sorted(ordered, key=lambda one: -one.times)


def folded(question: str) -> str:
    """A question without what does not change it: case, form, spaces and punctuation. All of it, where that is all."""
    plain = unicodedata.normalize("NFKC", question).casefold()
    return _APART.sub(" ", plain).strip() or plain

"""The inbox: questions that were not answered well, grouped by meaning, and what editors made of each group.

A question is in it while its conversation is kept; nothing of its text is copied. What editors say of a group hangs on
the group's vector, so new questions of the same meaning join it, and those asked after it was closed open it again.
"""

import json
import re
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from threading import Lock

import numpy as np

from ingest.errors import RagError
from ingest.identifiers import identifiers
from rag_app.access import Role, Who, may
from rag_app.app_database import AppDatabase, storable
from rag_app.conversations import TurnState
from rag_app.feedback import Verdict
from rag_app.records import Citation, Mode
from rag_app.team.grouping import central, grouped
from rag_app.team.question_vectors import Embedding, Vector, read, vectors_of, written
from rag_app.words import fold, is_content, stem

LOOKED_AT = 20_000  # questions, the latest
NOTE_LIMIT = 2_000  # characters
CACHED = 4  # sets of questions whose groups are kept
_ROWS = (
    "SELECT turn.id, turn.conversation, turn.position, turn.asked, turn.question, turn.state, turn.spaces,"
    " COALESCE(NULLIF(json_extract(turn.answer, '$.rewritten'), ''), turn.question),"
    " COALESCE(json_extract(turn.answer, '$.mode'), ''), COALESCE(json_extract(turn.answer, '$.abstained'), 0),"
    " COALESCE(json_extract(turn.answer, '$.spaces'), '[]'), COALESCE(feedback.verdict, ''),"
    " COALESCE(feedback.note, ''), COALESCE(json_extract(turn.answer, '$.citations[0].quote'), '')"
    " FROM (SELECT * FROM turn ORDER BY rowid DESC LIMIT ?) AS turn LEFT JOIN feedback ON feedback.turn = turn.id"
    " ORDER BY turn.conversation, turn.position"
)
_CASE = "id, spaces, vector, assigned, note, closed, reason, changed, name"


class Kind(StrEnum):
    """Why a question is in the inbox."""

    BELOW = "below"  # no passage was relevant enough
    UNANSWERED = "unanswered"  # nothing could be written, or something failed
    WRONG = "wrong"  # the reader marked the answer as poor
    AGAIN = "again"  # asked again in other words in the same conversation


class Closed(StrEnum):
    """Why a group was closed."""

    ANSWERED = "answered"  # by a document or an approved answer
    NOT_OURS = "not_ours"  # not for this library
    FINE = "fine"  # the answer was right


class InboxError(RagError):
    """What was asked of the inbox cannot be done."""

    kind = "inbox"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the inbox."""

    turn: str  # 32 hex digits
    asked: str  # ISO 8601, UTC
    question: str  # as it was searched for
    kind: Kind
    spaces: tuple[str, ...]  # it was put to
    note: str = ""  # what the reader said was wrong


@dataclass(frozen=True, slots=True)
class Case:
    """What editors made of a group."""

    id: str = ""
    assigned: str = ""  # name of whoever looks after it
    note: str = ""
    closed: str = ""  # ISO 8601, UTC; "" while it is open
    reason: str = ""  # a Closed
    changed: str = ""  # ISO 8601, UTC
    name: str = ""  # of who changed it last


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one meaning."""

    question: str  # the most central
    asked: tuple[Asked, ...]  # the latest first
    case: Case
    vector: Vector  # mean of its questions'

    @property
    def key(self) -> str:
        """What addresses name it by: the turn of its oldest question."""
        return self.asked[-1].turn

    @property
    def since(self) -> int:
        """How often it came since it was closed; 0 while it is open."""
        return sum(one.asked > self.case.closed for one in self.asked) if self.case.closed else 0

    @property
    def is_open(self) -> bool:
        """Whether somebody should look at it: not closed, or asked again since."""
        return not self.case.closed or self.since > 0

    @property
    def spaces(self) -> tuple[str, ...]:
        """Those its questions were put to."""
        return tuple(sorted({space for one in self.asked for space in one.spaces}))


class Inbox:
    """Reads and groups what was not answered well. Safe to use from several threads."""

    def __init__(self, database: AppDatabase, embedding: Embedding | None) -> None:
        """Without an embedding nothing is grouped, and nothing listed."""
        self._database, self._embedding = database, embedding
        self._name = "" if embedding is None else embedding.name
        self._groups: OrderedDict[tuple[str, ...], list[list[int]]] = OrderedDict()
        self._lock = Lock()

    def groups(self, who: Who) -> tuple[list[Group], int]:
        """The groups of the questions put to spaces that `who` edits, those asked most first.

        The number says how many questions have no vector yet and come with a later look.
        """
        with self._lock:
            asked, vectors, left = self._asked(who)
            if not asked:
                return [], left
            cases = self._cases(who)
            held = np.vstack([*(vectors[one.turn] for one in asked), *(vector for _, vector in cases)])
            found = [
                group
                for places in self._places(held, [*(one.turn for one in asked), *(case.id for case, _ in cases)])
                if (group := _group(places, asked, cases, held)) is not None
            ]
        return sorted(found, key=lambda group: (-len(group.asked), group.asked[0].asked)), left

    def group(self, who: Who, key: str) -> Group:
        """The group that holds a question, by its turn. Raises InboxError where it is not there for `who`."""
        groups, _ = self.groups(who)
        found = next((group for group in groups if any(one.turn == key for one in group.asked)), None)
        if found is None:
            raise InboxError("This question is no longer in the inbox. Its conversation may have been deleted.")
        return found

    def sources(self, turn: str) -> list[Citation]:
        """The passages that stood with a question's answer. Whoever shows them checks who may read them."""
        sql = "SELECT answer FROM turn WHERE id=? AND answer IS NOT NULL"
        values = [json.loads(text) for (text,) in self._database.rows(sql, turn)]
        return [Citation(**one) for value in values for one in (*value["citations"], *value["uncited"])]

    def change(
        self,
        who: Who,
        key: str,
        *,
        assigned: str | None = None,
        note: str | None = None,
        reason: Closed | None = None,
        reopen: bool = False,
    ) -> Group:
        """Assign, note, close or reopen a group; what is None stays. Raises InboxError where it is not there."""
        group = self.group(who, key)
        case, now = group.case, datetime.now(UTC).isoformat(timespec="microseconds")
        case = replace(
            case,
            id=case.id or uuid.uuid4().hex,
            assigned=case.assigned if assigned is None else storable(" ".join(assigned.split())[:NOTE_LIMIT]),
            note=case.note if note is None else storable(note.strip()[:NOTE_LIMIT]),
            closed="" if reopen else now if reason else case.closed,
            reason="" if reopen else reason or case.reason,
            changed=now,
            name=who.name,
        )
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO inbox_case ({_CASE}, embedder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    case.id, json.dumps(group.spaces), written(group.vector), case.assigned, case.note,
                    case.closed, case.reason, case.changed, case.name, self._name,
                ),
            )  # fmt: skip
        return replace(group, case=case)

    def _asked(self, who: Who) -> tuple[list[Asked], Mapping[str, Vector], int]:
        """The questions that `who` sees, the vectors of all that have one, and how many have none yet."""
        rows = [_Row(*row) for row in self._database.rows(_ROWS, LOOKED_AT)]
        rows = [row for row in rows if row.state not in (TurnState.WORKING, TurnState.STOPPED, TurnState.CUT)]
        pairs = [(before, row) for before, row in pairwise(rows) if before.conversation == row.conversation]
        wanted = {row.id: row for row in rows if row.kind is not None} | {one.id: one for pair in pairs for one in pair}
        if self._embedding is None:
            return [], {}, 0
        put = {turn: (row.searched, row.put_to) for turn, row in wanted.items()}
        vectors, left = vectors_of(self._database, self._embedding, put)
        again = {
            before.id
            for before, row in pairs
            if before.id in vectors and row.id in vectors and _other_words(before, row) and _one_thing(before, row)
            and float(vectors[before.id] @ vectors[row.id]) >= AGAIN
        }  # fmt: skip
        found = [_asked(row, again) for row in rows if row.id in vectors and (row.kind is not None or row.id in again)]
        return [one for one in found if _sees(who, one.spaces)], vectors, left

    def _cases(self, who: Who) -> list[tuple[Case, Vector]]:
        """The cases of groups whose spaces `who` edits, all of them; the latest changed first."""
        sql = f"SELECT {_CASE} FROM inbox_case WHERE embedder=? ORDER BY changed DESC"
        return [
            (Case(identifier, *said), read(vector))
            for identifier, spaces, vector, *said in self._database.rows(sql, self._name)
            if all(_edits(who, space) for space in json.loads(spaces))
        ]

    def _places(self, vectors: Vector, names: Sequence[str]) -> list[list[int]]:
        """The groups of some vectors, kept for as long as they are the same ones."""
        key = tuple(names)
        if key not in self._groups:
            self._groups[key] = grouped(vectors)
            while len(self._groups) > CACHED:
                self._groups.popitem(last=False)
        return self._groups[key]


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    conversation: str
    position: int
    asked: str
    question: str
    state: str
    spaces: str  # JSON: asked in
    searched: str  # the stand-alone question
    mode: str
    abstained: int
    found_in: str  # JSON: spaces that were searched
    verdict: str
    note: str
    quote: str  # what the answer cites first

    @property
    def kind(self) -> Kind | None:
        """Why it is in the inbox by itself; None where the answer stands."""
        if self.verdict == Verdict.POOR:
            return Kind.WRONG
        if self.state == TurnState.FAILED or self.mode == Mode.PASSAGES:
            return Kind.UNANSWERED
        return Kind.BELOW if self.abstained else None

    @property
    def put_to(self) -> tuple[str, ...]:
        return tuple(json.loads(self.found_in) or json.loads(self.spaces))


# Cosine of two questions in a row from which the second asks the same. On the sets of benchmarks/inbox.py --fit half of
# the wordings of one meaning are so near, and 4 of 1,000 pairs of two meanings.
AGAIN = 0.53


def _other_words(before: _Row, row: _Row) -> bool:
    """Whether two questions in a row are two wordings rather than one asked twice."""
    return row.question.casefold().split() != before.question.casefold().split()


def _one_thing(before: _Row, row: _Row) -> bool:
    """Whether two questions were given the same answer, or say mostly the same words.

    In a small library all questions stand near the same passages, so nearness alone would take each for the one before.
    Two that name different codes ask of different things, whatever else they share.
    """
    first, second = set(identifiers(before.searched)), set(identifiers(row.searched))
    if first and second and first != second:
        return False
    if before.quote and before.quote == row.quote:
        return True
    one, other = _content(before.searched), _content(row.searched)
    return 2 * len(one & other) > len(one | other)


def _content(question: str) -> set[str]:
    return {stem(fold(word)) for word in re.findall(r"\w+", question) if is_content(fold(word))}


def _asked(row: _Row, again: set[str]) -> Asked:
    kind = Kind.AGAIN if row.kind is None and row.id in again else row.kind
    assert kind is not None
    return Asked(row.id, row.asked, row.searched, kind, row.put_to, row.note)


def _edits(who: Who, space: str) -> bool:
    return may(who, Role.EDITOR, space)


def _sees(who: Who, spaces: Sequence[str]) -> bool:
    """Whether a question put to these spaces is one of theirs; one put to nowhere is everybody's who may do all."""
    return any(_edits(who, space) for space in spaces) or (not spaces and (who.roles is None or who.administrator))


def _group(
    places: Sequence[int], asked: Sequence[Asked], cases: Sequence[tuple[Case, Vector]], vectors: Vector
) -> Group | None:
    """The group at some places, where cases come after the questions; None where only cases are left of it."""
    own = [place for place in places if place < len(asked)]
    if not own:
        return None
    case = next((cases[place - len(asked)][0] for place in places if place >= len(asked)), Case())
    mean = vectors[own].mean(axis=0)
    return Group(
        question=asked[central(vectors, own)].question,
        asked=tuple(sorted((asked[place] for place in own), key=lambda one: one.asked, reverse=True)),
        case=case,
        vector=(mean / np.linalg.norm(mean)).astype(np.float32),
    )

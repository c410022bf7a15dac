"""Approved answers: written or corrected by an editor, kept in every version, and answering as a document of their own.

What is kept here is who wrote what when, and what it leans on. The library holds the latest version as a document
(`rag_app/team/wording.py`), which the same search finds, so removing that document is all it takes to withdraw it.
"""

import hashlib
import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime

from ingest.errors import RagError
from ingest.records import Document
from rag_app.access import Forbidden, Role, Who, may
from rag_app.app_database import AppDatabase, storable
from rag_app.team.wording import heading, identifier_of, markdown, path_of

QUESTION_LIMIT, ANSWER_LIMIT = 1_000, 4_000  # characters
REVIEW_DAYS = 180  # until an answer is looked at again, where nobody says
SOURCES = 20
# Two documents of the same bytes in a space would be one.
_SAME = (
    "SELECT 1 FROM approved_version JOIN approved ON id = approved WHERE space=? AND content=? AND id <> ?"
    " AND withdrawn = ''"
)
_VERSION = "approved, number, written, author, name, question, answer, review, sources"

NOT_EDITOR = "You may not approve answers in the space {space}. Ask one of its owners to make you an editor."
GONE = "This approved answer is not there, or not in a space that you may edit."
NO_QUESTION = "Write the question in a few words; it becomes the title of the answer."
NO_ANSWER = "Write the answer before you approve it."
TOO_LONG = f"A question may have {QUESTION_LIMIT:,} characters and an answer {ANSWER_LIMIT:,}. Shorten it."
TWICE = "The same question with the same answer is approved in this space already."
NO_DATE = "Write the review date as year-month-day, for example 2027-05-31."


class ApprovalError(RagError):
    """An answer cannot be approved as it is."""

    kind = "approval"


class NoSuchAnswer(ApprovalError):
    """It is not there for whoever asks."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a document that an approved answer leans on. Holds no words of it."""

    document_id: str
    title: str
    page: int  # 1-based physical page
    label: str  # printed label of that page


@dataclass(frozen=True, slots=True)
class Version:
    """An approved answer as it stood at a time."""

    number: int  # 1-based
    written: str  # ISO 8601, UTC
    author: str  # a person's id, or a browser's while nobody is registered
    name: str  # theirs then; "" while nobody is registered
    question: str
    answer: str
    review: str  # the day from which it should be looked at again, ISO 8601
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovedAnswer:
    """An answer that somebody stands for, with all its versions."""

    id: str  # 32 hex digits
    space: str
    withdrawn: str  # ISO 8601, UTC; "" while it answers
    versions: tuple[Version, ...]  # the first one first

    @property
    def latest(self) -> Version:
        """What it says now."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor hands in."""

    space: str
    question: str
    answer: str
    review: str = ""  # ISO 8601; "" for REVIEW_DAYS from now
    sources: tuple[Source, ...] = ()


class Approved:
    """All approved answers. Safe to use from several threads."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def write(self, who: Who, draft: Draft, identifier: str = "") -> ApprovedAnswer:
        """Keep a new answer, or another version of the one named. Raises ApprovalError, Forbidden."""
        if identifier:
            draft = replace(draft, space=self.of_editor(who, identifier).space)
        elif not draft.space or not may(who, Role.EDITOR, draft.space):
            raise Forbidden(NOT_EDITOR.format(space=draft.space))
        version = _checked(who, draft)
        identifier = identifier or uuid.uuid4().hex
        content = content_of(version)
        values = (identifier, version.written, version.author, version.name, version.question, version.answer)
        sources = storable(json.dumps([asdict(one) for one in version.sources], ensure_ascii=False))
        sql = (
            f"INSERT INTO approved_version ({_VERSION}, content) SELECT ?, 1 + COALESCE(MAX(number), 0), ?, ?, ?, ?, ?,"
            " ?, ?, ? FROM approved_version WHERE approved=?"
        )
        with self._database.writing() as connection:
            if connection.execute(_SAME, (draft.space, content, identifier)).fetchone():
                raise ApprovalError(TWICE)
            connection.execute(
                "INSERT INTO approved (id, space) VALUES (?, ?) ON CONFLICT DO UPDATE SET withdrawn=''",
                (identifier, draft.space),
            )
            connection.execute(sql, (*values, version.review, sources, content, identifier))
        return self._required(identifier)

    def withdraw(self, who: Who, identifier: str) -> ApprovedAnswer:
        """Keep that an answer answers no more; its document has to be removed. Raises ApprovalError."""
        self.of_editor(who, identifier)
        with self._database.writing() as connection:
            connection.execute("UPDATE approved SET withdrawn=? WHERE id=?", (_now(), identifier))
        return self._required(identifier)

    def listed(self, who: Who) -> list[ApprovedAnswer]:
        """Those in spaces that `who` may read, the last written first."""
        rows = self._database.rows(f"SELECT {_VERSION} FROM approved_version ORDER BY written, number")
        versions: dict[str, list[Version]] = {}
        for identifier, *said in rows:
            versions.setdefault(identifier, []).append(_version(said))
        held = [
            ApprovedAnswer(identifier, space, withdrawn, tuple(versions[identifier]))
            for identifier, space, withdrawn in self._database.rows("SELECT id, space, withdrawn FROM approved")
            if may(who, Role.READER, space)
        ]
        return sorted(held, key=lambda one: one.latest.written, reverse=True)

    def get(self, identifier: str) -> ApprovedAnswer | None:
        """One of them, whoever asks; None where there is none."""
        found = self._database.rows("SELECT space, withdrawn FROM approved WHERE id=?", identifier)
        sql = f"SELECT {_VERSION} FROM approved_version WHERE approved=? ORDER BY number"
        versions = tuple(_version(said) for _, *said in self._database.rows(sql, identifier))
        if not found or not versions:
            return None
        space, withdrawn = found[0]
        return ApprovedAnswer(identifier, space, withdrawn, versions)

    def of_editor(self, who: Who, identifier: str) -> ApprovedAnswer:
        """One in a space that `who` edits. Raises ApprovalError where it is not there for them, Forbidden."""
        found = self.get(identifier)
        if found is None or not may(who, Role.READER, found.space):
            raise NoSuchAnswer(GONE)
        if not may(who, Role.EDITOR, found.space):
            raise Forbidden(NOT_EDITOR.format(space=found.space))
        return found

    def behind(self, path: str) -> ApprovedAnswer | None:
        """The approved answer whose document is called so; None for every other document."""
        identifier = identifier_of(path)
        return self.get(identifier) if identifier else None

    def _required(self, identifier: str) -> ApprovedAnswer:
        found = self.get(identifier)
        assert found is not None
        return found


def content_of(version: Version) -> str:
    """SHA-256 of the document that a version is, 64 hex digits."""
    return hashlib.sha256(markdown(version.question, version.answer).encode()).hexdigest()


def to_review(
    answer: ApprovedAnswer, documents: Sequence[Document], today: date, coming: Collection[str] = ()
) -> list[str]:
    """Why somebody should look at an answer, in sentences; nothing while it may stand.

    A document that came back with other contents is another document. `coming` are the paths of files that are on
    their way into the library, as an answer is just after it was approved.
    """
    if answer.withdrawn:
        return []
    held = {document.id for document in documents}
    titles = {document.title for document in documents if document.space == answer.space}
    reasons = []
    for title in dict.fromkeys(one.title for one in answer.latest.sources if one.document_id not in held):
        what = "has changed" if title in titles else "is no longer in the library"
        reasons.append(f"{title}, which it leans on, {what}.")
    if answer.latest.review <= today.isoformat():
        reasons.append(f"It was to be looked at again by {answer.latest.review}.")
    path = path_of(answer.id)
    if path not in coming and not any(document.path == path for document in documents):
        reasons.append("It is not in the library yet, or was removed there. Approve it again to put it back.")
    return reasons


def signed(answer: ApprovedAnswer) -> str:
    """Who approved an answer, and when: "Anna, 2026-11-21"."""
    day = answer.latest.written[:10]
    return f"{answer.latest.name}, {day}" if answer.latest.name else day


def _checked(who: Who, draft: Draft) -> Version:
    """The version that a draft makes. Raises ApprovalError."""
    question, answer = storable(" ".join(draft.question.split())), storable(draft.answer.strip())
    if not heading(question):
        raise ApprovalError(NO_QUESTION)
    if not answer:
        raise ApprovalError(NO_ANSWER)
    if len(question) > QUESTION_LIMIT or len(answer) > ANSWER_LIMIT:
        raise ApprovalError(TOO_LONG)
    now = datetime.now(UTC)
    try:
        day = date.fromisoformat(draft.review).isoformat() if draft.review else _in_days(now.date(), REVIEW_DAYS)
    except ValueError as error:
        raise ApprovalError(NO_DATE) from error
    return Version(0, _now(), who.id, who.name, question, answer, day, draft.sources[:SOURCES])


def _in_days(day: date, days: int) -> str:
    return date.fromordinal(day.toordinal() + days).isoformat()


def _version(said: Sequence[object]) -> Version:
    number, written, author, name, question, answer, review, sources = said
    assert isinstance(number, int)
    return Version(
        number=number,
        written=str(written),
        author=str(author),
        name=str(name),
        question=str(question),
        answer=str(answer),
        review=str(review),
        sources=tuple(Source(**one) for one in json.loads(str(sources))),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")

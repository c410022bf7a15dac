"""Takes the words of a purged document out of app.db: quotes, the answers that rest on them, and words only it held."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from ingest.pipeline import document_id as document_id_of
from rag_app.app_database import AppDatabase

PURGED = "This answer rested on a document that was removed for good."
TITLE = "Removed document"
BLANK = "\u2588\u2588\u2588"
_WORD = re.compile(r"\w+")
_NO_TEXT = frozenset({"document_id", "stage", "mode", "model", "support", "spaces"})  # fields that hold names of ours
_PLAIN = (("conversation", "id", "name"), ("turn", "id", "question"), ("turn", "id", "failure"))
_JUDGED = ("question", "searched", "note", "answer", "passages")


def blank(database: AppDatabase, document_id: str, words: Collection[str] = ()) -> int:
    """Blank what stored answers hold of a document, and `words` (folded) wherever text is kept.

    Returns the number of answers that were changed.
    """
    pen = _Pen(document_id, words)
    changed = 0
    with database.writing() as connection:
        for table, key, column in _PLAIN:
            for identifier, text in connection.execute(f"SELECT {key}, {column} FROM {table}").fetchall():
                _keep(connection, table, key, identifier, {column: (text, pen.text(text))})
        for identifier, text in connection.execute("SELECT id, answer FROM turn WHERE answer IS NOT NULL").fetchall():
            changed += _keep(connection, "turn", "id", identifier, {"answer": (text, pen.answer(text))})
        for identifier, text in connection.execute("SELECT id, excluded FROM turn WHERE excluded <> '[]'").fetchall():
            _keep(connection, "turn", "id", identifier, {"excluded": (text, pen.json(text))})
        for identifier, text in connection.execute("SELECT turn, candidates FROM candidates").fetchall():
            _keep(connection, "candidates", "turn", identifier, {"candidates": (text, pen.json(text))})
        for identifier, *said in connection.execute(f"SELECT turn, {', '.join(_JUDGED)} FROM feedback").fetchall():
            after = pen.judged(dict(zip(_JUDGED, said, strict=True)))
            both = {column: (before, after[column]) for column, before in zip(_JUDGED, said, strict=True)}
            _keep(connection, "feedback", "turn", identifier, both)
        _blank_replies(connection, pen)
        _blank_team(connection, pen, document_id)
    return changed


def _blank_replies(connection: Any, pen: "_Pen") -> None:  # noqa: ANN401
    """What was copied to be sent: gone where its answer cites the document, otherwise without the document's words."""
    sql = (
        "SELECT reply.id, reply.text, turn.answer FROM reply JOIN turn ON turn.id = reply.turn WHERE answer IS NOT NULL"
    )
    for identifier, text, answer in connection.execute(sql).fetchall():
        after = PURGED if pen.cited(json.loads(answer)) else pen.text(text)
        _keep(connection, "reply", "id", identifier, {"text": (text, after)})


def _blank_team(connection: Any, pen: "_Pen", document_id: str) -> None:  # noqa: ANN401
    """What editors wrote: notes, and approved answers; one that is the document itself goes with all its versions."""
    for identifier, note in connection.execute("SELECT id, note FROM inbox_case WHERE note <> ''").fetchall():
        _keep(connection, "inbox_case", "id", identifier, {"note": (note, pen.text(note))})
    sql = (
        "SELECT approved_version.rowid, approved, space, content, question, answer, sources FROM approved_version"
        " JOIN approved ON approved.id = approved"
    )
    for row, approved, space, content, question, answer, sources in connection.execute(sql).fetchall():
        if document_id_of(space, content) == document_id:
            connection.execute("DELETE FROM approved WHERE id = ?", (approved,))
        both = {"question": (question, pen.text(question)), "answer": (answer, pen.text(answer))}
        _keep(connection, "approved_version", "rowid", row, {**both, "sources": (sources, pen.json(sources))})


def blanked(text: str, document_id: str, words: Collection[str]) -> str:
    """Any JSON without what it says of a document, and without `words` (folded)."""
    return _Pen(document_id, words).json(text)


def quoted(database: AppDatabase, document_id: str) -> bool:
    """Whether any stored answer names the document."""
    texts = database.rows("SELECT COALESCE(answer, '') || excluded FROM turn")
    return any(document_id in text for (text,) in texts)


def _keep(connection: Any, table: str, key: str, identifier: str, columns: Mapping[str, tuple[str, str]]) -> bool:  # noqa: ANN401
    changes = {name: after for name, (before, after) in columns.items() if after != before}
    if changes:
        names = ", ".join(f"{name} = ?" for name in changes)
        connection.execute(f"UPDATE {table} SET {names} WHERE {key} = ?", (*changes.values(), identifier))
    return bool(changes)


class _Pen:
    """Writes over what one document left."""

    def __init__(self, document_id: str, words: Collection[str]) -> None:
        self._id = document_id
        self._words = frozenset(words)

    def text(self, text: str) -> str:
        """A text without the document's own words."""
        return _WORD.sub(lambda word: BLANK if word[0].casefold() in self._words else word[0], text)

    def cited(self, answer: Mapping[str, Any]) -> bool:
        """Whether a stored answer cites the document."""
        return any(source["document_id"] == self._id for source in answer["citations"])

    def answer(self, text: str) -> str:
        """A stored answer, as JSON; its words go where it cites the document or shows that it read it."""
        values = json.loads(text)
        after = self._value(values)
        cited = self.cited(values)
        read = any(source["document_id"] == self._id for source in values["uncited"])
        if cited or (read and after["text"] != values["text"]):
            after |= {"text": PURGED, "sentences": []}
        return text if after == values else json.dumps(after, ensure_ascii=False)

    def json(self, text: str) -> str:
        """Any JSON, with what it says of the document blanked."""
        values = json.loads(text)
        after = self._value(values)
        return text if after == values else json.dumps(after, ensure_ascii=False)

    def judged(self, said: Mapping[str, str]) -> dict[str, str]:
        """The columns of a verdict."""
        cited = any(one["document_id"] == self._id and one["cited"] for one in json.loads(said["passages"]))
        plain = {column: self.text(text) for column, text in said.items() if column != "passages"}
        return {**plain, **({"answer": PURGED} if cited else {}), "passages": self.json(said["passages"])}

    def _value(self, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(value, list):
            return [self._value(one) for one in value]
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, dict):
            return value
        if value.get("document_id") == self._id:
            return {key: self._blanked(key, one) for key, one in value.items()}
        return {key: one if key in _NO_TEXT else self._value(one) for key, one in value.items()}

    @staticmethod
    def _blanked(key: str, value: object) -> object:
        if not isinstance(value, str) or key in _NO_TEXT:
            return value
        return TITLE if key == "title" else ""

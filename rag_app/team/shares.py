"""Conversations that their owners share by a link, in app.db.

A link shows what is stored, nothing is copied; so it ends with the conversation, and what is purged is gone there too.
The token lies here as it is, because its owner wants to see it again; this file holds what it leads to anyway.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from rag_app.app_database import AppDatabase

_TOKEN_BYTES = 32
# Whoever was disabled shares nothing, and neither does a browser of the time before anybody was registered: its links
# could not be taken back any more.
_OPEN = "(NOT EXISTS (SELECT 1 FROM person) OR EXISTS (SELECT 1 FROM person WHERE id = browser AND disabled = 0))"


@dataclass(frozen=True, slots=True)
class Share:
    """A link to a conversation as it stood when the link was made, or last renewed."""

    conversation: str  # 32 hex digits
    owner: str  # whose it is: a person's id or a browser's
    name: str  # theirs; "" while nobody is registered
    token: str  # what the link ends with; nobody guesses it
    made: str  # ISO 8601, UTC; what was asked later is not shown


class Shares:
    """Makes, finds and ends links. Safe to use from several threads and processes."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def share(self, owner: str, conversation: str) -> Share | None:
        """Share a conversation, or renew its link up to now; None where it is not theirs or nothing was asked in it."""
        sql = (
            "INSERT INTO shared SELECT id, ?, ? FROM conversation WHERE id=? AND browser=?"
            " AND EXISTS (SELECT 1 FROM turn WHERE turn.conversation = conversation.id)"
            " ON CONFLICT (conversation) DO UPDATE SET made = excluded.made"
        )
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._database.writing() as connection:
            connection.execute(sql, (secrets.token_urlsafe(_TOKEN_BYTES), now, conversation, owner))
        return self.of_conversation(owner, conversation)

    def of_conversation(self, owner: str, conversation: str) -> Share | None:
        """The link to a conversation; None where it has none or is not theirs."""
        return self._one("shared.conversation=? AND browser=?", conversation, owner)

    def opened(self, token: str) -> Share | None:
        """What a link leads to; None where it was taken back, its owner was disabled, or it never was."""
        return self._one(f"token=? AND {_OPEN}", token)

    def end(self, owner: str, conversation: str) -> bool:
        """Take a link back; False where there was none or it is not theirs."""
        sql = "DELETE FROM shared WHERE conversation = (SELECT id FROM conversation WHERE id=? AND browser=?)"
        with self._database.writing() as connection:
            return connection.execute(sql, (conversation, owner)).rowcount > 0

    def _one(self, condition: str, *values: str) -> Share | None:
        sql = (
            "SELECT shared.conversation, browser, COALESCE(person.name, ''), token, made FROM shared"
            " JOIN conversation ON conversation.id = shared.conversation LEFT JOIN person ON person.id = browser"
            f" WHERE {condition}"
        )
        rows = self._database.rows(sql, *values)
        return Share(*rows[0]) if rows else None

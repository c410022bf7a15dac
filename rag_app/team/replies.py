"""What was copied from an answer to be sent to a customer, kept in app.db beside the question.

It goes with its conversation: who deletes that deletes this too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from rag_app.app_database import AppDatabase, storable

TEXT_LIMIT = 20_000  # characters of one reply
KEPT = 20  # replies to one question; the oldest goes first


@dataclass(frozen=True, slots=True)
class Copied:
    """A reply as it was taken away."""

    text: str  # with what the agent changed
    copied: str  # ISO 8601, UTC
    model: str = ""  # the language model that wrote it; "" where none did


class Replies:
    """All replies. Whoever asks here has made sure that the question is theirs. Safe to use from several threads."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def keep(self, turn: str, text: str, model: str = "") -> bool:
        """Keep what was copied for a question; False where the question is gone, and for the same text twice."""
        said, now = storable(text.strip()[:TEXT_LIMIT]), datetime.now(UTC).isoformat(timespec="seconds")
        sql = (
            "INSERT INTO reply (turn, copied, text, model) SELECT id, ?, ?, ? FROM turn WHERE id=? AND"
            " ? IS NOT (SELECT text FROM reply WHERE turn=? ORDER BY id DESC LIMIT 1)"
        )
        old = (
            "DELETE FROM reply WHERE turn=? AND id NOT IN (SELECT id FROM reply WHERE turn=? ORDER BY id DESC LIMIT ?)"
        )
        with self._database.writing() as connection:
            row = (now, said, storable(model), turn, said, turn)
            kept = connection.execute(sql, row).rowcount > 0
            connection.execute(old, (turn, turn, KEPT))
        return kept

    def of_turn(self, turn: str) -> list[Copied]:
        """What was copied for a question, the latest first."""
        rows = self._database.rows("SELECT text, copied, model FROM reply WHERE turn=? ORDER BY id DESC", turn)
        return [Copied(*row) for row in rows]

    def of_conversation(self, conversation: str) -> dict[str, list[Copied]]:
        """What was copied for each question of a conversation, the oldest first."""
        sql = (
            "SELECT turn, text, copied, model FROM reply WHERE turn IN (SELECT id FROM turn WHERE conversation=?)"
            " ORDER BY id"
        )
        found: dict[str, list[Copied]] = {}
        for turn, *rest in self._database.rows(sql, conversation):
            found.setdefault(turn, []).append(Copied(*rest))
        return found

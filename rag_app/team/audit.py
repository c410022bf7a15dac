"""What people did that somebody may have to account for: sign-ins, uploads, deletions, approvals, roles. In app.db.

Never holds a question, a passage or a password.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from rag_app.access import Who
from rag_app.app_database import AppDatabase, storable

KEPT = 100_000  # entries; the oldest go first
DETAIL_LIMIT = 400  # characters of a subject or a detail


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    at: str  # ISO 8601, UTC
    person: str  # id of who did it, or of their browser while nobody is registered
    name: str  # theirs, then
    act: str  # "sign in", "upload", "remove", "role", ...
    subject: str  # what it was done to: a document's title, a person's name
    detail: str  # "" where the subject says it all


class Audit:
    """Writes entries and lists them. They are added to and never changed."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def note(self, who: Who, act: str, subject: str, detail: str = "") -> None:
        """Keep that `who` did `act` to `subject`."""
        texts = (act, storable(subject)[:DETAIL_LIMIT], storable(detail)[:DETAIL_LIMIT])
        sql = "INSERT INTO audit (at, person, name, act, subject, detail) VALUES (?, ?, ?, ?, ?, ?)"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database.writing() as connection:
            newest = connection.execute(sql, (now, who.id, who.name, *texts)).lastrowid or 0
            connection.execute("DELETE FROM audit WHERE id <= ?", (newest - KEPT,))

    def listed(self, *, limit: int = 200, act: str = "", person: str = "") -> list[Entry]:
        """The last `limit` entries, newest first; of one `act` or one `person` (an id) where these are given."""
        sql = (
            "SELECT at, person, name, act, subject, detail FROM audit WHERE ? IN ('', act) AND ? IN ('', person)"
            " ORDER BY id DESC LIMIT ?"
        )
        return [Entry(*row) for row in self._database.rows(sql, act, person, limit)]

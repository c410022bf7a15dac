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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody wants to see; "" is any."""

    name: str = ""  # of who did it, as it was then
    act: str = ""
    since: str = ""  # the first day, ISO 8601
    until: str = ""  # the last day, ISO 8601


EVERYTHING = Wanted()
_WANTED = "? IN ('', act) AND ? IN ('', person) AND ? IN ('', name) AND at >= ? AND (? = '' OR substr(at, 1, 10) <= ?)"


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

    def listed(
        self, wanted: Wanted = EVERYTHING, *, limit: int = 200, skip: int = 0, act: str = "", person: str = ""
    ) -> list[Entry]:
        """The last `limit` entries after `skip` newer ones, newest first; of one `act` or one `person` (an id) too."""
        sql = (
            f"SELECT at, person, name, act, subject, detail FROM audit WHERE {_WANTED} ORDER BY id DESC"
            " LIMIT ? OFFSET ?"
        )
        values = _values(wanted, act, person)
        return [Entry(*row) for row in self._database.rows(sql, *values, limit, skip)]

    def count(self, wanted: Wanted) -> int:
        """How many entries there are of those wanted."""
        return int(self._database.rows(f"SELECT count(*) FROM audit WHERE {_WANTED}", *_values(wanted))[0][0])

    def names(self) -> list[str]:
        """Everybody who did something that is kept, by the name they had then."""
        return [row[0] for row in self._database.rows("SELECT DISTINCT name FROM audit WHERE name <> '' ORDER BY 1")]

    def acts(self) -> list[str]:
        """Everything that was done, each kind once."""
        return [row[0] for row in self._database.rows("SELECT DISTINCT act FROM audit ORDER BY 1")]


def _values(wanted: Wanted, act: str = "", person: str = "") -> tuple[str, ...]:
    """What stands for the question marks of `_WANTED`."""
    return act or wanted.act, person, wanted.name, wanted.since, wanted.until, wanted.until

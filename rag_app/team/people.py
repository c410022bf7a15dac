"""The people who may sign in and what each is in which space, in app.db.

Who may do what follows from it in `rag_app/access.py`. Passwords come here hashed.
"""

import sqlite3
import unicodedata
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import RagError
from rag_app.access import HANDBOOK, Role, Who
from rag_app.app_database import AppDatabase

PROGRAM = "program "  # before a person's id: whose conversations those are that their programs begin
NAME_LIMIT = 80  # characters of a person's or a space's name
_PERSON = "id, name, administrator, disabled, password <> '', added"


class TeamError(RagError):
    """What was asked about people or spaces cannot be done."""

    kind = "team"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    id: str  # 32 hex digits
    name: str  # what they sign in with, in any case
    administrator: bool
    disabled: bool  # may not come in any more; what they did stays
    ready: bool  # has a password
    added: str  # ISO 8601, UTC
    roles: Mapping[str, Role]  # in each of their spaces


def folded(name: str) -> str:
    """A name as it is compared: without case, and in one of Unicode's forms."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


class Roster:
    """Everybody who is registered, and who is what in which space. Safe to use from several threads and processes."""

    def __init__(self, database: AppDatabase) -> None:
        self._database = database

    def registered(self) -> bool:
        """Whether anybody is; from then on everybody has to sign in."""
        return bool(self._database.rows("SELECT 1 FROM person LIMIT 1"))

    def who(self, person: str, only: frozenset[str] | None = None) -> Who | None:
        """What a person may do now, within a key's spaces where `only` names them; None when disabled or gone."""
        rows = self._database.rows("SELECT name, administrator FROM person WHERE id=? AND disabled=0", person)
        if not rows:
            return None
        name, administrator = rows[0]
        return Who(person, name, bool(administrator), self._roles(person), only)

    def people(self) -> list[Person]:
        """All of them, by name."""
        rows = self._database.rows(f"SELECT {_PERSON} FROM person ORDER BY folded")
        return [self._person(row) for row in rows]

    def named(self, name: str) -> Person | None:
        """The person of that name, written in any case; None where there is none."""
        rows = self._database.rows(f"SELECT {_PERSON} FROM person WHERE folded=?", folded(name))
        return self._person(rows[0]) if rows else None

    def person(self, person: str) -> Person | None:
        """The person with this id; None where there is none."""
        rows = self._database.rows(f"SELECT {_PERSON} FROM person WHERE id=?", person)
        return self._person(rows[0]) if rows else None

    def secret_of(self, name: str) -> tuple[str, str] | None:
        """Id and hashed password of somebody who may sign in by password; None for everybody else."""
        sql = "SELECT id, password FROM person WHERE folded=? AND disabled=0 AND password <> ''"
        rows = self._database.rows(sql, folded(name))
        return (str(rows[0][0]), str(rows[0][1])) if rows else None

    def add(self, name: str, *, password: str = "", administrator: bool = False) -> Person:
        """Register somebody; `password` is hashed, or "" for one who will choose it. Raises TeamError."""
        given = _well_formed(name, "person")
        identity = uuid.uuid4().hex
        sql = "INSERT INTO person (id, name, folded, password, administrator, added) VALUES (?, ?, ?, ?, ?, ?)"
        with self._database.writing() as connection:
            if not administrator and not connection.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                raise TeamError(
                    "The first person must be an administrator, because from then on everybody has to sign in: "
                    "`rag people add NAME --admin`."
                )
            try:
                connection.execute(sql, (identity, given, folded(given), password, administrator, _now()))
            except sqlite3.IntegrityError as error:
                raise TeamError(f"There is somebody called {given} already. Choose another name.") from error
        return Person(identity, given, administrator, disabled=False, ready=bool(password), added=_now(), roles={})

    def set_password(self, person: str, password: str) -> None:
        """Give somebody another password (hashed); whoever is signed in as them is not any more."""
        with self._database.writing() as connection:
            connection.execute("UPDATE person SET password=? WHERE id=?", (password, person))
            connection.execute("DELETE FROM session WHERE person=?", (person,))

    def disable(self, person: str) -> None:
        """Let somebody in no more; their sessions and invitations end. Raises TeamError for the last administrator."""
        with self._database.writing() as connection:
            connection.execute("UPDATE person SET disabled=1 WHERE id=?", (person,))
            connection.execute("DELETE FROM session WHERE person=?", (person,))
            connection.execute("DELETE FROM invitation WHERE person=?", (person,))
            _check_administered(connection)

    def enable(self, person: str) -> None:
        """Let somebody in again."""
        with self._database.writing() as connection:
            connection.execute("UPDATE person SET disabled=0 WHERE id=?", (person,))

    def set_administrator(self, person: str, *, administrator: bool) -> None:
        """Make somebody an administrator, or one no more. Raises TeamError for the last one."""
        with self._database.writing() as connection:
            connection.execute("UPDATE person SET administrator=? WHERE id=?", (administrator, person))
            _check_administered(connection)

    def remove(self, person: str) -> None:
        """Forget somebody with their conversations, those of their programs too, which are kept under another name.

        Raises TeamError for the last administrator.
        """
        with self._database.writing() as connection:
            connection.execute("DELETE FROM person WHERE id=?", (person,))
            connection.execute("DELETE FROM conversation WHERE browser IN (?, ?)", (person, f"{PROGRAM}{person}"))
            _check_administered(connection)

    def spaces(self) -> list[str]:
        """The spaces that were made or have members; those that only hold documents are the library's to tell."""
        return [
            row[0] for row in self._database.rows("SELECT name FROM space UNION SELECT space FROM member ORDER BY 1")
        ]

    def add_space(self, name: str) -> str:
        """Make a space and return its name as it is kept; nothing happens where it is there. Raises TeamError."""
        given = _well_formed(name, "space")
        with self._database.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO space VALUES (?, ?)", (given, _now()))
        return given

    def members(self, space: str) -> list[tuple[Person, Role]]:
        """Who is what in a space, by name; administrators only where they are members, too."""
        return [(person, person.roles[space]) for person in self.people() if space in person.roles]

    def grant(self, person: str, space: str, role: Role) -> None:
        """Make somebody `role` in a space, whatever they were there. Raises TeamError."""
        given = self.add_space(space) if space != HANDBOOK else space
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO member (space, person, role) VALUES (?, ?, ?)", (given, person, role)
            )

    def revoke(self, person: str, space: str) -> bool:
        """Take somebody out of a space; False where they were not in it."""
        with self._database.writing() as connection:
            sql = "DELETE FROM member WHERE space=? AND person=?"
            return connection.execute(sql, (space, person)).rowcount > 0

    def _person(self, row: tuple[str, str, int, int, int, str]) -> Person:
        identity, name, administrator, disabled, ready, added = row
        return Person(identity, name, bool(administrator), bool(disabled), bool(ready), added, self._roles(identity))

    def _roles(self, person: str) -> dict[str, Role]:
        rows = self._database.rows("SELECT space, role FROM member WHERE person=? ORDER BY space", person)
        return {space: Role(role) for space, role in rows}


def anybody_registered(home: Path) -> bool:
    """Whether anybody may sign in to what is in a home; nothing is made where there is no app.db yet."""
    file = home / "app.db"
    if not file.exists():
        return False
    with closing(AppDatabase(file)) as database:
        return Roster(database).registered()


def _well_formed(name: str, of_what: str) -> str:
    """The name without spaces around it. Raises TeamError when it is none."""
    given = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(given) <= NAME_LIMIT or not given.isprintable():
        raise TeamError(f"The name of a {of_what} has 1 to {NAME_LIMIT} printable characters. Choose another one.")
    return given


def _check_administered(connection: sqlite3.Connection) -> None:
    """Raise TeamError, which undoes the transaction, when nobody is left who could let others in."""
    if not connection.execute("SELECT 1 FROM person WHERE administrator=1 AND disabled=0").fetchone():
        raise TeamError(
            "This is the last administrator. Make somebody else one first, with `rag people role NAME admin`."
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

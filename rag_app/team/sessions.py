"""Who is signed in, in app.db: a session is a random secret that only its browser knows; here lies its hash.

So a copy of the file lets nobody in, and whoever ends a session ends it for good.
"""

import hashlib
import secrets
import time
from collections.abc import Callable

from rag_app.app_database import AppDatabase
from rag_app.team.people import TeamError

IDLE_S = 12 * 3600.0  # seconds without a request until one has to sign in again
WHOLE_S = 14 * 24 * 3600.0  # seconds a session lasts at most, however busy
TOUCHED_S = 60.0  # seconds between two notes that a session was used
INVITED_S = 24 * 3600.0  # seconds a link to choose a password is good for
_SECRET_BYTES = 32
SPENT = "This link was used, replaced by a newer one, or is older than a day. Ask an administrator for another one."


def fingerprint(secret: str) -> str:
    """What is kept of a secret: SHA-256 as 64 hex digits. The secret is random and long, so one round is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """Begins, finds and ends sessions. Safe to use from several threads and processes."""

    def __init__(self, database: AppDatabase, now: Callable[[], float] = time.time) -> None:
        """`now` gives seconds since 1970."""
        self._database = database
        self._now = now

    def begin(self, person: str) -> str:
        """Sign somebody in and return the secret for their browser; sessions that ran out are swept."""
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), self._now()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE used <= ? OR begun <= ?", (now - IDLE_S, now - WHOLE_S))
            connection.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (fingerprint(secret), person, now, now))
        return secret

    def person(self, secret: str) -> str | None:
        """The id of who is signed in with `secret`; None where it ran out, was ended or never was."""
        if not secret:
            return None
        rows = self._database.rows("SELECT person, begun, used FROM session WHERE secret=?", fingerprint(secret))
        now = self._now()
        if not rows or now >= rows[0][2] + IDLE_S or now >= rows[0][1] + WHOLE_S:
            return None
        if now >= rows[0][2] + TOUCHED_S:
            with self._database.writing() as connection:
                connection.execute("UPDATE session SET used=? WHERE secret=?", (now, fingerprint(secret)))
        return str(rows[0][0])

    def end(self, secret: str) -> None:
        """Sign one browser out."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE secret=?", (fingerprint(secret),))

    def end_all(self, person: str) -> None:
        """Sign somebody out everywhere."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE person=?", (person,))


class Invitations:
    """Links that let somebody choose a password, each once."""

    def __init__(self, database: AppDatabase, now: Callable[[], float] = time.time) -> None:
        """`now` gives seconds since 1970."""
        self._database = database
        self._now = now

    def invite(self, person: str) -> str:
        """The secret of a link for `person`; an earlier one is good no more."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        sql = "INSERT OR REPLACE INTO invitation (person, secret, expires) VALUES (?, ?, ?)"
        with self._database.writing() as connection:
            connection.execute(sql, (person, fingerprint(secret), self._now() + INVITED_S))
        return secret

    def invited(self, secret: str) -> tuple[str, str] | None:
        """Id and name of whom a link was made for; None where it is good no more."""
        sql = (
            "SELECT person.id, person.name FROM invitation JOIN person ON person.id = invitation.person"
            " WHERE secret=? AND expires > ? AND disabled=0"
        )
        rows = self._database.rows(sql, fingerprint(secret), self._now())
        return (str(rows[0][0]), str(rows[0][1])) if rows else None

    def accept(self, secret: str, password: str) -> str:
        """Set the password (hashed) of whom a link was made for, spend the link and return their id.

        Their sessions end. Raises TeamError where the link is good no more.
        """
        with self._database.writing() as connection:
            sql = "DELETE FROM invitation WHERE secret=? AND expires > ? RETURNING person"
            row = connection.execute(sql, (fingerprint(secret), self._now())).fetchone()
            if row is None:
                raise TeamError(SPENT)
            connection.execute("UPDATE person SET password=? WHERE id=?", (password, row[0]))
            connection.execute("DELETE FROM session WHERE person=?", (row[0],))
        return str(row[0])

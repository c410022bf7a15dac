"""Which registered person somebody is who signed in at an OpenID Connect provider, and letting them in.

Nobody comes in whom an administrator has not registered. People are known by the provider's subject, which is joined to
a person once: by the link that an administrator made for them, or because they are registered under an e-mail address
that the provider has verified. A display name or user name is never looked at: people choose those themselves.
"""

import time
from collections.abc import Callable

from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.endpoints import host_of
from rag_app.team.audit import Audit
from rag_app.team.entrance import NotLetIn
from rag_app.team.openid import Identity
from rag_app.team.people import Roster, folded
from rag_app.team.sessions import SPENT, Sessions, fingerprint

UNKNOWN = (
    "{host} knows you as {email}, but nobody is registered here under that address. Ask an administrator to register "
    "you as {email}, or to send you a link."
)
UNNAMED = (
    "{host} named no verified e-mail address of yours, by which you could be known here. Ask an administrator for a "
    "link, open it, and choose to sign in with {host} there."
)
OTHERS = (
    "{email} is registered here, but signs in with another account of {host}. Ask an administrator for a link, open "
    "it, and choose to sign in with {host} there."
)
DISABLED = "You are registered here, but an administrator has disabled that. Ask one of them."
TAKEN = (
    "You are registered here as {name} already, so this link for somebody else was left unused. Sign out at {host} "
    "first, or choose a password."
)


class Identities:
    """Joins what a provider says to the people who are registered. Safe to use from several threads and processes."""

    def __init__(
        self,
        database: AppDatabase,
        roster: Roster,
        sessions: Sessions,
        audit: Audit,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives seconds since 1970."""
        self._database, self._roster, self._sessions, self._audit = database, roster, sessions, audit
        self._now = now

    def sign_in(self, identity: Identity, address: str, link: str = "") -> str:
        """The secret of a new session; `link` is that of an invitation, "" for none. Raises NotLetIn with the reason.

        `address` is where they came from, for the audit log.
        """
        host = host_of(identity.issuer)
        try:
            who = self._person(identity, link)
        except NotLetIn:
            self._audit.note(Who(""), "sign-in refused", address, f"{identity.email or identity.subject} at {host}")
            raise
        self._audit.note(who, "sign in", who.name, f"{address}, at {host}")
        return self._sessions.begin(who.id)

    def _person(self, identity: Identity, link: str) -> Who:
        """Whom to let in. Raises NotLetIn."""
        person = self._invited(identity, link) if link else self._known(identity) or self._registered(identity)
        who = self._roster.who(person)
        if who is None:
            raise NotLetIn(DISABLED)
        return who

    def _known(self, identity: Identity) -> str | None:
        """The id of whom this subject was joined to; None where it was joined to nobody."""
        sql = "SELECT person FROM identity WHERE issuer=? AND subject=?"
        rows = self._database.rows(sql, identity.issuer, identity.subject)
        return str(rows[0][0]) if rows else None

    def _registered(self, identity: Identity) -> str:
        """Join this subject to whoever is registered under its address. Raises NotLetIn."""
        host = host_of(identity.issuer)
        if not identity.email:
            raise NotLetIn(UNNAMED.format(host=host))
        with self._database.writing() as connection:
            found = connection.execute(
                "SELECT id, disabled FROM person WHERE folded=?", (folded(identity.email),)
            ).fetchone()
            if found is None:
                raise NotLetIn(UNKNOWN.format(host=host, email=identity.email))
            if found[1]:
                raise NotLetIn(DISABLED)
            sql = "SELECT 1 FROM identity WHERE person=? AND issuer=?"
            if connection.execute(sql, (found[0], identity.issuer)).fetchone():
                # An address is given to somebody else once its owner has left; a subject never is.
                raise NotLetIn(OTHERS.format(host=host, email=identity.email))
            connection.execute("INSERT INTO identity VALUES (?, ?, ?)", (found[0], identity.issuer, identity.subject))
        return str(found[0])

    def _invited(self, identity: Identity, link: str) -> str:
        """Join this subject to whom a link was made for, in the place of another one, and spend it. Raises NotLetIn."""
        with self._database.writing() as connection:
            sql = "SELECT person FROM invitation WHERE secret=? AND expires > ?"
            found = connection.execute(sql, (fingerprint(link), self._now())).fetchone()
            if found is None:
                raise NotLetIn(SPENT)
            sql = "SELECT name FROM identity JOIN person ON id = person WHERE issuer=? AND subject=? AND person <> ?"
            other = connection.execute(sql, (identity.issuer, identity.subject, found[0])).fetchone()
            if other is not None:
                raise NotLetIn(TAKEN.format(name=other[0], host=host_of(identity.issuer)))
            connection.execute("DELETE FROM invitation WHERE person=?", found)
            connection.execute("DELETE FROM session WHERE person=?", found)
            row = (found[0], identity.issuer, identity.subject)
            connection.execute("INSERT OR REPLACE INTO identity VALUES (?, ?, ?)", row)
        return str(found[0])

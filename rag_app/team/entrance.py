"""The door: a name and a password in, a session out; as much work and the same words for every name."""

from ingest.errors import RagError
from rag_app.access import Who
from rag_app.team.attempts import Attempts
from rag_app.team.audit import Audit
from rag_app.team.passwords import hashed, matches
from rag_app.team.people import Roster, folded
from rag_app.team.sessions import Invitations, Sessions

BY_NAME = 10  # wrong passwords for one name within TRIES_S, from wherever they come
BY_ADDRESS = 30  # wrong passwords from one address within TRIES_S, for whatever names
TRIES_S = 300.0
WRONG = "This name and this password do not go together."
TOO_MANY = "Too many wrong passwords were tried. Wait five minutes and try again."


class NotLetIn(RagError):
    """Somebody was not signed in; the text says why and tells nothing of who is registered."""

    kind = "sign_in"


class TooManyTries(NotLetIn):
    """Somebody has to wait before trying again."""


class Entrance:
    """Signs people in. Everything here takes a tenth of a second of a core: call it from a worker thread."""

    def __init__(self, roster: Roster, sessions: Sessions, invitations: Invitations, audit: Audit) -> None:
        self._roster, self._sessions, self._invitations, self._audit = roster, sessions, invitations, audit
        self._by_name, self._by_address = Attempts(BY_NAME, TRIES_S), Attempts(BY_ADDRESS, TRIES_S)

    def sign_in(self, name: str, password: str, address: str) -> str:
        """The secret of a new session. Raises NotLetIn, TooManyTries."""
        key = folded(name)
        if not self._by_address.allow(address) or not self._by_name.allow(key):
            raise TooManyTries(TOO_MANY)
        known = self._roster.secret_of(name)
        if not matches(known[1] if known else None, password) or known is None:
            # What was typed as a name may be a password, so it is not kept.
            self._audit.note(Who(""), "sign-in refused", address)
            raise NotLetIn(WRONG)
        self._by_address.forgive(address)
        self._by_name.forgive(key)
        return self._begin(known[0], "sign in", address)

    def accept(self, link: str, password: str, address: str) -> str:
        """Set the password of whom a link was made for; the secret of a new session. Raises TeamError."""
        person = self._invitations.accept(link, hashed(password))
        return self._begin(person, "password", address)

    def sign_out(self, who: Who, secret: str, *, everywhere: bool) -> None:
        """End one session of somebody, or all of them."""
        if everywhere:
            self._sessions.end_all(who.id)
        else:
            self._sessions.end(secret)
        self._audit.note(who, "sign out", who.name, "everywhere" if everywhere else "")

    def _begin(self, person: str, act: str, address: str) -> str:
        who = self._roster.who(person)
        if who is None:  # disabled in this very moment
            raise NotLetIn(WRONG)
        self._audit.note(who, act, who.name, address)
        return self._sessions.begin(person)

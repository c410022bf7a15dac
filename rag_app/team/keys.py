"""Keys by which other programs ask for a person, in app.db.

A key is shown once, when it is made; kept is its SHA-256. A slow hash, as passwords need, would protect nothing here:
the secret is 256 random bits, which nobody guesses at any speed, and it is checked with every request.
"""

import hmac
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.team.people import NAME_LIMIT, Roster, TeamError
from rag_app.team.sessions import fingerprint

MARK = "rag_"  # what every key begins with, so that one in the wrong place is recognised
DAYS = 365  # a key is good for unless another number is given
MOST_DAYS = 3650
USED_S = 60.0  # seconds between two notes that a key was used
LOCAL = "0" * 32  # whose conversations a program's are while nobody is registered; no browser's id is that
_DAY_S = 24 * 3600.0
_ID_BYTES = 6
_SECRET_BYTES = 32
_KEY = "api_key.id, api_key.name, COALESCE(person.name, ''), spaces, made, expires, used, revoked"
_FROM = "FROM api_key LEFT JOIN person ON person.id = api_key.person"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; never the secret."""

    id: str  # 12 hex digits, the public part of the key
    name: str  # what its maker calls it
    person: str  # name of whom it asks for; "" where it was made while nobody was registered
    spaces: tuple[str, ...] | None  # it is limited to; None: all that its person may see
    made: str  # ISO 8601, UTC
    expires: str  # ISO 8601, UTC; "" where it does not
    used: str  # ISO 8601, UTC, to the minute; "" where it never was
    state: str  # "good", "expired" or "revoked"


class Keys:
    """Makes, checks and revokes keys. Safe to use from several threads and processes."""

    def __init__(self, database: AppDatabase, now: Callable[[], float] = time.time) -> None:
        """`now` gives seconds since 1970."""
        self._database = database
        self._roster = Roster(database)
        self._now = now

    def add(
        self, name: str, *, person: str = "", spaces: Sequence[str] | None = None, days: int = DAYS
    ) -> tuple[Key, str]:
        """Make a key and return it with its secret, which nobody can be shown again.

        `person` is an id, "" only while nobody is registered; `days` 0: it does not expire. Raises TeamError.
        """
        called = name.strip()
        if not 0 < len(called) <= NAME_LIMIT or not called.isprintable():
            raise TeamError(f"The name of a key has 1 to {NAME_LIMIT} printable characters. Choose another one.")
        if not 0 <= days <= MOST_DAYS:
            raise TeamError(f"A key is good for 1 to {MOST_DAYS} days, or 0 for one that does not expire.")
        if spaces is not None and not spaces:
            raise TeamError("A key that is limited to no space could not be used. Name a space, or none at all.")
        self._check_person(person)
        identity, now = secrets.token_hex(_ID_BYTES), self._now()
        secret = f"{MARK}{identity}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        limited = None if spaces is None else json.dumps(sorted(set(spaces)), ensure_ascii=False)
        expires = now + days * _DAY_S if days else None
        row = (identity, called, person or None, limited, fingerprint(secret), now, expires)
        with self._database.writing() as connection:
            sql = "INSERT INTO api_key (id, name, person, spaces, hash, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"
            connection.execute(sql, row)
        return self._one(identity), secret

    def who(self, secret: str) -> Who | None:
        """Whom a key asks for and what they may do now; None where it is none, ran out, or its person may not come in.

        The row is found by the public part; the rest is compared in the same time whether or not it is right.
        """
        identity = public_part(secret)
        sql = "SELECT hash, person, spaces, expires, revoked, used FROM api_key WHERE id=?"
        rows = self._database.rows(sql, identity)
        kept, person, spaces, expires, revoked, used = (
            rows[0] if rows else (fingerprint(""), None, None, None, 0.0, 0.0)
        )
        now = self._now()
        right = hmac.compare_digest(fingerprint(secret), kept)
        if not right or revoked is not None or (expires is not None and now >= expires):
            return None
        only = None if spaces is None else frozenset(json.loads(spaces))
        who = self._of_nobody(only) if person is None else self._roster.who(person, only)
        if who is not None and now >= (used or 0.0) + USED_S:
            with self._database.writing() as connection:
                connection.execute("UPDATE api_key SET used=? WHERE id=?", (now, identity))
        return who

    def listed(self, person: str | None = None) -> list[Key]:
        """All keys, the newest first; only those of one person (an id, "" for those of nobody) where it is given."""
        mine = "" if person is None else " WHERE COALESCE(person, '') = ?"
        rows = self._database.rows(
            f"SELECT {_KEY} {_FROM}{mine} ORDER BY made DESC, api_key.id", *([] if person is None else [person])
        )
        return [self._key(*row) for row in rows]

    def revoke(self, identity: str, person: str | None = None) -> bool:
        """End a key for good, only where it is that `person`'s if one is given; False where there is none to end."""
        mine = "" if person is None else " AND COALESCE(person, '') = ?"
        sql = f"UPDATE api_key SET revoked=? WHERE id=? AND revoked IS NULL{mine}"
        with self._database.writing() as connection:
            return connection.execute(sql, (self._now(), identity, *([] if person is None else [person]))).rowcount > 0

    def _of_nobody(self, only: frozenset[str] | None) -> Who | None:
        """A key that was made while nobody was registered is good only as long as that is so."""
        return None if self._roster.registered() else Who(LOCAL, only=only)

    def _check_person(self, person: str) -> None:
        if person and self._roster.who(person) is None:
            raise TeamError("There is nobody of that name who may come in. `rag people list` shows everybody.")
        if not person and self._roster.registered():
            raise TeamError("A key asks for a person. Say for whom it is, with `--person NAME`.")

    def _one(self, identity: str) -> Key:
        return self._key(*self._database.rows(f"SELECT {_KEY} {_FROM} WHERE api_key.id=?", identity)[0])

    def _key(self, identity: str, name: str, person: str, spaces: str | None, *times: Any) -> Key:  # noqa: ANN401 - SQL's
        made, expires, used, revoked = times
        expired = expires is not None and self._now() >= expires
        return Key(
            id=identity,
            name=name,
            person=person,
            spaces=None if spaces is None else tuple(json.loads(spaces)),
            made=_written(made),
            expires=_written(expires),
            used=_written(used),
            state="revoked" if revoked is not None else "expired" if expired else "good",
        )


def public_part(secret: str) -> str:
    """The id that a key's secret names, which need not exist; "" where it is no key of ours."""
    return secret.removeprefix(MARK).partition("_")[0] if secret.startswith(MARK) and secret.isascii() else ""


def _written(moment: float | None) -> str:
    """Seconds since 1970 as ISO 8601 in UTC; "" for none."""
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

"""Passwords as argon2id keeps them (RFC 9106, section 4: its second recommended choice of parameters)."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rag_app.team.people import TeamError

LEAST = 10  # characters
MOST = 512  # characters; more would only cost time
_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What is kept of a password, with its parameters and salt. Raises TeamError when it is too short or too long."""
    if not LEAST <= len(password) <= MOST:
        raise TeamError(
            f"A password has {LEAST} to {MOST} characters. Choose another one; a few words in a row will do."
        )
    return _hasher.hash(_bytes(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one kept; as much work where nothing is, so that it does not tell which names exist."""
    try:
        right = _hasher.verify(kept or _nobodys(), _bytes(password[:MOST]))
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None


@lru_cache(maxsize=1)
def _nobodys() -> str:
    """A hash that costs what all others do."""
    return _hasher.hash(b"the password of nobody")


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

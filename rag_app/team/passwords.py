"""Passwords as argon2id keeps them (RFC 9106, section 4: its second recommended choice of parameters).

One is hashed at a time, on a thread that steps back where others want the cores: a hash takes four for a moment,
and whoever tries many passwords must not slow the answers of everybody else.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rag_app.team.people import TeamError

LEAST = 10  # characters
MOST = 512  # characters; more would only cost time
NICE = 5  # steps back of the thread that hashes and those argon2 begins from it: a third of the others' weight
T = TypeVar("T")
_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What is kept of a password, with its parameters and salt. Raises TeamError when it is too short or too long."""
    if not LEAST <= len(password) <= MOST:
        raise TeamError(
            f"A password has {LEAST} to {MOST} characters. Choose another one; a few words in a row will do."
        )
    return _apart(lambda: _hasher.hash(_bytes(password)))


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one kept; as much work where nothing is, so that it does not tell which names exist."""
    try:
        right = _apart(lambda: _hasher.verify(kept or _nobodys(), _bytes(password[:MOST])))
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None


@lru_cache(maxsize=1)
def _nobodys() -> str:
    """A hash that costs what all others do."""
    return _hasher.hash(b"the password of nobody")


@lru_cache(maxsize=1)
def _lane() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_step_back)


def _step_back() -> None:
    if sys.platform == "linux":  # where a thread has a priority of its own
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICE))


def _apart(work: Callable[[], T]) -> T:
    """What `work` returns, done on the thread for passwords."""
    return _lane().submit(work).result()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")

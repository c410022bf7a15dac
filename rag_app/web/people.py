"""Who is asking: a signed cookie tells browsers apart, a session or a shared password lets them in.

The password counts while nobody is registered, sessions from then on.
"""

import hashlib
import hmac
import os
import time
import uuid
from collections import deque
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner

from ingest.errors import SettingsError
from rag_app.access import Who
from rag_app.team.people import Roster, anybody_registered
from rag_app.team.sessions import Sessions

BROWSER_COOKIE = "rag_browser"
SIGNED_IN_COOKIE = "rag_signed_in"  # with the shared password
SESSION_COOKIE = "rag_session"  # of somebody who is registered
BROWSER_S = 365 * 24 * 3600  # seconds a browser is remembered
SIGNED_IN_S = 8 * 3600  # seconds until the password is asked for again
TRIES = 10  # wrong passwords from one address within TRIES_S
TRIES_S = 300.0
ADDRESSES = 4096  # addresses whose wrong passwords are remembered
_SECRET_BYTES = 32


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach a server on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, password: str, home: Path | None = None) -> None:
    """Raise SettingsError when others could reach `host` and nobody would have to sign in to what is in `home`."""
    if not password and not is_loopback(host) and not (home is not None and anybody_registered(home)):
        raise SettingsError(
            f"RAG_HOST={host} can be reached from other computers and no password is set. Register people with "
            "`rag people add NAME --admin`, set RAG_PASSWORD, or use RAG_HOST=127.0.0.1."
        )


def stored_secret(home: Path) -> bytes:
    """The key that signs cookies, made at first use and readable by its owner only."""
    path = home / "cookie.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(_SECRET_BYTES))
    return path.read_bytes()


class People:
    """Reads and writes the cookies, and counts wrong passwords."""

    def __init__(self, secret: bytes, password: str, team: tuple[Roster, Sessions] | None = None) -> None:
        """`team` are those who are registered and their sessions; without it nobody ever is."""
        self._browsers = TimestampSigner(secret, salt="browser")
        # Another password makes every earlier sign-in void.
        self._signed_in = TimestampSigner(secret, salt=b"signed in" + hashlib.sha256(password.encode()).digest())
        self._password = password
        self._wrong: dict[str, deque[float]] = {}
        self._team = team
        self._registered = False

    @property
    def registered(self) -> bool:
        """Whether anybody is registered, so that everybody signs in by name. It never ends: one administrator stays."""
        if not self._registered and self._team is not None:
            self._registered = self._team[0].registered()
        return self._registered

    @property
    def login_needed(self) -> bool:
        """Whether one has to sign in, by name or with the shared password."""
        return bool(self._password) or self.registered

    def who(self, cookies: Mapping[str, str], browser: str = "") -> Who | None:
        """Who sent `cookies`, or None where they have to sign in; `browser` is the id given to a new one."""
        if self.registered and self._team is not None:
            roster, sessions = self._team
            person = sessions.person(cookies.get(SESSION_COOKIE, ""))
            return roster.who(person) if person else None
        known = self.browser(cookies) or browser
        return Who(known) if known and self.signed_in(cookies) else None

    def browser(self, cookies: Mapping[str, str]) -> str | None:
        """The id of the browser that sent `cookies`, or None where it has none of ours."""
        return _unsigned(self._browsers, cookies.get(BROWSER_COOKIE, ""), BROWSER_S)

    def new_browser(self) -> tuple[str, str]:
        """A new browser's id and the value of its cookie."""
        browser = uuid.uuid4().hex
        return browser, self._browsers.sign(browser).decode()

    def signed_in(self, cookies: Mapping[str, str]) -> bool:
        """Whether the browser that sent `cookies` may come in."""
        if self.registered:
            return self.who(cookies) is not None
        if not self._password:
            return True
        browser = self.browser(cookies)
        return browser is not None and browser == _unsigned(
            self._signed_in, cookies.get(SIGNED_IN_COOKIE, ""), SIGNED_IN_S
        )

    def sign_in(self, browser: str) -> str:
        """The value of the cookie that lets `browser` in."""
        return self._signed_in.sign(browser).decode()

    def right_password(self, given: str) -> bool:
        """Whether `given` is the password; takes the same time either way."""
        return hmac.compare_digest(
            hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest(),
            hashlib.sha256(self._password.encode()).digest(),
        )

    def too_many(self, address: str) -> bool:
        """Whether `address` gave so many wrong passwords that it has to wait."""
        wrong = self._wrong.get(address, deque())
        while wrong and wrong[0] < time.monotonic() - TRIES_S:
            wrong.popleft()
        return len(wrong) >= TRIES

    def wrong_password(self, address: str) -> None:
        """Count a wrong password from `address`."""
        if len(self._wrong) >= ADDRESSES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong.setdefault(address, deque(maxlen=TRIES)).append(time.monotonic())


def _unsigned(signer: TimestampSigner, value: str, seconds: int) -> str | None:
    try:
        return signer.unsign(value, max_age=seconds).decode()
    except BadSignature:
        return None

"""Who is asking: a signed cookie tells browsers apart, a shared password lets them in."""

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

BROWSER_COOKIE = "rag_browser"
SIGNED_IN_COOKIE = "rag_signed_in"
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


def check_exposure(host: str, password: str) -> None:
    """Raise SettingsError when others could reach `host` and no password is set."""
    if not password and not is_loopback(host):
        raise SettingsError(
            f"RAG_HOST={host} can be reached from other computers and no password is set. "
            "Set RAG_PASSWORD, or use RAG_HOST=127.0.0.1."
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
    """Reads and writes the two cookies, and counts wrong passwords."""

    def __init__(self, secret: bytes, password: str) -> None:
        self._browsers = TimestampSigner(secret, salt="browser")
        # Another password makes every earlier sign-in void.
        self._signed_in = TimestampSigner(secret, salt=b"signed in" + hashlib.sha256(password.encode()).digest())
        self._password = password
        self._wrong: dict[str, deque[float]] = {}

    @property
    def login_needed(self) -> bool:
        """Whether a password is set."""
        return bool(self._password)

    def browser(self, cookies: Mapping[str, str]) -> str | None:
        """The id of the browser that sent `cookies`, or None where it has none of ours."""
        return _unsigned(self._browsers, cookies.get(BROWSER_COOKIE, ""), BROWSER_S)

    def new_browser(self) -> tuple[str, str]:
        """A new browser's id and the value of its cookie."""
        browser = uuid.uuid4().hex
        return browser, self._browsers.sign(browser).decode()

    def signed_in(self, cookies: Mapping[str, str]) -> bool:
        """Whether the browser that sent `cookies` may come in."""
        if not self.login_needed:
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

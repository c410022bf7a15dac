"""What every server that is asked over HTTP has in common: its name, its nearness, its own words, its pauses. Pure."""

import ipaddress
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from rag_app.markers import clean

DETAIL_LIMIT = 160  # characters of the server's own words that are shown
PAUSE_S = 0.5  # before a repetition, where the server names no time
_OVERLAP = 6  # characters of the key that may not occur in a sentence
_SECONDS = re.compile(r"\d+(\.\d+)?")


def host_of(address: str) -> str:
    """Name the server as the reader may see it, without user, password and path; "" for what is no address."""
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in {"http", "https"} else ""


def is_local(address: str) -> bool:
    """Whether an address is of this computer or its own network."""
    name = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name or name.endswith((".local", ".internal"))


def can_be_sent(key: str) -> bool:
    """Whether a key holds only what may stand in a header."""
    return key.isascii() and key.isprintable()


def pause_s(retry_after: str) -> float:
    """Read how many seconds a busy server asks to be left alone, from its Retry-After: seconds or a date."""
    if _SECONDS.fullmatch(retry_after.strip()):
        asked = float(retry_after)
    else:
        try:
            asked = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a zone
            return PAUSE_S
    return max(asked, PAUSE_S) if math.isfinite(asked) else PAUSE_S


def own_words(body: object, secret: str) -> str:
    """Take the server's own sentence out of an error body: one line, cut; "" when any of the secret stands in it."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message", inner.get("detail", "")) if isinstance(inner, dict) else inner
    if not isinstance(message, str) or "<" in message:
        return ""
    line = " ".join(clean(message[: 10 * DETAIL_LIMIT]).split()).replace('"', "'")
    pieces = {secret[start : start + _OVERLAP] for start in range(max(len(secret) - _OVERLAP + 1, 0))}
    if any(piece in line for piece in pieces):
        return ""
    return line if len(line) <= DETAIL_LIMIT else line[:DETAIL_LIMIT].rstrip() + " …"

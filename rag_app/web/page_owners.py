"""Whose an open page is. Gradio knows a page by a hash that its client chose, and streams to whoever names it."""

import json
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.types import Message, Receive, Scope

INTERFACE = "/gradio_api/"
NOT_YOURS = "This page was opened by somebody else. Open it anew."
TOO_LONG = "This is more than a page of this server sends."
PAGES_KEPT = 50_000  # open pages whose owners are remembered
BODY_MOST = 4_000_000  # bytes of an event that a page sends; a question that is far too long is told so
_WATCHING = "heartbeat/"


class TooLong(Exception):
    """An event has more than BODY_MOST bytes."""


class PageOwners:
    """Remembers who named a page first. Called from one event loop."""

    def __init__(self, kept: int = PAGES_KEPT) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._kept = kept

    def admits(self, pages: set[str], who: str) -> bool:
        """Whether all these pages are `who`'s; those that nobody has named before are from now on."""
        if any(self._owners.get(page, who) != who for page in pages):
            return False
        for page in pages:
            self._owners[page] = who
            self._owners.move_to_end(page)
        while len(self._owners) > self._kept:
            self._owners.popitem(last=False)
        return True


async def pages_named(scope: Scope, receive: Receive) -> tuple[set[str], Receive]:
    """The pages that a request to Gradio's interface is about, and what it is to be received by from here on.

    Raises TooLong.
    """
    path = scope["path"].removeprefix(INTERFACE)
    if path.startswith(_WATCHING):
        return {path.removeprefix(_WATCHING)}, receive
    named = set(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", ()))
    if scope["method"] != "POST":
        return named, receive
    body, rest = await _read(receive)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return named, rest  # Gradio refuses it
    page = told.get("session_hash") if isinstance(told, dict) else None
    return named | ({page} if isinstance(page, str) else set()), rest


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The body of a request, and what gives the same messages once more."""
    messages: list[Message] = []
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > BODY_MOST:
            raise TooLong
        more = message["type"] == "http.request" and message.get("more_body", False)
    body = b"".join(message.get("body", b"") for message in messages)
    replayed = iter(messages)

    async def again() -> Message:
        message = next(replayed, None)
        return await receive() if message is None else message

    return body, again

"""What every request goes through: its host and origin, its cookie, the password, and the headers of its answer."""

import asyncio
import json
import secrets
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_app.access import Who, manages
from rag_app.web.login import notice_html
from rag_app.web.page_owners import INTERFACE, NOT_YOURS, TOO_LONG, PageOwners, TooLong, pages_named
from rag_app.web.people import BROWSER_COOKIE, BROWSER_S, People
from rag_app.web.scripts import with_scripts

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
# Reachable without signing in. What other programs reach asks for a key itself, and gets no help from a cookie.
_OPEN_PATHS = frozenset({"/login", "/healthz", "/readyz", "/metrics", "/ui/app.css"})
_FOR_PROGRAMS = ("/v1/", "/api/")  # which keep no cookie
_OPEN_BELOW = ("/invitations/", "/sign-in/", *_FOR_PROGRAMS)
_MANAGERS_PAGES = frozenset({"/quality", "/settings", "/people"})
# What the pages use of Gradio's own interface; its uploads, files, proxies and the rest are not reachable.
_GRADIO_USED = (
    "queue/join",
    "queue/data",
    "cancel",
    "reset",
    "heartbeat/",
    "run/predict",
    "startup-events",
    "theme.css",
)
# Gradio's own addresses beside its interface that no page uses.
_GRADIO_UNUSED = ("/login/", "/logout", "/monitoring", "/openapi.json", "/pwa_icon")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NOTHING_HERE = "There is nothing at this address."
MANAGERS_ONLY = "This page is for administrators. Ask one of them for what you need from it."


def policy(nonce: str) -> str:
    """The Content-Security-Policy. Gradio builds functions from strings, hence 'unsafe-eval'; nothing inline runs."""
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "frame-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, people: People, *, loopback: bool) -> None:
        self._app = app
        self._people = people
        self._loopback = loopback
        self._owners = PageOwners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here with a sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page uses a web socket
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        answer = _Answer(
            send,
            document=wants_page(scope, headers),
            visited=_visits(scope, headers),
            secure=scope["scheme"] == "https",
        )
        cookies = read_cookies(headers)
        browser = self._people.browser(cookies)
        if browser is None:
            browser, cookie = self._people.new_browser()
            answer.cookie = "" if scope["path"].startswith(_FOR_PROGRAMS) else cookie
        who = await asyncio.to_thread(self._people.who, cookies, browser)
        scope.setdefault("state", {}).update(who=who, browser=who.id if who is not None else browser)
        if refusal is not None:
            await _say(answer, *refusal)
        elif who is None and not _is_open(scope["path"]):
            await self._ask_to_sign_in(scope, headers, answer)
        elif not _may_see(who, scope["path"]):
            await _send(answer, 403, "text/html; charset=utf-8", notice_html(MANAGERS_ONLY, "Back to asking", "/"))
        else:
            await self._let_in(scope, receive, answer, who)

    async def _let_in(self, scope: Scope, receive: Receive, answer: "_Answer", who: Who | None) -> None:
        """Let a request through; one to Gradio's interface only where it is about a page of whoever sent it."""
        if who is None or not scope["path"].startswith(INTERFACE):
            if answer.document:
                _refuse_compression(scope)
            await self._app(scope, receive, answer)
            return
        try:
            pages, receive = await pages_named(scope, receive)
        except TooLong:
            await _say(answer, 413, TOO_LONG)
            return
        if self._owners.admits(pages, who.id):
            await self._app(scope, receive, answer)
        else:
            await _say(answer, 403, NOT_YOURS)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence, where the request must not go on."""
        host = headers.get("host", "")
        if self._loopback and _hostname(host) not in _LOOPBACK_NAMES:
            return 421, f"This server answers only as 127.0.0.1 or localhost, not as {host[:100]!r}."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "This request came from another site and was not carried out."
        if origin is None and scope["method"] not in _SAFE and headers.get("sec-fetch-site") == "cross-site":
            return 403, "This request came from another site and was not carried out."
        path = scope["path"]
        if path.startswith("/gradio_api/") and not path.removeprefix("/gradio_api/").startswith(_GRADIO_USED):
            return 404, NOTHING_HERE
        if path.startswith(_GRADIO_UNUSED):
            return 404, NOTHING_HERE
        return None

    async def _ask_to_sign_in(self, scope: Scope, headers: Headers, answer: "_Answer") -> None:
        if not wants_page(scope, headers):
            await _say(answer, 401, "Sign in first, at /login.")
            return
        query = scope.get("query_string", b"").decode("latin-1")
        after = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
        await answer(
            {"type": "http.response.start", "status": 303, "headers": [(b"location", f"/login?next={after}".encode())]}
        )
        await answer({"type": "http.response.body", "body": b""})


class _Answer:
    """Sends an answer with our headers; a document also gets our scripts and the nonce on each.

    Who has `visited` an address where there is nothing gets a page that says so, not what a program would get.
    """

    def __init__(self, send: Send, *, document: bool, visited: bool, secure: bool) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body: list[bytes] = []
        self._secure = secure
        self._visited, self._lost = visited, False
        self.document = document
        self.cookie = ""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            json_only = headers.get("content-type", "").startswith("application/json")
            self._lost = self._visited and message["status"] == HTTPStatus.NOT_FOUND and json_only
            if self._lost:
                return
            self._dress(headers)
            if self.document and headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._lost:
            if not message.get("more_body"):
                await _send(self, 404, "text/html; charset=utf-8", notice_html(NOTHING_HERE, "Back to asking", "/"))
            return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body.append(message.get("body", b""))
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": self._signed_scripts()}
            await self._send(self._start)
        await self._send(message)

    def _signed_scripts(self) -> bytes:
        body = with_scripts(b"".join(self._body)).replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
        assert self._start is not None
        MutableHeaders(raw=self._start["headers"])["content-length"] = str(len(body))
        return body

    def _dress(self, headers: MutableHeaders) -> None:
        headers["content-security-policy"] = policy(self._nonce)
        headers["x-content-type-options"] = "nosniff"
        # With "no-referrer" browsers send `Origin: null` with our own forms, which is refused as any other site's is.
        headers["referrer-policy"] = "same-origin"
        headers["x-frame-options"] = "DENY"
        headers["cross-origin-opener-policy"] = "same-origin"
        headers["cross-origin-resource-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), microphone=(), geolocation=()"
        if self.document:
            headers["cache-control"] = "no-store"
        if self.cookie:
            headers.append("set-cookie", cookie_header(BROWSER_COOKIE, self.cookie, BROWSER_S, secure=self._secure))


def cookie_header(name: str, value: str, seconds: int, *, secure: bool) -> str:
    """A Set-Cookie value: not for scripts, not for requests from other sites."""
    return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def read_cookies(headers: Headers) -> dict[str, str]:
    """The cookies of a request; none where they cannot be read."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def wants_page(scope: Scope, headers: Headers) -> bool:
    """Whether this is a browser's request for a document of ours or Gradio's."""
    return scope["method"] in ("GET", "HEAD") and (
        headers.get("sec-fetch-dest") == "document" or "text/html" in headers.get("accept", "")
    )


def _visits(scope: Scope, headers: Headers) -> bool:
    """Whether a browser goes to this address, and not a script of a page of ours, which asks for HTML alone."""
    dest = headers.get("sec-fetch-dest")
    visiting = dest == "document" if dest is not None else "application/xhtml+xml" in headers.get("accept", "")
    return visiting and wants_page(scope, headers)


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith(_OPEN_BELOW)


def _may_see(who: Who | None, path: str) -> bool:
    """Whether a page is for whoever asks; what it shows is checked again where it is made."""
    return path.rstrip("/") not in _MANAGERS_PAGES or (who is not None and manages(who))


def _refuse_compression(scope: Scope) -> None:
    """Gradio would compress the document before the nonce can be set."""
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]


def _hostname(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "") if host.count("@") == 0 else ""


async def _say(answer: _Answer, status: int, sentence: str) -> None:
    await _send(answer, status, "application/json", json.dumps({"error": {"kind": "refused", "message": sentence}}))


async def _send(answer: _Answer, status: int, kind: str, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await answer({"type": "http.response.start", "status": status, "headers": headers})
    await answer({"type": "http.response.body", "body": body})

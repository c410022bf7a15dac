"""Our own addresses for coming in and going out: by name, by the shared password, by a link that is good once."""

import asyncio
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest.errors import RagError
from rag_app.team.entrance import Entrance, TooManyTries
from rag_app.team.passwords import LEAST
from rag_app.team.sessions import SPENT, WHOLE_S, Invitations
from rag_app.web.crowd import Crowd
from rag_app.web.guard import cookie_header
from rag_app.web.login import invitation_html, login_html, notice_html
from rag_app.web.people import SESSION_COOKIE, SIGNED_IN_COOKIE, SIGNED_IN_S, People

LOGIN_LIMIT = 4096  # bytes of a sign-in form
AT_ONCE = 2  # passwords looked at at the same time; each takes a core and 64 MiB for a moment
WAITING = 20  # more of them that wait, some seconds; whoever comes then is asked to come again
TOO_MANY = "Too many wrong passwords came from this address. Wait five minutes and try again."


class SignIn:
    """Lets people in and out."""

    def __init__(self, people: People, entrance: Entrance, invitations: Invitations, provider: str = "") -> None:
        """`provider` is the host of an OpenID Connect provider that people may sign in at, "" for none."""
        self._people = people
        self._provider = provider
        self._entrance = entrance
        self._invitations = invitations
        self._places = Crowd(AT_ONCE, WAITING)

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/login", self.login_page)
        router.add_api_route("/login", self.login, methods=["POST"])
        router.add_api_route("/sign-out", self.sign_out, methods=["POST"])
        router.add_api_route("/invitations/{link}", self.invitation_page)
        router.add_api_route("/invitations/{link}", self.accept, methods=["POST"])
        return router

    async def login_page(self, request: Request) -> Response:
        """The form, or the way on for those who are in."""
        after = safe_next(request.query_params.get("next", "/"))
        if request.state.who is not None:
            return RedirectResponse(after, 303)
        named = self._people.registered
        return HTMLResponse(login_html(after, named=named, provider=self._provider if named else ""))

    async def login(self, request: Request) -> Response:
        """Check a password and let whoever knows it in."""
        form = await small_form(request)
        after = safe_next(form.get("next", "/"))
        address = request.client.host if request.client else ""
        if not self._people.registered:
            return self._by_shared_password(request, form.get("password", ""), address, after)
        try:
            async with self._places:
                secret = await asyncio.to_thread(
                    self._entrance.sign_in, form.get("name", ""), form.get("password", ""), address
                )
        except RagError as failure:
            status = 429 if isinstance(failure, TooManyTries) else 401
            return HTMLResponse(login_html(after, str(failure), named=True, provider=self._provider), status)
        return let_in(request, SESSION_COOKIE, secret, int(WHOLE_S), after)

    async def sign_out(self, request: Request) -> Response:
        """End this browser's session, or all of this person's where the form says so."""
        everywhere = bool((await small_form(request)).get("everywhere"))
        if request.state.who is not None and self._people.registered:
            secret = request.cookies.get(SESSION_COOKIE, "")
            await asyncio.to_thread(self._entrance.sign_out, request.state.who, secret, everywhere=everywhere)
        answer = RedirectResponse("/login", 303)
        for cookie in (SESSION_COOKIE, SIGNED_IN_COOKIE):
            answer.headers.append("set-cookie", cookie_header(cookie, "", 0, secure=request.url.scheme == "https"))
        return answer

    async def invitation_page(self, link: str) -> Response:
        """The form on which somebody chooses a password."""
        invited = await asyncio.to_thread(self._invitations.invited, link)
        if invited is None:
            return HTMLResponse(notice_html(SPENT, "Sign in", "/login"), 404)
        return HTMLResponse(invitation_html(invited[1], least=LEAST, link=link, provider=self._provider))

    async def accept(self, request: Request, link: str) -> Response:
        """Set a password and let its owner in."""
        form = await small_form(request)
        invited = await asyncio.to_thread(self._invitations.invited, link)
        if invited is None:
            return HTMLResponse(notice_html(SPENT, "Sign in", "/login"), 404)
        address = request.client.host if request.client else ""
        try:
            async with self._places:
                secret = await asyncio.to_thread(self._entrance.accept, link, form.get("password", ""), address)
        except RagError as failure:
            page = invitation_html(invited[1], str(failure), least=LEAST, link=link, provider=self._provider)
            return HTMLResponse(page, 422)
        return let_in(request, SESSION_COOKIE, secret, int(WHOLE_S), "/")

    def _by_shared_password(self, request: Request, password: str, address: str, after: str) -> Response:
        if self._people.too_many(address):
            return HTMLResponse(login_html(after, TOO_MANY), 429)
        if not self._people.right_password(password):
            self._people.wrong_password(address)
            return HTMLResponse(login_html(after, "This is not the password."), 401)
        return let_in(request, SIGNED_IN_COOKIE, self._people.sign_in(request.state.browser), SIGNED_IN_S, after)


def safe_next(address: str) -> str:
    """An address on this server to go to after signing in."""
    parts = urlsplit(address)
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc
    return address if inside and address.isprintable() else "/"


async def small_form(request: Request) -> dict[str, str]:
    """The first value of each field of a small form."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LOGIN_LIMIT:
            return {}
    values = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: given[0] for name, given in values.items()}


def let_in(request: Request, cookie: str, value: str, seconds: int, after: str) -> Response:
    """The way to `after` with a cookie that lets its browser in for some seconds."""
    answer = RedirectResponse(after, 303)
    secure = request.url.scheme == "https"
    answer.headers.append("set-cookie", cookie_header(cookie, value, seconds, secure=secure))
    return answer

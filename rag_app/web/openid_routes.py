"""Our own addresses for signing in at an OpenID Connect provider: out to it, and back from it."""

import asyncio
import hmac
from dataclasses import asdict
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from ingest.errors import RagError
from rag_app.team.attempts import Attempts
from rag_app.team.entrance import BY_ADDRESS, TRIES_S, NotLetIn, TooManyTries
from rag_app.team.identities import Identities
from rag_app.team.openid import UNPROVEN, Begun, Provider, ProviderDown
from rag_app.team.sessions import WHOLE_S
from rag_app.web.guard import cookie_header
from rag_app.web.login import OUT, login_html, notice_html
from rag_app.web.people import SESSION_COOKIE, People
from rag_app.web.routes import NOTHING_HERE, error
from rag_app.web.sign_in_routes import let_in, safe_next

BACK = f"{OUT}/back"
COOKIE = "rag_openid"  # what a browser was sent out with; another browser's way back is worth nothing
BEGUN_S = 600  # seconds somebody may take at the provider
NEXT_LIMIT = 1000  # characters; a cookie holds no more than 4 KiB
LINK_LIMIT = 100  # characters of the secret of an invitation
TOO_MANY = "Too many sign-ins from this address failed. Wait five minutes and try again."
LOST = "This sign-in was begun in another browser, used before, or left open for more than ten minutes. Begin again."
REFUSED = "You were not signed in at {host}, or did not agree there that this server may know who you are. Begin again."


class OpenIdSignIn:
    """Sends people to the provider and lets those in whom it sends back."""

    def __init__(self, people: People, provider: Provider | None, identities: Identities, secret: bytes) -> None:
        """`secret` signs what is kept in the browser meanwhile."""
        self._people, self._provider, self._identities = people, provider, identities
        self._attempts = Attempts(BY_ADDRESS, TRIES_S)
        self._begun = URLSafeTimedSerializer(secret, salt="openid")

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route(OUT, self.out)
        router.add_api_route(BACK, self.back)
        return router

    async def out(self, request: Request) -> Response:
        """Off to the provider; `next` is where to go afterwards, `link` the secret of an invitation."""
        provider, after = self._provider, safe_next(request.query_params.get("next", "/"))
        after = after if len(after) <= NEXT_LIMIT else "/"
        link = request.query_params.get("link", "")[:LINK_LIMIT]
        if provider is None or not self._people.registered:
            return error(NOTHING_HERE, 404)
        if request.state.who is not None and not link:
            return RedirectResponse(after, 303)
        try:
            begun = await provider.begin(_own(request, BACK))
        except ProviderDown as failure:
            return self._refused(failure, after, 503)
        answer = RedirectResponse(begun.url, 303)
        kept = self._begun.dumps({**asdict(begun), "url": "", "next": after, "link": link})
        _set(answer, request, COOKIE, str(kept), BEGUN_S)
        return answer

    async def back(self, request: Request) -> Response:
        """Back from the provider: a session where it proved who this is, and that is somebody registered."""
        provider = self._provider
        if provider is None or not self._people.registered:
            return error(NOTHING_HERE, 404)
        kept = self._kept(request)
        after, link = safe_next(kept.get("next", "/")), kept.get("link", "")
        try:
            secret = await self._let_in(request, provider, kept)
        except RagError as failure:
            answer = self._refused(failure, after, _status(failure), link)
        else:
            answer = let_in(request, SESSION_COOKIE, secret, int(WHOLE_S), after)
        _set(answer, request, COOKIE, "", 0)  # each is good once
        return answer

    async def _let_in(self, request: Request, provider: Provider, kept: dict[str, str]) -> str:
        """The secret of a session. Raises NotLetIn."""
        said = request.query_params
        if not kept or not hmac.compare_digest(kept["state"].encode(), said.get("state", "").encode()):
            raise NotLetIn(LOST)
        if said.get("iss", provider.issuer) != provider.issuer:  # RFC 9207: another provider's answer
            raise NotLetIn(UNPROVEN.format(host=provider.host))
        if not said.get("code"):
            raise NotLetIn(REFUSED.format(host=provider.host))
        address = request.client.host if request.client else ""
        if not self._attempts.allow(address):  # each costs the provider a request
            raise TooManyTries(TOO_MANY)
        begun = Begun("", kept["state"], kept["nonce"], kept["verifier"])
        identity = await provider.finish(begun, _own(request, BACK), said["code"])
        secret = await asyncio.to_thread(self._identities.sign_in, identity, address, kept["link"])
        self._attempts.forgive(address)
        return secret

    def _kept(self, request: Request) -> dict[str, str]:
        """What this browser was sent out with; nothing where that is not ours or too long ago."""
        try:
            kept = self._begun.loads(request.cookies.get(COOKIE, ""), max_age=BEGUN_S)
        except BadData:
            return {}
        return dict(kept)

    def _refused(self, failure: RagError, after: str, status: int, link: str = "") -> Response:
        if link:
            return HTMLResponse(
                notice_html(str(failure), "Back to the link", f"/invitations/{quote(link, safe='')}"), status
            )
        return HTMLResponse(login_html(after, str(failure), named=True, provider=self._host()), status)

    def _host(self) -> str:
        return self._provider.host if self._provider is not None else ""


def _status(failure: RagError) -> int:
    if isinstance(failure, ProviderDown):
        return 503
    return 429 if isinstance(failure, TooManyTries) else 401


def _own(request: Request, path: str) -> str:
    return f"{str(request.base_url).rstrip('/')}{path}"


def _set(answer: Response, request: Request, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.headers.append("set-cookie", cookie_header(name, value, seconds, secure=secure))

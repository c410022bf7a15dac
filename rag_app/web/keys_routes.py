"""Our own addresses for the keys of one's programs: see them, make one, revoke one."""

import asyncio
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rag_app.access import Who, readable
from rag_app.team.audit import Audit
from rag_app.team.keys import Keys
from rag_app.team.people import TeamError
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.keys_html import keys_html
from rag_app.web.narrowed import narrowed
from rag_app.web.routes import error

FORM_LIMIT = 16_000  # bytes
NOT_YOURS = "This key is not one of yours, or it cannot be used any more."
_PRIVATE = {"cache-control": "no-store"}

KeyId = Annotated[str, InPath(pattern=r"^[0-9a-f]{12}$")]


class OwnKeys:
    """Lets everybody look after the keys that ask for them."""

    def __init__(self, desk: Desk, keys: Keys, audit: Audit) -> None:
        self._desk = desk
        self._keys = keys
        self._audit = audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/keys", self.page)
        router.add_api_route("/keys", self.add, methods=["POST"])
        router.add_api_route("/keys/{key}/revoke", self.revoke, methods=["POST"])
        return router

    def page(self, request: Request) -> Response:
        """The keys of whoever asks."""
        return self._page(request.state.who)

    async def add(self, request: Request) -> Response:
        """Make a key and show it, this once."""
        form = parse_qs((await request.body())[:FORM_LIMIT].decode("utf-8", "replace"))
        return await asyncio.to_thread(self._add, request.state.who, form)

    def revoke(self, request: Request, key: KeyId) -> Response:
        """End a key at once."""
        who = request.state.who
        if not self._keys.revoke(key, _person(who)):
            return error(NOT_YOURS, 404)
        self._audit.note(who, "key revoked", key)
        return RedirectResponse("/keys", 303)

    def _add(self, who: Who, form: dict[str, list[str]]) -> Response:
        name, days = form.get("name", [""])[0], form.get("days", [""])[0]
        spaces = [space for space in self._spaces(who) if space in form.get("space", [])]
        if form.get("space") and not spaces:
            return self._page(who, wrong="None of these spaces is yours to read. Choose others.", status=422)
        try:
            key, secret = self._keys.add(
                name,
                person=_person(who),
                spaces=spaces or None,
                days=int(days) if days.isdecimal() and len(days) < 6 else -1,  # noqa: PLR2004 - digits
            )
        except TeamError as failure:
            return self._page(who, wrong=str(failure), status=422)
        self._audit.note(who, "key added", key.name, key.id)
        return self._page(who, secret=secret)

    def _page(self, who: Who, *, secret: str = "", wrong: str = "", status: int = 200) -> Response:
        listed = self._keys.listed(_person(who))
        bar = header_html("", narrowed(self._desk, who).status(), who)
        html = keys_html(bar, listed, self._spaces(who), secret=secret, wrong=wrong)
        return HTMLResponse(html, status, headers=_PRIVATE)

    def _spaces(self, who: Who) -> list[str]:
        return readable(who, sorted({*self._desk.spaces(), *(who.roles or ())}))


def _person(who: Who) -> str:
    """Whose keys they are: a person's, or nobody's in particular while nobody is registered."""
    return who.id if who.roles is not None else ""

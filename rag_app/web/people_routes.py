"""Our own addresses for people and spaces: for administrators, once anybody is registered."""

import asyncio
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rag_app.access import Forbidden, Role, Who, manages
from rag_app.team.people import Person, TeamError
from rag_app.web.answering import Answering
from rag_app.web.desk import Desk
from rag_app.web.guard import MANAGERS_ONLY
from rag_app.web.header_html import header_html
from rag_app.web.narrowed import narrowed
from rag_app.web.people_html import people_html
from rag_app.web.routes import NOTHING_HERE, Id, error
from rag_app.web.sign_in_routes import small_form
from rag_app.web.stores import Stores

NOBODY_THERE = "There is nobody with this id. Reload the page."
_ROLES: Mapping[str, Role] = {role.name.lower(): role for role in Role}
_PRIVATE = {"cache-control": "no-store"}


class Registry:
    """Lets administrators look after people and spaces."""

    def __init__(self, desk: Desk, stores: Stores, answering: Answering) -> None:
        self._desk, self._answering = desk, answering
        self._roster, self._invitations, self._audit = stores.roster, stores.invitations, stores.audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/people", self.page)
        router.add_api_route("/people", self.add, methods=["POST"])
        router.add_api_route("/people/{person}", self.change, methods=["POST"])
        router.add_api_route("/spaces", self.add_space, methods=["POST"])
        return router

    def page(self, request: Request) -> Response:
        """Everybody, and what they are in which space; nothing is there while nobody is registered."""
        return self._refused(request) or self._page(request.state.who)

    async def add(self, request: Request) -> Response:
        """Register somebody and show the link with which they choose a password, this once."""
        form, who = await small_form(request), request.state.who
        refused = self._refused(request)
        if refused is not None:
            return refused
        return await asyncio.to_thread(self._done, who, lambda: self._add(request, who, form))

    async def change(self, request: Request, person: Id) -> Response:
        """Let somebody in or not, make another link, or say what they are in a space."""
        form, who = await small_form(request), request.state.who
        refused = self._refused(request)
        if refused is not None:
            return refused
        found = await asyncio.to_thread(self._roster.person, person)
        if found is None:
            return error(NOBODY_THERE, 404)
        answer = await asyncio.to_thread(self._done, who, lambda: self._change(request, who, found, form))
        if await asyncio.to_thread(self._roster.who, person) is None:
            await self._answering.stop_all(person)
        return answer

    async def add_space(self, request: Request) -> Response:
        """Make a space."""
        form, who = await small_form(request), request.state.who
        refused = self._refused(request)
        if refused is not None:
            return refused
        return await asyncio.to_thread(self._done, who, lambda: self._add_space(who, form.get("space", "")))

    def _refused(self, request: Request) -> Response | None:
        who: Who = request.state.who
        if who.roles is None:
            return error(NOTHING_HERE, 404)
        return None if manages(who) else error(MANAGERS_ONLY, 403, Forbidden.kind)

    def _done(self, who: Who, act: Callable[[], Response]) -> Response:
        try:
            return act()
        except TeamError as failure:
            return self._page(who, wrong=str(failure))

    def _add(self, request: Request, who: Who, form: Mapping[str, str]) -> Response:
        person = self._roster.add(form.get("name", ""), administrator=bool(form.get("administrator")))
        self._audit.note(who, "person added", person.name, "administrator" if person.administrator else "")
        return self._page(who, link=(person.name, self._link(request, person)))

    def _change(self, request: Request, who: Who, person: Person, form: Mapping[str, str]) -> Response:
        act = form.get("act", "")
        if act == "link":
            self._audit.note(who, "link made", person.name)
            return self._page(who, link=(person.name, self._link(request, person)))
        if act == "role":
            return self._set_role(who, person, form.get("space", ""), form.get("role", ""))
        acts: Mapping[str, Callable[[], None]] = {
            "disable": lambda: self._roster.disable(person.id),
            "enable": lambda: self._roster.enable(person.id),
            "administrator": lambda: self._roster.set_administrator(person.id, administrator=True),
            "member": lambda: self._roster.set_administrator(person.id, administrator=False),
        }
        if act not in acts:
            raise TeamError("This request could not be read. Reload the page and try again.")
        acts[act]()
        self._audit.note(who, act, person.name)
        return RedirectResponse("/people", 303)

    def _set_role(self, who: Who, person: Person, space: str, role: str) -> Response:
        if space not in self._spaces() or (role and role not in _ROLES):
            raise TeamError("There is no such space or role. Reload the page and try again.")
        if role:
            self._roster.grant(person.id, space, _ROLES[role])
        else:
            self._roster.revoke(person.id, space)
        self._audit.note(who, "role", person.name, f"{role or 'none'} in {space}")
        return RedirectResponse("/people", 303)

    def _add_space(self, who: Who, name: str) -> Response:
        self._audit.note(who, "space added", self._roster.add_space(name))
        return RedirectResponse("/people", 303)

    def _link(self, request: Request, person: Person) -> str:
        return f"{str(request.base_url).rstrip('/')}/invitations/{self._invitations.invite(person.id)}"

    def _spaces(self) -> list[str]:
        return sorted({*self._roster.spaces(), *self._desk.spaces()})

    def _page(self, who: Who, *, link: tuple[str, str] = ("", ""), wrong: str = "") -> Response:
        bar = header_html("People", narrowed(self._desk, who).status(), who)
        html = people_html(bar, self._roster.people(), self._spaces(), link=link, wrong=wrong)
        return HTMLResponse(html, 422 if wrong else 200, headers=_PRIVATE)

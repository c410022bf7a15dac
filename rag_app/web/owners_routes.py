"""Our own addresses for owners of spaces: who is in a space, and whether it stays; never other spaces."""

import asyncio
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest.errors import RagError
from rag_app.access import Forbidden, Role, Who, decides_on, manages
from rag_app.space_removal import check_removable
from rag_app.team import leaving
from rag_app.team.people import TeamError
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.login import notice_html
from rag_app.web.narrowed import narrowed
from rag_app.web.office import Office
from rag_app.web.owners_html import OwnSpace, owners_html
from rag_app.web.routes import NOTHING_HERE, error
from rag_app.web.sign_in_routes import small_form
from rag_app.web.stores import Stores

OWNERS_ONLY = "This page is for owners of spaces. An administrator, or an owner of a space, can make you one."
NOT_OWNER = "You do not decide on the space {space}. Ask one of its owners, or an administrator."
NOBODY = (
    "There is nobody called {name} who may be let in. Names are those that people sign in with; an administrator "
    "registers whoever is new."
)
LAST = (
    "You are the only owner of {space}, so you stay. Make somebody else an owner first, or ask an administrator to "
    "take you out."
)
NOT_IN = "{name} is not in {space} any more. Reload the page."
UNREADABLE = "This request could not be read. Reload the page and try again."
_ROLES: Mapping[str, Role] = {role.name.lower(): role for role in Role}
_PRIVATE = {"cache-control": "no-store"}


class Ownership:
    """Lets owners look after their spaces."""

    def __init__(self, desk: Desk, office: Office, stores: Stores) -> None:
        self._desk, self._office, self._database = desk, office, stores.database
        self._roster, self._audit = stores.roster, stores.audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/spaces", self.page)
        router.add_api_route("/spaces/members", self.set_member, methods=["POST"])
        router.add_api_route("/spaces/removal", self.remove, methods=["POST"])
        return router

    def page(self, request: Request) -> Response:
        """The spaces that whoever asks decides on; nothing is there while nobody is registered."""
        who: Who = request.state.who
        if who.roles is None:
            return error(NOTHING_HERE, 404)
        if not manages(who) and not self._owned(who):
            return HTMLResponse(notice_html(OWNERS_ONLY, "Back to asking", "/"), 403, headers=_PRIVATE)
        return self._page(who)

    async def set_member(self, request: Request) -> Response:
        """Let somebody into a space, give them another role in it, or take them out (role "")."""
        form, who = await small_form(request), request.state.who
        return await asyncio.to_thread(self._done, who, form, self._set_member)

    async def remove(self, request: Request) -> Response:
        """Take a space away, its documents too only where the form says so."""
        form, who = await small_form(request), request.state.who
        return await asyncio.to_thread(self._done, who, form, self._remove)

    def _done(self, who: Who, form: Mapping[str, str], act: Callable[[Who, Mapping[str, str]], Response]) -> Response:
        if who.roles is None:
            return error(NOTHING_HERE, 404)
        space = form.get("space", "")
        if not decides_on(who, space):  # in the same words whether it is there or not
            return error(NOT_OWNER.format(space=space), 403, Forbidden.kind)
        try:
            if space not in self._spaces():
                raise TeamError("There is no such space any more. Reload the page.")
            return act(who, form)
        except RagError as failure:
            return self._page(who, wrong=str(failure))

    def _set_member(self, who: Who, form: Mapping[str, str]) -> Response:
        space, role, name = form["space"], form.get("role"), form.get("name", "")
        if role is None or (role and role not in _ROLES):
            raise TeamError(UNREADABLE)
        person = self._roster.named(name)
        if person is None or (person.disabled and role and space not in person.roles):
            raise TeamError(NOBODY.format(name=name))
        if not role and space not in person.roles:
            raise TeamError(NOT_IN.format(name=person.name, space=space))
        owners = [one.id for one, held in self._roster.members(space) if held is Role.OWNER and not one.disabled]
        if owners == [person.id] and _ROLES.get(role) is not Role.OWNER and not manages(who):
            raise TeamError(LAST.format(space=space))
        if role:
            self._roster.grant(person.id, space, _ROLES[role])
        else:
            self._roster.revoke(person.id, space)
        self._audit.note(who, "role", person.name, f"{role or 'none'} in {space}")
        return RedirectResponse("/spaces" if self._still_owner(who) else "/", 303)

    def _remove(self, who: Who, form: Mapping[str, str]) -> Response:
        space = form["space"]
        check_removable(space, self._desk.space)
        emptied = self._office.empty_space(space, bool(form.get("documents")))
        went = emptied.told(leaving.forget(self._database, space))
        self._audit.note(who, "space removed", space, went)
        now = self._roster.who(who.id) or who
        return self._page(now, done=f"The space {space} is gone. With it went: {went}.")

    def _still_owner(self, who: Who) -> bool:
        now = self._roster.who(who.id)
        return now is not None and (manages(now) or bool(self._owned(now)))

    def _spaces(self) -> list[str]:
        return sorted({*self._roster.spaces(), *self._desk.spaces()})

    def _owned(self, who: Who) -> list[str]:
        return [space for space in self._spaces() if decides_on(who, space)]

    def _page(self, who: Who, *, wrong: str = "", done: str = "") -> Response:
        held = [document.space for document in self._desk.documents()]
        spaces = [
            OwnSpace(space, self._roster.members(space), held.count(space), self._stays(space))
            for space in self._owned(who)
        ]
        bar = header_html("Spaces", narrowed(self._desk, who).status(), who)
        html = owners_html(bar, spaces, wrong=wrong, done=done, managing=manages(who))
        return HTMLResponse(html, 422 if wrong else 200, headers=_PRIVATE)

    def _stays(self, space: str) -> str:
        try:
            check_removable(space, self._desk.space)
        except TeamError as reason:
            return str(reason)
        return ""

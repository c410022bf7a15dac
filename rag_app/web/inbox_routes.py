"""Our own addresses of the inbox and of approved answers. Each asks what the person of its request may do."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from ingest.errors import RagError
from rag_app.access import Forbidden, Role, Who, may
from rag_app.conversations import StoredTurn
from rag_app.records import Citation
from rag_app.team.approved import ANSWER_LIMIT, GONE, Draft, NoSuchAnswer, Source
from rag_app.team.inbox import Closed, Inbox, InboxError
from rag_app.team.wording import identifier_of, markdown, path_of
from rag_app.web.approved_html import answer_view_html, form_html
from rag_app.web.conversation_routes import NOT_YOURS, UNREADABLE, small_object
from rag_app.web.desk import Desk
from rag_app.web.narrowed import narrowed
from rag_app.web.routes import Id, error
from rag_app.web.stores import Stores

BODY_LIMIT = 12 * ANSWER_LIMIT  # bytes; a character takes up to six in JSON
T = TypeVar("T")


class Working:
    """The inbox and approved answers of whoever asks."""

    def __init__(self, desk: Desk, stores: Stores, inbox: Inbox) -> None:
        self._desk, self._inbox = desk, inbox
        self._approved, self._audit, self._conversations = stores.approved, stores.audit, stores.conversations

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/inbox/{key}", self.change, methods=["POST"])
        router.add_api_route("/inbox/{key}/approve", self.form_of_group)
        router.add_api_route("/turns/{turn_id}/approve", self.form_of_turn)
        router.add_api_route("/approved/new", self.new_form)
        router.add_api_route("/approved", self.approve, methods=["POST"])
        router.add_api_route("/approved/{identifier}", self.show)
        router.add_api_route("/approved/{identifier}/edit", self.form_of_answer)
        router.add_api_route("/approved/{identifier}/withdraw", self.withdraw, methods=["POST"])
        return router

    async def change(self, request: Request, key: Id) -> Response:
        """Assign, note, close or reopen a group of questions."""
        said = await small_object(request)
        texts = {name: said[name] for name in ("assigned", "note") if name in said}
        try:
            reason = Closed(said["reason"]) if said.get("reason") else None
        except ValueError:
            return error(UNREADABLE, 400)
        if not all(isinstance(text, str) for text in texts.values()):
            return error(UNREADABLE, 400)
        reopen = said.get("reopen") is True
        return await self._done(
            lambda: self._inbox.change(request.state.who, key, reason=reason, reopen=reopen, **texts), {"kept": key}
        )

    def form_of_group(self, request: Request, key: Id) -> Response:
        """The form in which the answer to a group is written, as a piece of HTML."""
        who = request.state.who
        try:
            group = self._inbox.group(who, key)
        except InboxError as failure:
            return error(str(failure), 404, failure.kind)
        spaces = [space for space in group.spaces if may(who, Role.EDITOR, space)]
        draft = Draft(next(iter(spaces), ""), group.question, "")
        return HTMLResponse(form_html(draft, self._spaces(who), group=key))

    def form_of_turn(self, request: Request, turn_id: Id) -> Response:
        """The form in which an answer is approved or corrected; an approved one is corrected itself."""
        who, turn = request.state.who, self._conversations.turn(request.state.browser, turn_id)
        if turn is None or turn.answer is None:
            return error(NOT_YOURS, 404)
        behind = next((name for one in turn.answer.citations[:1] if (name := identifier_of(one.path))), "")
        if behind and self._approved.get(behind) is not None:
            return self.form_of_answer(request, behind)
        spaces = self._spaces(who)
        if not spaces:
            return error("Only editors of a space approve answers. Ask one of its owners.", 403, "forbidden")
        return HTMLResponse(form_html(self._draft(who, turn, spaces), spaces))

    def new_form(self, request: Request) -> Response:
        """The empty form."""
        spaces = self._spaces(request.state.who)
        usual = self._desk.space if self._desk.space in spaces else next(iter(spaces), "")
        return HTMLResponse(form_html(Draft(usual, "", ""), spaces))

    def form_of_answer(self, request: Request, identifier: Id) -> Response:
        """The form in which another version is written."""
        try:
            held = self._approved.of_editor(request.state.who, identifier)
        except RagError as failure:
            return _refused(failure)
        latest = held.latest
        draft = Draft(held.space, latest.question, latest.answer, latest.review, latest.sources)
        return HTMLResponse(form_html(draft, [held.space], identifier=held.id))

    def show(self, request: Request, identifier: Id) -> Response:
        """An approved answer with its sources, as a piece of HTML."""
        held = self._approved.get(identifier)
        if held is None or not may(request.state.who, Role.READER, held.space):
            return error(GONE, 404)
        readable = frozenset(one.id for one in narrowed(self._desk, request.state.who).documents())
        return HTMLResponse(answer_view_html(held, readable))

    async def approve(self, request: Request) -> Response:
        """Keep an approved answer, or another version, and have it answer."""
        said = await small_object(request, BODY_LIMIT)
        texts = [said.get(name, "") for name in ("space", "question", "answer", "review", "approved", "group")]
        if not all(isinstance(text, str) for text in texts) or not re.fullmatch(r"([0-9a-f]{32})?", texts[4]):
            return error(UNREADABLE, 400)
        space, question, answer, review, identifier, group = texts
        draft = Draft(space, question, answer, review, self._sources(request.state.who, said.get("sources", [])))
        return await self._done(lambda: self._approve(request.state.who, draft, identifier, group), {"approved": True})

    async def withdraw(self, request: Request, identifier: Id) -> Response:
        """Take an approved answer out of answers at once; its versions are kept."""
        return await self._done(lambda: self._withdraw(request.state.who, identifier), {"withdrawn": identifier})

    def _approve(self, who: Who, draft: Draft, identifier: str, group: str) -> None:
        if group:
            self._inbox.group(who, group)  # refused before anything is kept
        held = self._approved.write(who, draft, identifier)
        latest = held.latest
        narrowed(self._desk, who).publish(held.space, path_of(held.id), markdown(latest.question, latest.answer))
        self._audit.note(who, "approve", latest.question, f"{held.space}, version {latest.number}")
        if group:
            self._inbox.change(who, group, reason=Closed.ANSWERED)

    def _withdraw(self, who: Who, identifier: str) -> None:
        held, desk = self._approved.withdraw(who, identifier), narrowed(self._desk, who)
        for job in desk.jobs():
            if job.path == path_of(held.id) and not job.final:
                desk.cancel(job.id)
        for document in desk.documents():
            if document.path == path_of(held.id):
                desk.remove(document.id)
        self._audit.note(who, "withdraw", held.latest.question, held.space)

    def _draft(self, who: Who, turn: StoredTurn, spaces: Sequence[str]) -> Draft:
        answer = turn.answer
        assert answer is not None
        held = {document.id: document for document in narrowed(self._desk, who).documents()}
        cited = [one for one in answer.citations if one.document_id in held]
        own = [held[one.document_id].space for one in cited] + list(answer.spaces)
        space = next((one for one in own if one in spaces), spaces[0])
        text = re.sub(r"\s*\[\d+\]|\*\*", "", answer.text).strip()
        return Draft(space, answer.rewritten or turn.question, text, sources=tuple(map(_source, cited)))

    def _sources(self, who: Who, given: Any) -> tuple[Source, ...]:  # noqa: ANN401 - whatever JSON holds
        """The places named, in documents that `who` may read."""
        held = {document.id: document for document in narrowed(self._desk, who).documents()}
        rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        return tuple(
            Source(one["document_id"], held[one["document_id"]].title, one["page"], "")
            for one in rows
            if isinstance(one.get("document_id"), str) and one["document_id"] in held and _is_page(one.get("page"))
        )

    def _spaces(self, who: Who) -> list[str]:
        """Those that `who` may write into, the usual one first."""
        return editable(self._desk, who)

    @staticmethod
    async def _done(act: Callable[[], T], said: dict[str, object]) -> Response:
        try:
            await asyncio.to_thread(act)
        except RagError as failure:
            return _refused(failure)
        return JSONResponse(said)


def editable(desk: Desk, who: Who) -> list[str]:
    """The spaces that `who` may write approved answers into: those that hold something, the usual one and theirs."""
    known = dict.fromkeys([desk.space, *desk.spaces(), *(who.roles or ())])
    return [space for space in known if may(who, Role.EDITOR, space)]


def _source(cited: Citation) -> Source:
    return Source(cited.document_id, cited.title, cited.page, cited.label)


def _is_page(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _refused(failure: RagError) -> Response:
    if isinstance(failure, Forbidden):
        return error(str(failure), 403, failure.kind)
    missing = isinstance(failure, NoSuchAnswer | InboxError)
    return error(str(failure), 404 if missing else 422, failure.kind)

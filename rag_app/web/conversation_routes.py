"""Our own addresses for what a browser asked: rename, delete, take away, judge, and how an answer was found.

Every address asks whose it is; what belongs to another browser is answered as if it were not there.
"""

import asyncio
import json
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from rag_app.conversations import Conversations, StoredTurn
from rag_app.feedback import Feedback, Reason, Verdict
from rag_app.team.replies import Replies
from rag_app.web.answering import Answering
from rag_app.web.export import conversation_markdown, file_name, turn_text
from rag_app.web.found_html import found_html
from rag_app.web.routes import Id, error

BODY_LIMIT = 16_000  # bytes of a name or a judgement
NOT_YOURS = "This conversation is not one of yours, or it was deleted."
NOT_KEPT = "How this answer was found was not kept. Ask again to see it."
UNREADABLE = "This request could not be read. Reload the page and try again."


class History:
    """Conversations of the browser that asks."""

    def __init__(self, conversations: Conversations, answering: Answering, replies: Replies) -> None:
        self._conversations = conversations
        self._answering = answering
        self._replies = replies

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/conversations/{conversation}.md", self.markdown)
        router.add_api_route("/conversations/{conversation}", self.rename, methods=["PATCH"])
        router.add_api_route("/conversations/{conversation}", self.remove, methods=["DELETE"])
        return router

    def markdown(self, request: Request, conversation: Id) -> Response:
        """A conversation with its sources, to be saved."""
        browser = request.state.browser
        summary = self._conversations.summary(browser, conversation)
        if summary is None:
            return error(NOT_YOURS, 404)
        turns = self._conversations.turns(browser, conversation)
        text = conversation_markdown(summary.name, turns, self._replies.of_conversation(conversation))
        name = quote(file_name(summary.name), safe="")
        headers = {"content-disposition": f"attachment; filename*=utf-8''{name}", "cache-control": "private, no-store"}
        return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)

    async def rename(self, request: Request, conversation: Id) -> Response:
        """Give a conversation a name."""
        name = (await small_object(request)).get("name")
        if not isinstance(name, str):
            return error(UNREADABLE, 400)
        if not await asyncio.to_thread(self._conversations.rename, request.state.browser, conversation, name):
            return error(NOT_YOURS, 404)
        return JSONResponse({"renamed": conversation})

    async def remove(self, request: Request, conversation: Id) -> Response:
        """Delete a conversation; an answer that is being made in it is stopped first."""
        browser = request.state.browser
        if not await asyncio.to_thread(self._conversations.owns, browser, conversation):
            return error(NOT_YOURS, 404)
        running = self._answering.running(conversation)
        if running is not None:
            await self._answering.stop(running.id)
        await asyncio.to_thread(self._conversations.remove, browser, conversation)
        return JSONResponse({"removed": conversation})


class Turns:
    """Single answers of the browser that asks."""

    def __init__(self, conversations: Conversations, feedback: Feedback) -> None:
        self._conversations = conversations
        self._feedback = feedback

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/turns/{turn_id}/text", self.text)
        router.add_api_route("/turns/{turn_id}/found", self.found)
        router.add_api_route("/turns/{turn_id}/feedback", self.judge, methods=["POST"])
        return router

    def text(self, request: Request, turn_id: Id) -> Response:
        """An answer with its sources, to be pasted elsewhere."""
        turn = self._turn(request, turn_id)
        if turn is None:
            return error(NOT_YOURS, 404)
        return PlainTextResponse(turn_text(turn), headers={"cache-control": "private, no-store"})

    def found(self, request: Request, turn_id: Id, before: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query parameter
        """All candidates of an answer as a piece of HTML, in their order before reranking where `before` says so."""
        turn = self._turn(request, turn_id)
        if turn is None or turn.answer is None:
            return error(NOT_YOURS, 404)
        found = self._conversations.candidates(request.state.browser, turn_id)
        if not found:
            return error(NOT_KEPT, 404)
        return HTMLResponse(found_html(turn, turn.answer, found, reranked=not before))

    async def judge(self, request: Request, turn_id: Id) -> Response:
        """Keep what the reader says of an answer; an empty verdict takes an earlier one back."""
        said = await small_object(request)
        try:
            verdict = Verdict(said["verdict"]) if said.get("verdict") else None
            reason = Reason(said.get("reason", ""))
            note = str(said.get("note", ""))
        except ValueError:
            return error(UNREADABLE, 400)
        turn = await asyncio.to_thread(self._turn, request, turn_id)
        if turn is None:
            return error(NOT_YOURS, 404)
        if verdict is None:
            await asyncio.to_thread(self._feedback.withdraw, turn)
        else:
            await asyncio.to_thread(self._feedback.give, turn, verdict, reason, note)
        return JSONResponse({"verdict": verdict or ""})

    def _turn(self, request: Request, turn_id: str) -> StoredTurn | None:
        return self._conversations.turn(request.state.browser, turn_id)


async def small_object(request: Request, limit: int = BODY_LIMIT) -> dict[str, Any]:
    """The values of a JSON object of at most `limit` bytes; none where it is larger, or no object."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return {}
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):  # the latter: thousands of brackets within each other
        return {}
    return values if isinstance(values, dict) else {}

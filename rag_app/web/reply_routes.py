"""Our own addresses for replies to customers: what may be pasted, written by the language model, kept once copied."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from rag_app.conversations import Conversations, StoredTurn
from rag_app.team.replies import TEXT_LIMIT, Replies
from rag_app.team.reply import NO_MODEL, Length, Tone, Writer, answerable, plain_reply, reply
from rag_app.web.conversation_routes import NOT_YOURS, UNREADABLE, small_object
from rag_app.web.reply_html import reply_html
from rag_app.web.routes import Id, error

BODY_LIMIT = 8 * TEXT_LIMIT  # bytes; a character takes up to six in JSON
NO_ANSWER = "There is no answer with sources here that a reply could be made of."


class Replying:
    """Replies to the questions of whoever asks here."""

    def __init__(self, conversations: Conversations, replies: Replies, writer: Writer | None) -> None:
        """`writer` is None where no language model is configured."""
        self._conversations = conversations
        self._replies = replies
        self._writer = writer

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/turns/{turn_id}/reply", self.show)
        router.add_api_route("/turns/{turn_id}/reply", self.write, methods=["POST"])
        router.add_api_route("/turns/{turn_id}/replies", self.keep, methods=["POST"])
        return router

    def show(self, request: Request, turn_id: Id) -> Response:
        """The answer as it stands, to be copied, as a piece of HTML; no language model is asked."""
        turn = self._turn(request, turn_id)
        if turn is None or turn.answer is None:
            return error(NOT_YOURS, 404)
        if not answerable(turn):
            return error(NO_ANSWER, 409)
        made = plain_reply(turn.answer, NO_MODEL if self._writer is None else "")
        model = self._writer.model if self._writer is not None else ""
        return HTMLResponse(reply_html(turn, made, model, self._replies.of_turn(turn_id)))

    async def write(self, request: Request, turn_id: Id) -> Response:
        """A reply in the tone and length asked for, as JSON: text, notice, and the model that wrote it."""
        said = await small_object(request)
        try:
            tone, length = Tone(said.get("tone", Tone.NEUTRAL)), Length(said.get("length", Length.SHORT))
        except ValueError:
            return error(UNREADABLE, 400)
        turn = await asyncio.to_thread(self._turn, request, turn_id)
        if turn is None:
            return error(NOT_YOURS, 404)
        if not answerable(turn):
            return error(NO_ANSWER, 409)
        made = await reply(turn, self._writer, tone, length)
        return JSONResponse({"text": made.text, "notice": made.notice, "model": made.model})

    async def keep(self, request: Request, turn_id: Id) -> Response:
        """Keep what was copied beside its question."""
        said = await small_object(request, BODY_LIMIT)
        text, model = said.get("text"), said.get("model", "")
        if not isinstance(text, str) or not text.strip() or not isinstance(model, str):
            return error(UNREADABLE, 400)
        turn = await asyncio.to_thread(self._turn, request, turn_id)
        if turn is None:
            return error(NOT_YOURS, 404)
        wrote = model if self._writer is not None and model == self._writer.model else ""
        return JSONResponse({"kept": await asyncio.to_thread(self._replies.keep, turn_id, text, wrote)})

    def _turn(self, request: Request, turn_id: str) -> StoredTurn | None:
        return self._conversations.turn(request.state.browser, turn_id)

"""Our own addresses for what reranking does: an answer beside the one without it, and the guided tour."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from rag_app.conversations import Conversations, TurnState, stored
from rag_app.tour import TOUR
from rag_app.web.answering import Answering
from rag_app.web.compared_html import compared_html
from rag_app.web.desk import Desk
from rag_app.web.narrowed import narrowed
from rag_app.web.routes import NOTHING_HERE, Id, error
from rag_app.web.tour_html import NO_HANDBOOK, tour_html

NOT_YOURS = "This answer is not in one of your conversations, or it was deleted."
UNFINISHED = "This answer is not finished. Ask again, then compare."


class Reranking:
    """Shows the lift."""

    def __init__(self, desk: Desk, conversations: Conversations, answering: Answering) -> None:
        self._desk = desk
        self._conversations = conversations
        self._answering = answering

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/turns/{turn_id}/compared", self.compared)
        router.add_api_route("/tour/{number}", self.stop)
        return router

    async def compared(self, request: Request, turn_id: Id) -> Response:
        """A finished answer beside the one that the same question gets without reranking, as a piece of HTML."""
        turn = await asyncio.to_thread(self._conversations.turn, request.state.browser, turn_id)
        if turn is None or turn.answer is None:
            return error(NOT_YOURS, 404)
        if turn.state is not TurnState.DONE:
            return error(UNFINISHED, 409)
        other = stored(await self._answering.unreranked(turn, narrowed(self._desk, request.state.who).ask))
        return HTMLResponse(compared_html(turn, turn.answer, other))

    def stop(self, request: Request, number: int) -> Response:
        """One question of the tour, searched for now, as a piece of HTML."""
        if not 0 <= number < len(TOUR):
            return error(NOTHING_HERE, 404)
        answer = narrowed(self._desk, request.state.who).search_handbook(TOUR[number].question)
        return HTMLResponse(tour_html(number, answer)) if answer.hits else error(NO_HANDBOOK, 404)

"""/v1: chat completions and models, as any OpenAI client asks for them."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from ingest.errors import RagError
from rag_app.as_json import plain
from rag_app.records import Answer, Mode, Stage
from rag_app.web.answering import log_fault
from rag_app.web.api_door import OpenAIRoute, nobody_reads, while_there
from rag_app.web.chat_completions import (
    END,
    PREFIX,
    Reply,
    comment,
    completion,
    content_of,
    event,
    evidence_of,
    models,
    piece,
    question_of,
    read_by,
    spaces_of,
    usage,
    usage_piece,
)
from rag_app.web.openai_models import ChatRequest, Completion, Model, Models, OpenAIFailed
from rag_app.web.programs import Asked, Caller, Growing, Programs
from rag_app.web.refusal import Detail, RequestRefused, as_openai, nothing_there, of_error

SSE = "text/event-stream"
REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIFailed, "description": told}
    for status, told in {
        400: "The request does not fit; the message says where.",
        401: "A key that is good is needed.",
        404: "There is no such model for this key.",
        413: "The request is too large.",
        422: "It could not be done; the message says why.",
        429: "Too many questions are waiting; Retry-After says when to ask again.",
    }.items()
}


class ChatCompletions:
    """Answers OpenAI's clients."""

    def __init__(
        self, programs: Programs, caller: Callable[[Request], Caller], pieces: Callable[[str], int], *, whole: bool
    ) -> None:
        """`pieces` counts word pieces; `whole`: a text is sent only when it is checked, because sentences may go."""
        self._programs = programs
        self._caller = caller
        self._pieces = pieces
        self._whole = whole
        self._began = int(time.time())

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter(prefix="/v1", route_class=OpenAIRoute, tags=["OpenAI"])
        answered: dict[int | str, dict[str, Any]] = {
            200: {
                "model": Completion,
                "description": "The answer, or its pieces where `stream` is true.",
                "content": {SSE: {}},
            }
        }
        router.add_api_route(
            "/chat/completions", self.complete, methods=["POST"], responses=answered | REFUSED, response_model=None
        )
        router.add_api_route("/models", self.models, response_model=Models, responses=_only(401))
        router.add_api_route("/models/{model:path}", self.model, response_model=Model, responses=_only(401, 404))
        return router

    def models(self, request: Request) -> dict[str, Any]:
        """What may be asked: `rag`, all spaces of the caller, and each of them alone."""
        return {"object": "list", "data": models(self._caller(request).spaces(), self._began)}

    def model(self, request: Request, model: str) -> dict[str, Any]:
        """One of them."""
        for known in models(self._caller(request).spaces(), self._began):
            if known["id"] == model:
                return known
        raise nothing_there(
            f"There is no model {model[:100]!r}. GET /v1/models lists them.", param="model", code="model_not_found"
        )

    async def complete(self, request: Request, body: ChatRequest) -> Response:
        """Answer the last message from the documents, with the earlier ones as its conversation."""
        caller = await asyncio.to_thread(self._caller, request)
        spaces = spaces_of(body.model, await asyncio.to_thread(caller.spaces))
        question, turns = question_of(body.messages)
        asked = Asked(question, turns, spaces, store=body.store is not False)
        answers = self._programs.ask(caller, asked)
        if body.stream:
            first = await while_there(request, _next(answers))
            if first is None:
                return nobody_reads()
            return StreamingResponse(self._stream(body, first, answers), media_type=SSE, headers=_UNBUFFERED)
        growing = await while_there(request, _last(answers))
        if growing is None:
            return nobody_reads()
        counted = await asyncio.to_thread(self._counted, body, growing.answer)
        return JSONResponse(completion(_reply(body, growing), growing.answer, counted))

    async def _stream(
        self, body: ChatRequest, first: Growing, answers: AsyncGenerator[Growing, None]
    ) -> AsyncIterator[str]:
        """The pieces of an answer; closes `answers` in any case."""
        reply = _reply(body, first)
        async with aclosing(answers):
            yield event(piece(reply, {"role": "assistant", "content": ""}))
            try:
                async for told in self._told(body, reply, first, answers):
                    yield told
            except RagError as error:
                yield event(as_openai(of_error(error)))
            except Exception as error:  # noqa: BLE001 - logged under the reference that the sentence names
                fault = log_fault("streaming an answer", error)
                yield event(as_openai(RequestRefused(fault, Detail(500, "error"))))

    async def _told(
        self, body: ChatRequest, reply: Reply, first: Growing, answers: AsyncIterator[Growing]
    ) -> AsyncIterator[str]:
        sent, stage, answer = "", first.answer.stage, first.answer
        yield comment(stage)
        async for growing in answers:
            answer = growing.answer
            if answer.stage is not stage:
                stage = answer.stage
                yield comment(stage)
            text = "" if self._whole else _shown(answer)
            if len(text) > len(sent) and text.startswith(sent):
                yield event(piece(reply, {"content": text[len(sent) :]}))
                sent = text
        rest = _rest(sent, content_of(answer))
        if rest:
            yield event(piece(reply, {"content": rest}))
        yield event(piece(reply, evidence_of(answer), finished=True))
        if body.stream_options is not None and body.stream_options.include_usage:
            yield event(usage_piece(reply, await asyncio.to_thread(self._counted, body, answer)))
        yield END

    def _counted(self, body: ChatRequest, answer: Answer) -> dict[str, int]:
        return usage(self._pieces(read_by(body, answer)), self._pieces(content_of(answer)))


_UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the latter is for nginx


def _only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: REFUSED[status] for status in statuses}


def _reply(body: ChatRequest, growing: Growing) -> Reply:
    return Reply(PREFIX + (growing.turn or uuid.uuid4().hex), int(time.time()), body.model)


async def _next(answers: AsyncGenerator[Growing, None]) -> Growing:
    return await anext(answers)


async def _last(answers: AsyncGenerator[Growing, None]) -> Growing:
    async with aclosing(answers):
        return [growing async for growing in answers][-1]


def _shown(answer: Answer) -> str:
    """Of a growing answer the text that will not change; a quoted one may still end in one of two stars."""
    text = plain(answer) if answer.stage in {Stage.WRITING, Stage.CHECKING, Stage.DONE} else ""
    return text.rstrip("*" if answer.mode is Mode.EXTRACTIVE else "").rstrip()


def _rest(sent: str, whole: str) -> str:
    """What of the finished text is still to be sent; all of it anew where it does not go on from what was."""
    return whole[len(sent) :] if whole.startswith(sent) else f"\n\n{whole}"

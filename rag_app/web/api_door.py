"""The door for other programs: small bodies, a key where one is needed, and failures in words."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message

from ingest.errors import RagError
from rag_app.access import Who
from rag_app.team.keys import LOCAL, MARK, Keys, public_part
from rag_app.web.answering import log_fault
from rag_app.web.refusal import (
    BODY_LIMIT,
    CLIENT_GONE,
    Detail,
    RequestRefused,
    as_json,
    as_openai,
    headers_of,
    needs_key,
    of_error,
    too_large,
    unreadable,
    wrong,
)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
T = TypeVar("T")


class Door:
    """Says who asks. A cookie opens nothing here, so that no page of another site can ask in somebody's name."""

    def __init__(self, keys: Keys, *, is_open: Callable[[], bool]) -> None:
        """`is_open`: nobody needs a key now, because only this computer can ask and nobody is registered."""
        self._keys = keys
        self._is_open = is_open

    def who(self, request: Request) -> Who:
        """Whom a request is for. Raises RequestRefused without a good key where one is needed.

        Where none is needed, whatever a client sends as its key is ignored, as most clients must send one; but a key of
        ours has to be good.
        """
        secret = _secret(request)
        who = self._keys.who(secret) if secret.startswith(MARK) else None
        if who is None and (secret.startswith(MARK) or not self._is_open()):
            raise needs_key()
        return who or Who(LOCAL)

    @staticmethod
    def key(request: Request) -> str:
        """The public part of the key of a request that was let in; "" where it came without one of ours."""
        return public_part(_secret(request))


def _secret(request: Request) -> str:
    """What a client sends as its key; "" where it sends none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class JsonRoute(APIRoute):
    """A route of /api: its JSON body is small, and whatever fails is answered in words."""

    said: ClassVar[Callable[[RequestRefused], dict[str, Any]]] = staticmethod(as_json)

    def get_route_handler(self) -> Handler:
        """What FastAPI calls, with our limits around it."""
        inner, reads_json = super().get_route_handler(), self.body_field is not None

        async def handler(request: Request) -> Response:
            try:
                return await inner(await _small(request) if reads_json else request)
            except RequestValidationError as error:
                refused = wrong(error.errors())
            except HTTPException:  # what FastAPI makes of thousands of brackets within each other, and of broken UTF-8
                refused = unreadable("it is no JSON that can be read, or it is nested too deeply")
            except RagError as error:
                refused = of_error(error)
            except Exception as error:  # noqa: BLE001 - logged under the reference that the sentence names
                refused = RequestRefused(log_fault("a request of a program", error), Detail(500, "error"))
            return self.refusal(refused)

        return handler

    def refusal(self, refused: RequestRefused) -> Response:
        """What a program is answered that is refused."""
        return JSONResponse(type(self).said(refused), refused.detail.status, headers_of(refused))


class OpenAIRoute(JsonRoute):
    """A route of /v1: failures have the shape that OpenAI's clients read."""

    said: ClassVar[Callable[[RequestRefused], dict[str, Any]]] = staticmethod(as_openai)


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Do `work`, and stop it when the client hangs up: then None."""
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def nobody_reads() -> Response:
    """What is answered to a client that hung up."""
    return Response(status_code=CLIENT_GONE)


async def _gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _small(request: Request) -> Request:
    """The request with its body read, which is no longer than BODY_LIMIT. Raises RequestRefused."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and len(announced) < 20 and int(announced) > BODY_LIMIT:  # noqa: PLR2004 - 64 bits
        raise too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise too_large()
    if not body:
        raise unreadable("it has no body")
    given: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def receive() -> Message:
        return given.pop() if given else await request.receive()

    return Request(request.scope, receive)

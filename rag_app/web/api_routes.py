"""/api: questions, searches, documents, jobs and feedback for other programs, in the JSON that the commands print."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse

from rag_app.as_json import of_answer, of_document, of_hit
from rag_app.conversations import Conversations
from rag_app.feedback import Feedback, Reason, Verdict
from rag_app.records import Turn
from rag_app.team.audit import Audit
from rag_app.web.api_door import JsonRoute, nobody_reads, while_there
from rag_app.web.api_models import (
    Accepted,
    Answered,
    Documents,
    Failed,
    Found,
    Jobs,
    Judged,
    Judgement,
    Question,
    Removed,
    Search,
    Taken,
)
from rag_app.web.chat_completions import PREFIX
from rag_app.web.programs import Asked, Caller, Growing, Programs
from rag_app.web.refusal import Detail, RequestRefused, nothing_there
from rag_app.web.routes import GONE, find, job_values
from rag_app.web.uploads import UploadRefused, receive, waiting_room

NO_TURN = "There is no answer with this id that was given to you, or it was deleted."
TOLD = {
    400: "The request does not fit; the message says where.",
    401: "A key that is good is needed.",
    403: "The key's person may see this, but not change it.",
    404: "What was named is not there, or not for this key.",
    413: "The request is too large.",
    415: "The file is not sent as multipart/form-data.",
    422: "It could not be done; the message says why.",
    429: "Too many questions are waiting; Retry-After says when to ask again.",
}
Space = Annotated[str, Query(min_length=1, max_length=80, description="the usual one where it is left out")]
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How an address may refuse, for OpenAPI."""
    return {status: {"model": Failed, "description": TOLD[status]} for status in statuses}


class Questions:
    """Answers, searches and what is said of answers."""

    def __init__(
        self,
        programs: Programs,
        caller: Callable[[Request], Caller],
        conversations: Conversations,
        feedback: Feedback,
    ) -> None:
        self._programs = programs
        self._caller = caller
        self._conversations = conversations
        self._feedback = feedback

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter(prefix="/api", route_class=JsonRoute, tags=["Questions"])
        asking = refusals(400, 401, 404, 413, 422, 429)
        router.add_api_route("/ask", self.ask, methods=["POST"], response_model=Answered, responses=asking)
        router.add_api_route("/search", self.search, methods=["POST"], response_model=Found, responses=asking)
        judging = refusals(400, 401, 404, 413)
        router.add_api_route("/feedback", self.judge, methods=["POST"], response_model=Judged, responses=judging)
        return router

    async def ask(self, request: Request, body: Question) -> Any:  # noqa: ANN401 - a dict, or an answer nobody reads
        """Answer a question from the documents, with all evidence."""
        caller = await self._checked(request, body.spaces)
        turns = [Turn(turn.question, turn.answer) for turn in body.turns]
        asked = Asked(body.question, turns, body.spaces, rerank=body.rerank, store=body.store)
        growing = await while_there(request, _last(self._programs.ask(caller, asked)))
        if growing is None:
            return nobody_reads()
        return {"id": growing.turn or None, **of_answer(growing.answer)}

    async def search(self, request: Request, body: Search) -> Any:  # noqa: ANN401 - as above
        """Find the candidates for a question, best first, without an answer. Nothing is kept of it."""
        caller = await self._checked(request, body.spaces)
        work = self._programs.search(caller, body.question, body.spaces, rerank=body.rerank)
        answer = await while_there(request, work)
        return nobody_reads() if answer is None else {"hits": [of_hit(hit) for hit in answer.hits]}

    def judge(self, request: Request, body: Judgement) -> dict[str, Any]:
        """Keep what somebody thinks of an answer, in the place of an earlier verdict."""
        owner = self._caller(request).owner
        turn = self._conversations.turn(owner, body.id.removeprefix(PREFIX))
        if turn is None or turn.answer is None:
            raise nothing_there(NO_TURN, param="id")
        if body.verdict:
            self._feedback.give(turn, Verdict(body.verdict), Reason(body.reason), body.note)
        else:
            self._feedback.withdraw(turn)
        return {"verdict": body.verdict}

    async def _checked(self, request: Request, spaces: list[str] | None) -> Caller:
        caller = await asyncio.to_thread(self._caller, request)
        await asyncio.to_thread(caller.check, spaces)
        return caller


class Shelves:
    """Documents in and out, and how far they are."""

    def __init__(
        self,
        caller: Callable[[Request], Caller],
        audit: Audit,
        incoming: Path,
        max_upload_mb: int,
        forget: Callable[[str], None],
    ) -> None:
        """`forget` drops what is remembered of a document (its id) that is gone."""
        self._caller = caller
        self._audit = audit
        self._forget = forget
        self._incoming = incoming
        self._max_upload_mb = max_upload_mb

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter(prefix="/api", route_class=JsonRoute, tags=["Documents"])
        router.add_api_route("/documents", self.listed, response_model=Documents, responses=refusals(400, 401, 404))
        router.add_api_route(
            "/documents",
            self.add,
            methods=["POST"],
            status_code=202,
            response_model=Accepted,
            responses={
                **refusals(400, 401, 403, 413, 415, 422),
                409: {"model": Taken, "description": "The name is taken."},
            },
            openapi_extra=FILE,
        )
        router.add_api_route(
            "/documents/{document_id}",
            self.remove,
            methods=["DELETE"],
            response_model=Removed,
            responses=refusals(400, 401, 403, 404, 422),
        )
        router.add_api_route("/jobs", self.jobs, response_model=Jobs, responses=refusals(401))
        return router

    def listed(self, request: Request, space: Space | None = None) -> dict[str, Any]:
        """The documents that the caller may read, of all their spaces or of one."""
        caller = self._caller(request)
        caller.check(None if space is None else [space])
        documents = [one for one in caller.desk.documents() if space in {None, one.space}]
        return {"documents": [of_document(document) for document in documents]}

    async def add(self, request: Request, space: Space | None = None, replace: bool | None = None) -> Any:  # noqa: ANN401, FBT001 - a dict or a Response; a query parameter
        """Take a file in: 202 with its job, or 409 when its name is taken and `replace` does not say what to do."""
        caller = await asyncio.to_thread(self._caller, request)
        with waiting_room(self._incoming) as path:
            try:
                name = await receive(request, path, self._max_upload_mb)
            except UploadRefused as refusal:
                raise RequestRefused(str(refusal), Detail(refusal.status)) from refusal
            upload = await asyncio.to_thread(caller.desk.add_upload, path, name, replace, space or "")
        if upload.existing is not None:
            there = upload.existing
            existing = {"document_id": there.id, "title": there.title, "added": there.added}
            return JSONResponse({"existing": existing}, 409)
        assert upload.job is not None
        await asyncio.to_thread(self._audit.note, caller.who, "upload", name, f"space {upload.job.space}, with a key")
        return {"job": job_values(upload.job)}

    def remove(self, request: Request, document_id: Id) -> dict[str, Any]:
        """Take a document out, with its passages and original."""
        caller = self._caller(request)
        document = find(caller.desk, document_id)
        if document is None:
            raise nothing_there(GONE)
        caller.desk.remove(document_id)
        self._forget(document_id)
        self._audit.note(caller.who, "remove", document.title, f"{document.id}, space {document.space}, with a key")
        return {"removed": of_document(document)}

    def jobs(self, request: Request) -> dict[str, Any]:
        """How far the files on their way in are, and how the last ones ended; newest first."""
        return {"jobs": [job_values(job) for job in self._caller(request).desk.jobs()]}


async def _last(answers: AsyncGenerator[Growing, None]) -> Growing:
    async with aclosing(answers):
        return [growing async for growing in answers][-1]

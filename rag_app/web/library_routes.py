"""Addresses of the library page beside uploads: what was not read of a document, folders of the server, files again."""

import asyncio
import json

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from ingest.errors import RagError
from rag_app.access import Forbidden, Role, manages, may
from rag_app.team.audit import Audit
from rag_app.web.desk import Desk
from rag_app.web.folders_html import folders_html
from rag_app.web.library_html import health_html
from rag_app.web.narrowed import NOT_EDITOR, narrowed
from rag_app.web.office import Office
from rag_app.web.routes import GONE, Id, error, failed, find

BODY_LIMIT = 16_000  # bytes that name a folder
MANAGERS_ONLY = "Folders of the server are imported by administrators. Ask one, or send the files themselves."
NO_LONGER_HERE = "This file is no longer at hand. Choose it again."


class Stacks:
    """What is behind the library page."""

    def __init__(self, desk: Desk, office: Office, audit: Audit) -> None:
        self._desk = desk
        self._office = office
        self._audit = audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/documents/{document_id}/health", self.health)
        router.add_api_route("/imports", self.folders)
        router.add_api_route("/imports", self.take_in, methods=["POST"])
        router.add_api_route("/jobs/{job_id}/retry", self.retry, methods=["POST"])
        return router

    def health(self, request: Request, document_id: Id) -> Response:
        """What could not be taken out of a document, as a piece of HTML."""
        document = find(narrowed(self._desk, request.state.who), document_id)
        return error(GONE, 404) if document is None else HTMLResponse(health_html(document))

    def folders(self, request: Request) -> Response:
        """The folders that may be imported, as a piece of HTML."""
        if not manages(request.state.who):
            return error(MANAGERS_ONLY, 403, Forbidden.kind)
        try:
            return HTMLResponse(folders_html(self._office.folders()))
        except RagError as failure:
            return failed(failure)

    async def take_in(self, request: Request) -> Response:
        """Begin to take in a folder: 202 with the number of its files."""
        if not manages(request.state.who):
            return error(MANAGERS_ONLY, 403, Forbidden.kind)
        folder = _named(await _body(request))
        if folder is None:
            return error("Name a folder.", 400)
        try:
            files = await asyncio.to_thread(self._office.import_folder, folder)
        except RagError as failure:
            return failed(failure)
        await asyncio.to_thread(self._audit.note, request.state.who, "import", folder or "import", f"{files} files")
        return JSONResponse({"files": files}, 202)

    def retry(self, request: Request, job_id: int) -> Response:
        """Take a file in again: 202, or 410 where only the person has it, or the job is not theirs to see."""
        who = request.state.who
        if who.roles is not None:
            job = next((one for one in narrowed(self._desk, who).jobs() if one.id == job_id), None)
            if job is None:
                return error(NO_LONGER_HERE, 410)
            if not may(who, Role.EDITOR, job.space):
                return error(NOT_EDITOR.format(space=job.space), 403, Forbidden.kind)
        try:
            begun = self._office.retry(job_id)
        except RagError as failure:
            return failed(failure)
        return JSONResponse({"begun": True}, 202) if begun else error(NO_LONGER_HERE, 410)


async def _body(request: Request) -> bytes:
    """What a request carries; nothing where that is more than names a folder."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            return b""
    return body


def _named(body: bytes) -> str | None:
    """The folder that a request names, or None."""
    try:
        folder = json.loads(body)["folder"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return folder if isinstance(folder, str) else None

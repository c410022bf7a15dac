"""Our own addresses: page images, originals, uploads, jobs. No path is ever made from what a person sent.

Each works on the desk as the person of its request sees it.
"""

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from ingest.errors import RagError
from ingest.records import Document, Job, PageImage
from rag_app.access import Forbidden
from rag_app.conversations import Conversations
from rag_app.records import Citation
from rag_app.team.approved import Approved
from rag_app.team.audit import Audit
from rag_app.web.approved_html import answer_view_html
from rag_app.web.desk import Desk
from rag_app.web.library_html import viewer_html
from rag_app.web.narrowed import narrowed
from rag_app.web.people import People
from rag_app.web.receipt import deleted
from rag_app.web.uploads import UploadRefused, receive, waiting_room

WIDTHS = (600, 900, 1200, 1800)  # pixels a page may be asked for in
PAGES_KEPT = 24  # page images kept in memory
GONE = "This document is no longer in the library."
NOTHING_HERE = "There is nothing at this address."
STATIC = Path(__file__).parent / "static"
STATIC_KINDS = {
    "app.css": "text/css",
    "chat.css": "text/css",
    "evidence.css": "text/css",
    "app.js": "text/javascript",
    "conversations.js": "text/javascript",
    "library.js": "text/javascript",
    "pages.css": "text/css",
    "citations.js": "text/javascript",
    "lasting.js": "text/javascript",
    "reply.js": "text/javascript",
    "inbox.js": "text/javascript",
    "inbox.css": "text/css",
    "team.css": "text/css",
    "share.js": "text/javascript",
    "shared.css": "text/css",
    "spaces.js": "text/javascript",
}

Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
PageNumber = Annotated[int, InPath(ge=1, le=1_000_000)]


class Pages:
    """Page images, the last few kept. Whoever asks has looked before whether the document may be read."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int, str, int], PageImage] = OrderedDict()
        self._lock = Lock()

    def image(
        self, desk: Desk, document_id: str, page: int, *, width: int, quote: str = "", near: int = 0
    ) -> PageImage:
        """A page as a picture. Raises RagError when it cannot be drawn."""
        key = (document_id, page, width, quote, near)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        image = desk.page_image(document_id, page, quote=quote, near=near, width=width)
        with self._lock:
            # The picture is the same with and without a quote.
            for place in (key, (document_id, page, width, "", 0)):
                self._kept.setdefault(place, image)
            while len(self._kept) > PAGES_KEPT:
                self._kept.popitem(last=False)
        return image

    def forget(self, document_id: str) -> None:
        """Drop the pages of a document."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == document_id]:
                del self._kept[key]


def error(sentence: str, status: int, kind: str = "refused") -> JSONResponse:
    """A failure in the shape of `--json` errors."""
    return JSONResponse({"error": {"kind": kind, "message": sentence}}, status)


def failed(failure: RagError) -> JSONResponse:
    """A failure of the application in its own words: 403 where it is not for this person, otherwise 422."""
    return error(str(failure), 403 if isinstance(failure, Forbidden) else 422, failure.kind)


def job_values(job: Job) -> dict[str, object]:
    """A job as JSON."""
    return {
        "id": job.id,
        "path": job.path,
        "state": job.state,
        "reason": job.reason,
        "document_id": job.document_id,
        "pages_done": job.pages_done,
        "pages": job.pages,
        "chunks_done": job.chunks_done,
        "chunks": job.chunks,
        "seconds": round(job.seconds, 3),
    }


class FrontDoor:
    """Health and our few static files."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/healthz", self.healthz)
        router.add_api_route("/ui/{name}", self.static)
        return router

    def healthz(self) -> dict[str, object]:
        """Whether the server answers; counts only where everybody may see them."""
        if self._people.login_needed:
            return {"ok": True}
        status = self._desk.status()
        return {"ok": True, "documents": status.documents, "passages": status.passages}

    def static(self, name: str) -> Response:
        """A style sheet or a script."""
        if name not in STATIC_KINDS:
            return error(NOTHING_HERE, 404)
        return FileResponse(STATIC / name, media_type=STATIC_KINDS[name], headers={"cache-control": "no-cache"})


class Reading:
    """Pages as pictures and the originals they come from."""

    def __init__(self, desk: Desk, conversations: Conversations, pages: Pages, approved: Approved) -> None:
        self._desk = desk
        self._conversations = conversations
        self._pages = pages
        self._approved = approved

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/documents/{document_id}/pages/{page}.png", self.page_image)
        router.add_api_route("/documents/{document_id}/view", self.view)
        router.add_api_route("/documents/{document_id}/original", self.original)
        router.add_api_route("/turns/{turn_id}/sources/{index}", self.source)
        return router

    def page_image(self, request: Request, document_id: Id, page: PageNumber, w: int = 1200) -> Response:
        """A page as a PNG, at least `w` pixels wide where that is among the widths."""
        desk = self._seen(request)
        document = find(desk, document_id)
        if document is None or page > document.pages:
            return error("This page is not in the library.", 404)
        width = next((known for known in WIDTHS if known >= w), WIDTHS[-1])
        try:
            image = self._pages.image(desk, document_id, page, width=width)
        except RagError as failure:
            return failed(failure)
        return Response(image.png, media_type="image/png", headers={"cache-control": "private, max-age=3600"})

    def view(self, request: Request, document_id: Id, page: int = 1) -> Response:
        """A page of a document as a piece of HTML."""
        return self._viewer(request, (document_id, page), None, f"/documents/{document_id}/view")

    def source(self, request: Request, turn_id: Id, index: int, page: int = 0) -> Response:
        """A page of a source of one of this browser's answers, as a piece of HTML."""
        turn = self._conversations.turn(request.state.browser, turn_id)
        sources = turn.answer.sources if turn is not None and turn.answer is not None else ()
        if not 0 <= index < len(sources):
            return error("This source is not in one of your conversations.", 404)
        cited = sources[index]
        where = (cited.document_id, page or cited.page)
        return self._viewer(request, where, cited, f"/turns/{turn_id}/sources/{index}")

    def original(self, request: Request, document_id: Id) -> Response:
        """The file itself, to be saved."""
        desk = self._seen(request)
        document = find(desk, document_id)
        if document is None:
            return error(GONE, 404)
        name = document.path.replace("\\", "/").rsplit("/", 1)[-1] or "document.pdf"
        return FileResponse(
            desk.original(document_id),
            media_type="application/octet-stream",
            filename="".join(character if character.isprintable() else "_" for character in name),
            headers={"cache-control": "private, no-store"},
        )

    def _seen(self, request: Request) -> Desk:
        return narrowed(self._desk, request.state.who)

    def _viewer(self, request: Request, where: tuple[str, int], cited: Citation | None, address: str) -> Response:
        """A page (document and number) with the boxes of what was cited, where it is this page."""
        (document_id, page), desk = where, self._seen(request)
        document = find(desk, document_id)
        if document is None:
            return error(f"{GONE} The passage in the evidence is what it said.", 404)
        behind = self._approved.behind(document.path)
        if behind is not None:
            return HTMLResponse(answer_view_html(behind, frozenset(one.id for one in desk.documents())))
        page = min(max(page, 1), document.pages)
        quote, near, label = place(cited) if cited is not None and page == cited.page else ("", 0, "")
        try:
            image = self._pages.image(desk, document_id, page, width=WIDTHS[2], quote=quote, near=near)
        except RagError as failure:
            return failed(failure)
        return HTMLResponse(viewer_html(document, page, label, image, address=address, quote=quote))


class Shelf:
    """Files in, files out, and how far they are."""

    def __init__(self, desk: Desk, pages: Pages, audit: Audit, incoming: Path, max_upload_mb: int) -> None:
        self._desk = desk
        self._audit = audit
        self._pages = pages
        self._incoming = incoming
        self._max_upload_mb = max_upload_mb

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/documents", self.add, methods=["POST"])
        router.add_api_route("/documents/{document_id}", self.remove, methods=["DELETE"])
        router.add_api_route("/jobs", self.jobs)
        router.add_api_route("/jobs/{job_id}/cancel", self.cancel, methods=["POST"])
        return router

    async def add(self, request: Request, replace: bool | None = None, space: str = "") -> Response:  # noqa: FBT001 - a query parameter
        """Take a file in: 202 with its job, or 409 when its name is taken and `replace` does not say what to do."""
        desk = narrowed(self._desk, request.state.who)
        with waiting_room(self._incoming) as path:
            try:
                name = await receive(request, path, self._max_upload_mb)
                upload = await asyncio.to_thread(desk.add_upload, path, name, replace, space)
            except UploadRefused as refusal:
                return error(str(refusal), refusal.status)
            except RagError as failure:
                return failed(failure)
        if upload.existing is not None:
            there = upload.existing
            body = {"existing": {"document_id": there.id, "title": there.title, "added": there.added}}
            return JSONResponse(body, 409)
        assert upload.job is not None
        await asyncio.to_thread(self._audit.note, request.state.who, "upload", name, f"space {upload.job.space}")
        return JSONResponse({"job": job_values(upload.job)}, 202)

    def jobs(self, request: Request) -> dict[str, object]:
        """Files on their way and lately ended, newest first."""
        return {"jobs": [job_values(job) for job in narrowed(self._desk, request.state.who).jobs()]}

    def cancel(self, request: Request, job_id: int) -> Response:
        """Stop taking a file in."""
        desk = narrowed(self._desk, request.state.who)
        if all(job.id != job_id for job in desk.jobs()):
            return error("This file is not being added any more.", 404)
        try:
            desk.cancel(job_id)
        except RagError as failure:
            return failed(failure)
        return JSONResponse({"cancelled": job_id})

    def remove(self, request: Request, document_id: Id) -> Response:
        """Take a document out."""
        desk = narrowed(self._desk, request.state.who)
        document = find(desk, document_id)
        if document is None:
            return error(GONE, 404)
        try:
            desk.remove(document_id)
        except RagError as failure:
            return failed(failure)
        self._pages.forget(document_id)
        self._audit.note(request.state.who, "remove", document.title, f"{document.id}, space {document.space}")
        held = desk.documents()
        if any(one.id == document_id for one in held):
            return error("This document is still here. Try again.", 500)
        sharing = sum(one.content == document.content for one in held)
        return JSONResponse(deleted(document, sharing, datetime.now(UTC)))


def find(desk: Desk, document_id: str) -> Document | None:
    """The document with this id, or None."""
    return next((document for document in desk.documents() if document.id == document_id), None)


def place(cited: Citation) -> tuple[str, int, str]:
    """What to look for on the cited page, near which character of its text, and the page's label."""
    near = cited.near or 0
    quote = cited.quote or cited.passage
    if cited.near is None and cited.page == cited.first_page:
        near = cited.start + max(0, cited.passage.find(quote))
    return quote, near, cited.label

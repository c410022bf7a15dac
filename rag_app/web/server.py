"""The web application: our routes, the Gradio pages, and the guard around both."""

import asyncio
import logging
import os
import socket
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from ingest.errors import SettingsError
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations
from rag_app.feedback import Feedback
from rag_app.team.replies import Replies
from rag_app.unanswered import Unanswered
from rag_app.web.answering import Answering
from rag_app.web.conversation_routes import History, Turns
from rag_app.web.desk import Desk
from rag_app.web.guard import Guard
from rag_app.web.library_routes import Stacks
from rag_app.web.office import Office
from rag_app.web.people import People, check_exposure, is_loopback, stored_secret
from rag_app.web.reply_routes import Replying
from rag_app.web.reranking_routes import Reranking
from rag_app.web.routes import NOTHING_HERE, FrontDoor, Pages, Reading, Shelf, error

if TYPE_CHECKING:
    import gradio

WAITING_EVENTS = 256  # events Gradio may hold before it says it is busy
STOP_S = 5  # seconds that open connections get when the server ends

NOTHING = Office()  # no figures, no folders of the server

logger = logging.getLogger(__name__)


def create_app(
    desk: Desk,
    office: Office = NOTHING,
    *,
    home: Path,
    password: str = "",
    secret: bytes | None = None,
    max_upload_mb: int = 200,
    host: str = "127.0.0.1",
    port: int = 7860,
) -> FastAPI:
    """The application over `desk`, with its state in `home`; `secret` signs cookies and is kept in the home when None.

    Raises SettingsError when others could reach `host` without a password, LibraryError when app.db is too new.
    """
    check_exposure(host, password)
    people = People(secret or stored_secret(home), password)
    database = AppDatabase(home / "app.db")
    conversations, replies = Conversations(database), Replies(database)
    answering = Answering(desk.ask, conversations)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await answering.close()
            await asyncio.to_thread(database.close)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(desk)
    for routes in (
        FrontDoor(desk, people),
        Reading(desk, conversations, pages),
        Shelf(desk, pages, _swept(home / "uploads"), max_upload_mb),
        Stacks(desk, office),
        History(conversations, answering, replies),
        Replying(conversations, replies, desk.writer),
        Turns(conversations, Feedback(database)),
        Reranking(desk, conversations, answering),
    ):
        app.include_router(routes.router())
    app.add_exception_handler(RequestValidationError, _not_here)
    made = _pages(desk, conversations, answering, people, (office, Unanswered(database)))
    _in_a_loop(lambda: _mount_pages(app, people, made, host=host, port=port))
    app.add_middleware(Guard, people=people, loopback=is_loopback(host))
    return app


def _pages(
    desk: Desk,
    conversations: Conversations,
    answering: Answering,
    people: People,
    measured: tuple[Office, Unanswered],
) -> Callable[[], "gradio.Blocks"]:
    def made() -> "gradio.Blocks":
        from rag_app.web.pages.site import site

        return site(desk, conversations, answering, people, *measured)

    return made


def _in_a_loop(mount: Callable[[], None]) -> None:
    """Call `mount` while an event loop runs: without one Gradio opens a loop for each of its locks and closes none."""

    async def mounting() -> None:
        mount()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(mounting())
    else:
        mount()


def _mount_pages(app: FastAPI, people: People, pages: Callable[[], "gradio.Blocks"], *, host: str, port: int) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read by Gradio when Blocks are made; it would look up hosts
    import gradio

    from rag_app.web.theme import HEAD, theme

    def person(request: Request) -> str | None:
        return str(request.scope["state"]["browser"]) if people.signed_in(request.cookies) else None

    with warnings.catch_warnings():
        # It says that several pages rule out a mode that is not asked for.
        warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
        gradio.mount_gradio_app(
            app,
            pages().queue(max_size=WAITING_EVENTS, default_concurrency_limit=16, api_open=False),
            path="/",
            server_name=host,
            server_port=port,
            footer_links=[],
            run_history=False,
            show_error=False,
            max_file_size="1kb",  # nothing is uploaded through Gradio
            ssr_mode=False,
            enable_monitoring=False,
            mcp_server=False,
            theme=theme(),
            head=HEAD,
            auth_dependency=person,
        )


async def _not_here(_request: Request, _error: Exception) -> Response:
    return error(NOTHING_HERE, 404)


def _swept(incoming: Path) -> Path:
    """The folder, without uploads that a server that died left there; the home has one owner, so nobody else writes."""
    if incoming.is_dir():
        for path in incoming.iterdir():
            path.unlink()
    return incoming


def check_address(host: str, port: int) -> None:
    """Raise SettingsError when the address cannot be had, before anything is done that takes time."""
    _listening(host, port).close()


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until interrupted, announcing the address on stdout; open answers are ended as cut off.

    Raises SettingsError when the address cannot be had.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sys.stdout.write(f"Ready on http://{f'[{host}]' if ':' in host else host}:{port}\n")
            sys.stdout.flush()

    config = uvicorn.Config(
        app, workers=1, log_level="warning", timeout_graceful_shutdown=STOP_S, server_header=False, lifespan="on"
    )
    with _listening(host, port) as listener:
        Server(config).run([listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as failure:
        raise SettingsError(
            f"{host}:{port} cannot be listened on: {failure.strerror}. Stop what uses it, or set RAG_PORT to another."
        ) from failure

"""The web application: our routes, the Gradio pages, and the guard around both."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from ingest.errors import SettingsError
from rag_app.team.entrance import Entrance
from rag_app.team.inbox import Inbox
from rag_app.team.keys import Keys
from rag_app.team.openid import Provider
from rag_app.team.people import Roster
from rag_app.team.report import Reports, to_look_at
from rag_app.web.answering import Answering
from rag_app.web.audit_routes import Logbook
from rag_app.web.conversation_routes import History, Turns
from rag_app.web.desk import Desk
from rag_app.web.guard import Guard
from rag_app.web.inbox_routes import Working
from rag_app.web.interface import Interface, Place
from rag_app.web.keys_routes import OwnKeys
from rag_app.web.library_routes import Stacks
from rag_app.web.memory import give_back
from rag_app.web.metrics import Metrics
from rag_app.web.mounting import Mount
from rag_app.web.office import Office
from rag_app.web.openid_routes import OpenIdSignIn
from rag_app.web.owners_routes import Ownership
from rag_app.web.people import People, check_exposure, is_loopback, stored_secret
from rag_app.web.people_routes import Registry
from rag_app.web.places import AT_ONCE
from rag_app.web.reply_routes import Replying
from rag_app.web.report_routes import Reporting
from rag_app.web.request_log import RequestLog
from rag_app.web.reranking_routes import Reranking
from rag_app.web.routes import NOTHING_HERE, FrontDoor, Pages, Reading, Shelf, error
from rag_app.web.shared_routes import Sharing
from rag_app.web.sign_in_routes import SignIn
from rag_app.web.signing import Signing
from rag_app.web.stores import Stores
from rag_app.web.vitals import Vitals

if TYPE_CHECKING:
    import gradio

THREADS = 2 * AT_ONCE + 8  # of the server: for all answers of people and of programs, and for what pages ask meanwhile
STOP_S = 5  # seconds that open connections get when the server ends
WATCH_S = 1.0  # seconds between two looks whether whoever is answered may still ask
TIDY_S = 60.0  # seconds between two looks at what memory can be given back

NOTHING = Office()  # no figures, no folders of the server
UNWATCHED = Vitals()

logger = logging.getLogger(__name__)


def create_app(
    desk: Desk,
    office: Office = NOTHING,
    vitals: Vitals = UNWATCHED,
    *,
    home: Path,
    password: str = "",
    secret: bytes | None = None,
    max_upload_mb: int = 200,
    host: str = "127.0.0.1",
    port: int = 7860,
    provider: Provider | None = None,
) -> FastAPI:
    """The application over `desk`, with its state in `home`; `secret` signs cookies and is kept in the home when None.

    At `provider` people who are registered may sign in instead of with a password.
    Raises SettingsError when others could reach `host` without a password, LibraryError when app.db is too new.
    """
    check_exposure(host, password, home)
    stores = Stores(home)
    secret = secret or stored_secret(home)
    people = People(secret, password, (stores.roster, stores.sessions))
    metrics, pages = Metrics(vitals), Pages()
    desk = replace(desk, ask=Signing(desk.ask, stores.approved))
    counted = replace(desk, ask=metrics.watched(desk.ask))
    answering = Answering(counted.ask, stores.conversations)
    incoming = _swept(home / "uploads")
    place = Place(host=host, password=password, incoming=incoming, max_upload_mb=max_upload_mb, forget=pages.forget)
    interface = Interface(desk, stores.database, stores.conversations, (vitals, metrics), place)
    mount = Mount(_pages(counted, office, stores, people, answering), host=host, port=port)
    lifespan = _lifespan(stores, people, answering, interface, mount)
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    routers = [*_sign_in_routers(stores, people, provider, secret), *_routers(counted, stores, people, answering)]
    for router in (*routers, *_file_routers(counted, office, stores, pages, place), interface.router()):
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _not_here)
    mount.under(app)
    app.add_middleware(Guard, people=people, loopback=is_loopback(host))
    app.add_middleware(RequestLog)
    return app


def _sign_in_routers(stores: Stores, people: People, provider: Provider | None, secret: bytes) -> Sequence[APIRouter]:
    entrance = Entrance(stores.roster, stores.sessions, stores.invitations, stores.audit)
    return [
        SignIn(people, entrance, stores.invitations, provider.host if provider is not None else "").router(),
        OpenIdSignIn(people, provider, stores.identities, secret).router(),
    ]


def _routers(desk: Desk, stores: Stores, people: People, answering: Answering) -> Sequence[APIRouter]:
    """Our own addresses, but those that take and give files."""
    conversations = stores.conversations
    return [
        FrontDoor(desk, people).router(),
        Registry(desk, stores, answering).router(),
        History(conversations, answering, stores.replies).router(),
        Sharing(desk, conversations, stores.shares, stores.audit).router(),
        Replying(conversations, stores.replies, desk.writer).router(),
        Reporting(Reports(stores.ledger, desk.documents, to_look_at(stores.approved, desk.documents))).router(),
        Turns(conversations, stores.feedback).router(),
        Working(desk, stores, Inbox(stores.database, desk.embedding)).router(),
        Reranking(desk, conversations, answering).router(),
        OwnKeys(desk, Keys(stores.database), stores.audit).router(),
    ]


def _file_routers(desk: Desk, office: Office, stores: Stores, pages: Pages, place: Place) -> Sequence[APIRouter]:
    return [
        Reading(desk, stores.conversations, pages, stores.approved).router(),
        Shelf(desk, pages, stores.audit, place.incoming, place.max_upload_mb).router(),
        Stacks(desk, office, stores.audit).router(),
        Ownership(desk, office, stores).router(),
        Logbook(desk, stores.audit).router(),
    ]


def _lifespan(
    stores: Stores, people: People, answering: Answering, interface: Interface, mount: Mount
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Python's own number hangs on the cores: on two of them eight answers would keep all others from app.db.
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="server")
        asyncio.get_running_loop().set_default_executor(threads)
        watching = asyncio.create_task(_watch(stores.roster, people, answering))
        tidying = asyncio.create_task(_tidy(mount))
        try:
            yield
        finally:
            watching.cancel()
            tidying.cancel()
            await answering.close()
            await interface.close()
            await asyncio.to_thread(stores.database.close)

    return lifespan


async def _watch(roster: Roster, people: People, answering: Answering) -> None:
    """Stop the answers of those who were disabled meanwhile, also from a command line beside this server."""
    while True:
        await asyncio.sleep(WATCH_S)
        for browser in answering.browsers() if people.registered else ():
            if await asyncio.to_thread(roster.who, browser) is None:
                await answering.stop_all(browser)


async def _tidy(mount: Mount) -> None:
    """Give back what pages that nobody uses and answers that were made still hold."""
    while True:
        await asyncio.sleep(TIDY_S)
        mount.forget_idle()
        await asyncio.to_thread(give_back)


def _pages(
    desk: Desk, office: Office, stores: Stores, people: People, answering: Answering
) -> Callable[[], "gradio.Blocks"]:
    def made() -> "gradio.Blocks":
        from rag_app.web.pages.site import site

        return site(desk, office, stores, people, answering)

    return made


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
        app,
        workers=1,
        log_config=None,  # its lines look as all others do
        log_level="warning",
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
        lifespan="on",
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

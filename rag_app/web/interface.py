"""All that other programs reach of a server: /v1, /api, what they are described by, and what watches over it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations
from rag_app.feedback import Feedback
from rag_app.team.audit import Audit
from rag_app.team.keys import Keys
from rag_app.team.people import Roster
from rag_app.web.api_door import Door
from rag_app.web.api_page import Description
from rag_app.web.api_routes import Questions, Shelves
from rag_app.web.desk import Desk
from rag_app.web.metrics import Metrics
from rag_app.web.narrowed import narrowed
from rag_app.web.openai_routes import ChatCompletions
from rag_app.web.people import is_loopback
from rag_app.web.programs import Caller, Programs
from rag_app.web.refusal import RequestRefused
from rag_app.web.vitals import Vitals
from rag_app.web.watch_routes import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server stands and what it is set to."""

    host: str  # it listens on
    password: str  # that everybody signs in with while nobody is registered; "" for none
    incoming: Path  # folder for files on their way in
    max_upload_mb: int
    forget: Callable[[str], None]  # what is remembered of a document (an id) that is gone


class Interface:
    """Puts the parts together over one desk."""

    def __init__(
        self,
        desk: Desk,
        database: AppDatabase,
        conversations: Conversations,
        watched: tuple[Vitals, Metrics],
        place: Place,
    ) -> None:
        vitals, metrics = watched
        roster, loopback = Roster(database), is_loopback(place.host)
        self._desk = desk
        self._door = Door(Keys(database), is_open=lambda: loopback and not place.password and not roster.registered())
        self._programs = Programs(conversations, metrics.watched)
        described = [
            Questions(self._programs, self._caller, conversations, Feedback(database)).router(),
            Shelves(self._caller, Audit(database), place.incoming, place.max_upload_mb, place.forget).router(),
            ChatCompletions(self._programs, self._caller, vitals.pieces, whole=vitals.strict).router(),
            Watch(vitals, metrics, self._door, loopback=loopback).router(),
        ]
        self._routers = [*described, Description(described, version("rag-app")).router()]

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        whole = APIRouter()
        for router in self._routers:
            whole.include_router(router)
        return whole

    async def close(self) -> None:
        """Wait until every answer is stored."""
        await self._programs.close()

    def _caller(self, request: Request) -> Caller:
        """Whom a request is for. Raises RequestRefused without a good key where one is needed."""
        who = self._door.who(request)
        return Caller(who, narrowed(self._desk, who), lambda: self._may_still(request), self._door.key(request))

    def _may_still(self, request: Request) -> bool:
        try:
            self._door.who(request)
        except RequestRefused:
            return False
        return True

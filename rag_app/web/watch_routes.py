"""Addresses for what watches over the server: whether it is ready, and its figures."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_app.access import manages
from rag_app.web.api_door import Door, JsonRoute
from rag_app.web.api_models import Readiness
from rag_app.web.api_routes import refusals
from rag_app.web.metrics import KIND, Metrics
from rag_app.web.people import is_loopback
from rag_app.web.refusal import Detail, RequestRefused
from rag_app.web.vitals import Vitals

Responses = dict[int | str, dict[str, Any]]
# A proxy on this computer asks from loopback as well, and for anybody.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
NOT_YOURS = "The figures of this server are shown to the keys of administrators that are limited to no space."


class Watch:
    """Readiness and figures."""

    def __init__(self, vitals: Vitals, metrics: Metrics, door: Door, *, loopback: bool) -> None:
        self._vitals = vitals
        self._metrics = metrics
        self._door = door
        self._loopback = loopback

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter(route_class=JsonRoute, tags=["Watching"])
        not_yet: Responses = {
            503: {"model": Readiness, "description": "No question can be answered now; the reasons say why."}
        }
        router.add_api_route("/readyz", self.readyz, response_model=Readiness, responses=not_yet)
        shown: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
        router.add_api_route(
            "/metrics", self.metrics, response_class=Response, responses={**shown, **refusals(401, 403)}
        )
        return router

    async def readyz(self) -> Response:
        """Whether questions can be answered now: models loaded, library readable, index open or scanned exactly."""
        reasons = list(await asyncio.to_thread(self._vitals.lacking))
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def metrics(self, request: Request) -> Response:
        """The figures as Prometheus reads them; without a key only from this computer itself."""
        if not self._is_near(request) and not manages(self._door.who(request)):
            raise RequestRefused(NOT_YOURS, Detail(403, "forbidden"))
        return Response(self._metrics.page(), media_type=KIND)

    def _is_near(self, request: Request) -> bool:
        """Whether the request comes from this computer, and nobody else is known to be behind it."""
        address = request.client.host if request.client else ""
        return self._loopback and is_loopback(address) and not any(name in request.headers for name in _FORWARDED)

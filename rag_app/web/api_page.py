"""The description of what other programs may ask, as OpenAPI, and an answer in words to what is not among it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match

from rag_app.web.refusal import Detail, RequestRefused, as_json, as_openai, nothing_there

TITLE = "Ask your PDFs"
DESCRIPTION = (
    "Answers from a library of documents, whose every sentence points at the page it came from. Where a key is needed, "
    "send it as `Authorization: Bearer KEY`. Failures are answered in words that say what to do next."
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "QUERY"]
_METHOD_NOT_ALLOWED = 405


class Description:
    """Describes routers and catches what lies beside them."""

    def __init__(self, routers: Sequence[APIRouter], version: str) -> None:
        self._routes: list[BaseRoute] = [route for router in routers for route in router.routes]
        self._page = _described(self._routes, version)

    def router(self) -> APIRouter:
        """The addresses and who answers them; included last, because it also answers what nobody else does."""
        router = APIRouter()
        router.add_api_route("/api/openapi.json", self.page, include_in_schema=False)
        for address in ("/api/{rest:path}", "/v1/{rest:path}", "/metrics", "/readyz"):
            router.add_api_route(address, self.nothing, methods=METHODS, include_in_schema=False)
        return router

    def page(self) -> Response:
        """What there is. It names nothing of the library, so that nobody needs a key to read it."""
        return JSONResponse(self._page)

    def nothing(self, request: Request) -> Response:
        """404, or 405 where the address is there for other methods."""
        allowed = sorted({method for route in self._routes for method in self._methods(route, request)})
        refused = nothing_there("There is nothing at this address. /api/openapi.json describes what there is.")
        headers = {}
        if allowed:
            headers["allow"] = ", ".join(allowed)
            refused = RequestRefused(
                f"This address takes {' and '.join(allowed)} only.", Detail(_METHOD_NOT_ALLOWED, "method")
            )
        said = as_openai if request.url.path.startswith("/v1/") else as_json
        return JSONResponse(said(refused), refused.detail.status, headers)

    def _methods(self, route: BaseRoute, request: Request) -> set[str]:
        there = route.matches(request.scope)[0] is not Match.NONE
        return set(getattr(route, "methods", None) or ()) if there else set()


def _described(routes: Sequence[BaseRoute], version: str) -> dict[str, Any]:
    page = get_openapi(title=TITLE, version=version, description=DESCRIPTION, routes=routes)
    schemas = page["components"]["schemas"]
    for operations in page["paths"].values():
        for operation in operations.values():
            # FastAPI's own description of a wrong request; ours is 400.
            if _names(operation["responses"].get("422"), "HTTPValidationError"):
                del operation["responses"]["422"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    page["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    page["security"] = [{"key": []}, {}]
    return page


def _names(response: Any, schema: str) -> bool:  # noqa: ANN401 - JSON
    return f"schemas/{schema}'" in repr(response)

"""A line in the log for each request: what was asked for and how long it took, without its query, body or cookies."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH_LIMIT = 200  # characters
SECRETS = ("/invitations/", "/shared/")  # what stands behind these lets somebody in, or read something
_OUR_FAULT = 500

logger = logging.getLogger("rag_app.requests")


class RequestLog:
    """ASGI middleware; does nothing where these lines are not wanted (RAG_LOG=plain)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on and note how it ended; one that nobody answered counts as the server's fault."""
        if scope["type"] != "http" or not logger.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), _OUR_FAULT

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = round((time.perf_counter() - began) * 1000, 1)
            told = {"method": scope["method"], "path": _without_secret(scope["path"]), "status": status, "ms": took}
            logger.info("request", extra={"told": told})


def _without_secret(path: str) -> str:
    known = next((start for start in SECRETS if path.startswith(start)), None)
    return path[:PATH_LIMIT] if known is None else f"{known}..."

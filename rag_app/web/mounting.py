"""Puts the Gradio pages under our own routes, and lets Gradio forget the pages that nobody uses."""

import asyncio
import os
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request

if TYPE_CHECKING:
    import gradio
    from gradio.state_holder import StateHolder

WAITING_EVENTS = 256  # events Gradio may hold before it says it is busy
IDLE_S = 300.0  # seconds without an event after which a page's values are forgotten


class Mount:
    """The Gradio pages of a server."""

    def __init__(self, pages: Callable[[], "gradio.Blocks"], *, host: str, port: int) -> None:
        self._pages = pages
        self._host = host
        self._port = port
        self._holder: StateHolder | None = None

    def under(self, app: FastAPI) -> None:
        """Serve the pages where no route of `app` is."""
        _in_a_loop(lambda: self._mount(app))

    def forget_idle(self, seconds: float = IDLE_S) -> int:
        """Drop what Gradio keeps of pages that did nothing for so long; returns how many.

        It keeps what each page showed last, a whole conversation with it, for as long as the process lives, and is not
        told that a page was closed. A page that goes on is drawn from the databases, so nobody misses it.
        """
        if self._holder is None:
            return 0
        before = datetime.now() - timedelta(seconds=seconds)  # noqa: DTZ005 - Gradio notes it so
        with self._holder.lock:
            used = list(self._holder.time_last_used.items())  # at once: events add to it in other threads
            idle = [name for name, last in used if last < before]
            for name in idle:
                self._holder.session_data.pop(name, None)
                self._holder.time_last_used.pop(name, None)
        return len(idle)

    def _mount(self, app: FastAPI) -> None:
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read by Gradio when Blocks are made; it would look up hosts
        import gradio

        from rag_app.web.theme import HEAD, theme

        with warnings.catch_warnings():
            # It says that several pages rule out a mode that is not asked for.
            warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
            blocks = self._pages().queue(max_size=WAITING_EVENTS, default_concurrency_limit=16, api_open=False)
            gradio.mount_gradio_app(
                app,
                blocks,
                path="/",
                server_name=self._host,
                server_port=self._port,
                footer_links=[],
                run_history=False,
                show_error=False,
                max_file_size="1kb",  # nothing is uploaded through Gradio
                ssr_mode=False,
                enable_monitoring=False,
                mcp_server=False,
                theme=theme(),
                head=HEAD,
                auth_dependency=_person,
            )
        self._holder = blocks.state_holder


def _person(request: Request) -> str | None:
    who = request.scope["state"]["who"]
    return None if who is None else str(who.id)


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

"""The Library page: put files in, watch them, see what is held, take it out."""

from typing import Any

import gradio

from rag_app.web.desk import Desk
from rag_app.web.library_html import documents_html, header_html, jobs_html, worth_showing
from rag_app.web.pages.parts import block, listener

DRAW_S = 0.7  # seconds between two looks at the files on their way
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}

_ADD = (
    '<section class="add"><h1>Library</h1>'
    '<div class="drop"><p>Drop PDF files anywhere on this page, or</p>'
    '<button type="button" class="primary" data-choose>Choose files</button></div></section>'
)


class LibraryPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        self._header = block("header")
        with gradio.Column(elem_id="library"):
            block("add", _ADD)
            self._queue = block("queue")
            self._table = block("table")
        self._clock = gradio.Timer(DRAW_S, active=False)
        heard = listener("changed", "resume")
        drawn = [self._header, self._queue, self._table, self._clock]
        heard.changed(self._draw, None, drawn, **QUIET)
        heard.resume(self._draw, None, drawn, **QUIET)
        self._clock.tick(self._draw, None, drawn, **QUIET)

    def _draw(self) -> tuple[str, str, str, gradio.Timer]:
        """Everything from what is stored; the clock runs while something is under way."""
        jobs = worth_showing(self._desk.jobs(), self._desk.handbook)
        busy = any(not job.final for job in jobs)
        return (
            header_html("Library", self._desk.status()),
            jobs_html(jobs),
            documents_html(self._desk.documents(), self._desk.handbook),
            gradio.Timer(active=busy),
        )

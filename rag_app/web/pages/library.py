"""The Library page: put files in, watch them, see what is held, take it out.

What of the list is shown stands in the page's address, which comes with every event; so a reload shows the same.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import gradio

from rag_app.access import reach
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.library_html import documents_html, jobs_html, worth_showing
from rag_app.web.listing import listed, wanted
from rag_app.web.narrowed import editable_space, narrowed
from rag_app.web.office import Office
from rag_app.web.pace import Pace
from rag_app.web.pages.parts import block, listener, visitor
from rag_app.web.people import People
from rag_app.web.spaces_html import add_to_html, to_add_to

DRAW_S = 0.7  # seconds between two looks at the files on their way
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}

_ADD = (
    '<section class="add"><h1>Library</h1>'
    '<div class="drop"><p>Drop PDF or text files anywhere on this page, or</p>'
    '<button type="button" class="primary" data-choose>Choose files</button>'
    '<button type="button" class="quiet" data-piece="/imports">Import a folder on the server</button></div></section>'
)
_SEARCH = (
    '<search class="library-search"><label class="visually-hidden" for="library-search">Search the documents</label>'
    '<input type="search" id="library-search" placeholder="Search titles and file names" autocomplete="off"></search>'
)


class LibraryPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk, office: Office, people: People, spaces: Callable[[], Sequence[str]] = tuple) -> None:
        """`spaces` are those that were made, also where they hold nothing yet."""
        self._desk = desk
        self._spaces = spaces
        self._people = people
        self._office = office
        self._pace = Pace()

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        self._header = block("header")
        with gradio.Column(elem_id="library"):
            block("add", _ADD)
            target = block("target")
            self._queue = block("queue")
            block("search", _SEARCH)
            self._table = block("table")
        self._clock = gradio.Timer(DRAW_S, active=False)
        heard = listener("changed", "resume")
        drawn = [self._header, self._queue, self._clock, self._table]
        heard.changed(self._draw, None, drawn, trigger_mode="always_last", **QUIET)
        heard.resume(self._draw, None, drawn, **QUIET)
        heard.resume(self._draw_target, None, target, **QUIET)  # once: what is picked there is the reader's
        self._clock.tick(self._draw, None, drawn, **QUIET)

    def _draw_target(self, request: gradio.Request) -> str:
        """Which space files go to, where there is a choice."""
        who = visitor(self._people, request)
        known = {self._desk.space, *self._desk.spaces(), *self._spaces()}
        return add_to_html(to_add_to(known, who), editable_space(self._desk, who))

    def _draw(self, request: gradio.Request) -> tuple[str, str, gradio.Timer, str]:
        """Everything from what is stored; the clock runs while something is under way."""
        who = visitor(self._people, request)
        desk = narrowed(self._desk, who)
        all_jobs = desk.jobs()
        jobs = worth_showing(all_jobs, desk.handbook)
        busy = any(not job.final for job in jobs)
        want = wanted(request.query_params)
        return (
            header_html("Library", desk.status(), who),
            jobs_html(jobs, self._pace.left(all_jobs, time.monotonic()), self._office.queued(reach(who))),
            gradio.Timer(active=busy),
            documents_html(listed(desk.documents(), want), want, desk.handbook),
        )

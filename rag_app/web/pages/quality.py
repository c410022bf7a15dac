"""The Quality page: evaluations, rerankers, and the questions without an answer.

Which evaluation is shown and what it is compared with stand in the page's address.
"""

from typing import Any

import gradio

from rag_app.unanswered import Unanswered
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.office import Office
from rag_app.web.pages.parts import block, listener, manager
from rag_app.web.people import People
from rag_app.web.quality_html import quality_html

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


class QualityPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk, office: Office, unanswered: Unanswered, people: People) -> None:
        self._desk = desk
        self._people = people
        self._office = office
        self._unanswered = unanswered

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        header = block("header")
        with gradio.Column(elem_id="quality"):
            body = block("measured")
        heard = listener("changed", "resume")
        heard.changed(self._draw, None, [header, body], trigger_mode="always_last", **QUIET)
        heard.resume(self._draw, None, [header, body], **QUIET)

    def _draw(self, request: gradio.Request) -> tuple[str, str]:
        """Everything from what is stored."""
        who, query = manager(self._people, request), request.query_params
        return (
            header_html("Quality", self._desk.status(), who),
            quality_html(
                self._office.evaluations(),
                self._office.rerankers(),
                self._unanswered.listed(),
                query.get("run", ""),
                query.get("against", ""),
            ),
        )

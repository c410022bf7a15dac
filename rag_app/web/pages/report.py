"""The Report page: what came of questions, for those who look after a space.

Which weeks and which space are shown stands in the page's address.
"""

from typing import Any

import gradio

from rag_app.team.report import Reports, weeks_of
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.narrowed import narrowed
from rag_app.web.pages.parts import block, listener, visitor
from rag_app.web.people import People
from rag_app.web.report_html import report_html

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


class ReportPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk, reports: Reports, people: People) -> None:
        self._desk = desk
        self._reports = reports
        self._people = people

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        header = block("header")
        with gradio.Column(elem_id="report"):
            body = block("reported")
        heard = listener("changed", "resume")
        heard.changed(self._draw, None, [header, body], trigger_mode="always_last", **QUIET)
        heard.resume(self._draw, None, [header, body], **QUIET)

    def _draw(self, request: gradio.Request) -> tuple[str, str]:
        """Everything from what is stored, for whoever looks."""
        who, query = visitor(self._people, request), request.query_params
        weeks, space = weeks_of(query.get("weeks", "")), query.get("space", "")
        status = narrowed(self._desk, who).status()
        return header_html("Report", status, who), report_html(self._reports.made(who, weeks, space), weeks, space)

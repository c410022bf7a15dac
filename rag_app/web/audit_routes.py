"""Our own addresses of the audit log, for administrators."""

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from rag_app.access import Forbidden, manages
from rag_app.team.audit import KEPT, Audit, Wanted
from rag_app.web.audit_html import PAGE, audit_csv, audit_html, pages
from rag_app.web.desk import Desk
from rag_app.web.guard import MANAGERS_ONLY
from rag_app.web.header_html import header_html
from rag_app.web.login import notice_html
from rag_app.web.narrowed import narrowed
from rag_app.web.routes import error

NO_DAY = "Write days as year-month-day, for example 2027-05-31. What could not be read was left out."
_PRIVATE = {"cache-control": "private, no-store"}


class Logbook:
    """Shows what was done."""

    def __init__(self, desk: Desk, audit: Audit) -> None:
        self._desk, self._audit = desk, audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/audit", self.page)
        router.add_api_route("/audit.csv", self.table)
        return router

    def page(self, request: Request) -> Response:
        """A page of the log, of whom, what and when the address says."""
        who = request.state.who
        if not manages(who):
            return HTMLResponse(notice_html(MANAGERS_ONLY, "Back to asking", "/"), 403, headers=_PRIVATE)
        wanted, wrong = _wanted(request)
        found = self._audit.count(wanted)
        page = min(_number(request.query_params.get("page", "")), pages(found))
        html = audit_html(
            header_html("Audit", narrowed(self._desk, who).status(), who),
            self._audit.listed(wanted, limit=PAGE, skip=(page - 1) * PAGE),
            wanted,
            found=found,
            page=page,
            names=self._audit.names(),
            acts=self._audit.acts(),
            wrong=wrong,
        )
        return HTMLResponse(html, headers=_PRIVATE)

    def table(self, request: Request) -> Response:
        """All entries of that choice, to be saved."""
        if not manages(request.state.who):
            return error(MANAGERS_ONLY, 403, Forbidden.kind)
        wanted, _ = _wanted(request)
        text = audit_csv(self._audit.listed(wanted, limit=KEPT))
        headers = {"content-disposition": 'attachment; filename="audit-log.csv"', **_PRIVATE}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _wanted(request: Request) -> tuple[Wanted, str]:
    """What an address asks for, and what could not be read of it in a sentence."""
    values = request.query_params
    days = {name: _day(values.get(name, "")) for name in ("since", "until")}
    wrong = NO_DAY if any(values.get(name) and not day for name, day in days.items()) else ""
    return Wanted(values.get("name", ""), values.get("act", ""), **days), wrong


def _day(text: str) -> str:
    """A day as ISO 8601; "" where the text is none."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1  # noqa: PLR2004 - digits

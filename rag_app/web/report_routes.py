"""Our own address of the report as a table for spreadsheets."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rag_app.team.report import Reports, weeks_of
from rag_app.web.report_html import NOT_YOURS, report_csv
from rag_app.web.routes import error


class Reporting:
    """The report of whoever asks."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/report.csv", self.table)
        return router

    def table(self, request: Request, weeks: str = "", space: str = "") -> Response:
        """Everything the page shows and the documents it leaves out, to be saved; 403 for who edits no space."""
        report = self._reports.made(request.state.who, weeks_of(weeks), space)
        if not report.spaces:
            return error(NOT_YOURS, 403)
        name = f"report-{report.together[0].begins}-to-{report.together[-1].begins}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
        return Response(report_csv(report), media_type="text/csv; charset=utf-8", headers=headers)

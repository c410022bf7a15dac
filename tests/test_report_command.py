"""The report and the audit log as commands and as a file of the server."""

import csv
import io
from contextlib import closing
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from rag_app.__main__ import main
from rag_app.access import Role, Who
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.team.audit import Audit
from rag_app.team.report import WEEKS, weeks_of
from rag_app.web.report_html import NOT_YOURS
from rag_app.web.report_routes import Reporting
from rag_app.web.server import create_app


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def asked(home, question, **changed):
    with closing(AppDatabase(home / "app.db")) as database:
        store = Conversations(database)
        turn = store.add(store.begin("dana"), question)
        answer = replace(stored(answered(question)), **({"spaces": ("documents",)} | changed))
        store.save(replace(turn, state=TurnState.DONE, answer=answer))


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_report_is_told(home, capsys):
    asked(home, "How long?", first_words=1500.0)
    asked(home, "Who\x1b[2J won?", abstained=True)

    assert main(["report", "--weeks", "1"]) == 0

    told = capsys.readouterr().out
    assert "          2         1             1     0     0        1.5 s  documents" in told
    assert "Questions without an answer (1)\n  1 x Who" in told
    assert "\x1b" not in told


def test_the_report_is_written_for_spreadsheets(home, tmp_path, capsys):
    asked(home, "=1+1", abstained=True)

    assert main(["report", "--csv", str(tmp_path / "report.csv")]) == 0

    week, gap = rows((tmp_path / "report.csv").read_bytes().decode())
    assert (week["space"], week["not_answered"], gap["name"]) == ("documents", "1", "'=1+1")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--weeks", "0"], "between 1 and"),
        (["--space", "sales"], "There are: documents."),
        (["--csv", "/nowhere/report.csv"], "Name another file"),
    ],
)
def test_what_cannot_be_reported_is_said(home, capsys, words, said):
    asked(home, "How long?")

    assert main(["report", *words]) == 1
    assert said in capsys.readouterr().err


def test_nothing_asked_is_said(home, capsys):
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "Nothing was asked in these weeks.\n"


def test_the_audit_log_is_listed_and_written(home, tmp_path, capsys):
    with closing(AppDatabase(home / "app.db")) as database:
        audit = Audit(database)
        audit.note(Who("1" * 32, "dana"), "upload", "=cmd.pdf", "space documents")
        audit.note(Who("2" * 32), "sign in", "")

    assert main(["audit", "--act", "upload"]) == 0
    told = capsys.readouterr().out
    assert "dana" in told
    assert "=cmd.pdf (space documents)" in told
    assert "sign in" not in told

    assert main(["audit", "--csv", str(tmp_path / "audit.csv")]) == 0
    signed_in, uploaded = rows((tmp_path / "audit.csv").read_text(encoding="utf-8"))
    assert (signed_in["act"], signed_in["id"]) == ("sign in", "2" * 32)
    assert (uploaded["who"], uploaded["subject"]) == ("dana", "'=cmd.pdf")


def test_no_audit_log_yet_is_said(home, capsys):
    assert main(["audit"]) == 0
    assert capsys.readouterr().out.startswith("Nothing was done yet")


@pytest.mark.slow
def test_the_server_gives_the_report_as_a_file(home):
    asked(home, "How long?")
    app = create_app(ScriptedDesk(home, (HANDBOOK, OWN)).desk(), home=home, secret=b"known")
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        response = client.get("/report.csv?weeks=1&space=documents")

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"].startswith('attachment; filename="report-')
    assert [row["part"] for row in rows(response.text)] == ["week", "document"]


def test_who_edits_no_space_gets_no_file():
    class Empty:
        def made(self, who, weeks, space):
            from rag_app.team.report import Report

            assert (who.name, weeks, space) == ("robin", WEEKS, "")
            return Report((), (), (), (), (), 0, (), ())

    class Request:
        class state:  # noqa: N801 - as Starlette calls it
            who = Who("1" * 32, "robin", roles={"documents": Role.READER})

    response = Reporting(Empty()).table(Request())

    assert response.status_code == 403
    assert NOT_YOURS in response.body.decode()


@pytest.mark.parametrize("text", ["", "0", "-1", "abc", "105", "9" * 40, "\u0663"])
def test_weeks_that_make_no_sense_are_the_usual_ones(text):
    assert weeks_of(text) == WEEKS
    assert weeks_of("52") == 52

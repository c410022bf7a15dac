import csv
import io
from contextlib import closing
from urllib.parse import urlencode

import pytest
from scripted_desk import ScriptedDesk
from starlette.testclient import TestClient

from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit, Entry, Wanted
from rag_app.web.audit_html import PAGE, audit_html, pages
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

ANNA, BEN = Who("a" * 32, "Anna"), Who("b" * 32, "Ben")


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def audit(database):
    return Audit(database)


@pytest.fixture
def get(tmp_path, audit):
    app = create_app(ScriptedDesk(tmp_path).desk(), home=tmp_path, secret=b"known")
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield lambda path, **query: client.get(f"{path}?{urlencode(query)}")


def on(database, day, subject):
    with database.writing() as connection:
        connection.execute("UPDATE audit SET at=? WHERE subject=?", (f"{day}T10:00:00+00:00", subject))


def subjects(audit, **wanted):
    return [entry.subject for entry in audit.listed(Wanted(**wanted))]


def test_entries_are_chosen_by_person_act_and_days(audit, database):
    for who, act, subject in ((ANNA, "upload", "one"), (BEN, "upload", "two"), (ANNA, "remove", "three")):
        audit.note(who, act, subject)
    for day, subject in (("2026-01-01", "one"), ("2026-01-02", "two"), ("2026-01-03", "three")):
        on(database, day, subject)

    assert subjects(audit) == ["three", "two", "one"]
    assert subjects(audit, name="Anna") == ["three", "one"]
    assert subjects(audit, act="upload") == ["two", "one"]
    assert subjects(audit, since="2026-01-02") == ["three", "two"]
    assert subjects(audit, until="2026-01-02") == ["two", "one"]
    assert subjects(audit, name="Anna", act="upload", since="2026-01-01", until="2026-01-01") == ["one"]
    assert audit.count(Wanted(act="upload")) == 2
    assert (audit.names(), audit.acts()) == (["Anna", "Ben"], ["remove", "upload"])


def test_the_log_is_read_page_by_page(audit, get):
    for number in range(PAGE + 5):
        audit.note(ANNA, "upload", f"file {number}.")

    first, second, beyond = (get("/audit", page=page).text for page in (1, 2, 99))

    assert f"file {PAGE + 4}." in first
    assert "file 4." not in first
    assert 'href="/audit?page=2"' in first
    assert "page 1 of 2" in first
    assert "file 4." in second
    assert f"file {PAGE}." not in second
    assert "page 2 of 2" in beyond


@pytest.mark.parametrize(("found", "count"), [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2)])
def test_pages_are_counted(found, count):
    assert pages(found) == count


def test_a_choice_stays_in_the_form_the_pager_and_the_table_to_save(audit, get):
    for number in range(PAGE + 1):
        audit.note(ANNA, "upload", f"file {number}")
    audit.note(BEN, "sign in", "Ben")

    page = get("/audit", name="Anna", act="upload").text

    assert '<option value="Anna" selected>' in page
    assert 'href="/audit?name=Anna&amp;act=upload&amp;page=2"' in page
    assert 'href="/audit.csv?name=Anna&amp;act=upload"' in page
    assert ">101 entries<" in page


def test_a_day_that_is_none_is_told_and_left_out(audit, get):
    audit.note(ANNA, "upload", "one.pdf")

    page = get("/audit", since="yesterday").text

    assert "Write days as year-month-day" in page
    assert "one.pdf" in page


def test_names_of_others_are_text_on_the_page_and_no_formula_in_the_table(audit, get):
    audit.note(Who("c" * 32, "<b>Eve</b>"), "upload", '=HYPERLINK("http://x")', "@SUM(1)")

    page, table = get("/audit"), get("/audit.csv")

    assert "<b>Eve" not in page.text
    [head, row] = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert head == ["at", "who", "id", "act", "subject", "detail"]
    assert row[1:] == ["<b>Eve</b>", "c" * 32, "upload", '\'=HYPERLINK("http://x")', "'@SUM(1)"]
    assert "attachment" in table.headers["content-disposition"]


def test_an_entry_without_a_person_says_so():
    refused = Entry("2026-01-01T10:00:00+00:00", "", "", "sign-in refused", "10.0.0.7", "")

    assert "nobody signed in" in audit_html("", [refused], Wanted(), found=1)

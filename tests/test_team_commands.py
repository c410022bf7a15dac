import io
import json
import sys

import pytest

from rag_app.__main__ import main
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit
from rag_app.team.people import Roster
from rag_app.team.sessions import Invitations, Sessions

GIVEN = "three words in a row"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RAG_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def database(home):
    """app.db, open all the while as a server has it."""
    opened = AppDatabase(home / "app.db")
    yield opened
    opened.close()


@pytest.fixture
def rag(capsys, monkeypatch, home):
    def run(*words, typed=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_the_first_administrator_gets_a_link_that_is_good_once(rag, database, monkeypatch):
    monkeypatch.setenv("RAG_HOST", "0.0.0.0")
    monkeypatch.setenv("RAG_PORT", "8123")

    code, told = rag("people", "add", "Root", "--admin")

    assert code == 0
    assert told["link"].startswith("http://127.0.0.1:8123/invitations/")
    assert Invitations(database).invited(told["link"].rpartition("/")[2])[1] == "Root"
    assert Roster(database).named("root").administrator


def test_the_first_person_without_admin_is_refused_in_words(rag):
    code, told = rag("people", "add", "ann")

    assert code == 1
    assert "--admin" in told["error"]["message"]


@pytest.mark.slow
def test_passwords_come_from_stdin_and_end_sessions(rag, database):
    rag("people", "add", "root", "--admin", "--password", typed=f"{GIVEN}\nmore\n")
    root, first = Roster(database).secret_of("root")
    secret = Sessions(database).begin(root)

    code, _ = rag("people", "password", "root", typed=f"{GIVEN} now\n")
    short, told = rag("people", "password", "root", typed="short\n")

    assert code == 0
    assert Roster(database).secret_of("root")[1] != first
    assert Sessions(database).person(secret) is None
    assert short == 1
    assert "10 to 512 characters" in told["error"]["message"]


def test_people_are_disabled_enabled_promoted_and_removed(rag, database):
    rag("people", "add", "root", "--admin")
    rag("people", "add", "Ann")
    roster = Roster(database)
    ann = roster.named("ann").id

    assert rag("people", "disable", "ANN")[1]["person"]["disabled"]
    assert roster.who(ann) is None
    assert rag("people", "link", "ann")[0] == 1
    assert not rag("people", "enable", "ann")[1]["person"]["disabled"]
    assert rag("people", "role", "ann", "admin")[1]["person"]["administrator"]
    assert rag("people", "role", "ann", "member")[0] == 0
    assert rag("people", "role", "root", "member")[0] == 1
    assert rag("people", "remove", "ann")[1]["removed"]["name"] == "Ann"
    assert [one["name"] for one in rag("people", "list")[1]["people"]] == ["root"]
    assert "Ann" in {one.subject for one in Audit(database).listed(act="disabled")}


def test_nobody_of_that_name_is_said(rag):
    code, told = rag("people", "disable", "nobody\x1b[31m")

    assert code == 1
    assert "There is nobody called nobody\ufffd[31m" in told["error"]["message"]


def test_spaces_are_made_and_their_members_named(rag, database):
    rag("people", "add", "root", "--admin")
    rag("people", "add", "Ann")

    assert rag("spaces", "add", "board")[1] == {"space": "board"}
    assert rag("spaces", "grant", "sales", "ann", "editor")[0] == 0
    assert rag("spaces", "members", "sales")[1]["members"] == {"Ann": "editor"}
    assert Roster(database).named("ann").roles == {"sales": Role.EDITOR}
    assert rag("spaces", "list")[1]["spaces"] == [
        {"name": "board", "documents": 0, "members": {}},
        {"name": "sales", "documents": 0, "members": {"Ann": "editor"}},
    ]
    assert rag("spaces", "revoke", "sales", "ann")[0] == 0
    assert rag("spaces", "revoke", "sales", "ann")[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("people", "rag people add"),
        ("people list", "rag people add"),
        ("spaces", "rag spaces add"),
        ("spaces members sales", "Nobody is in sales but the administrators"),
    ],
)
def test_an_empty_list_says_so_and_how_to_begin(home, capsys, words, said):
    assert main(words.split()) == 0
    assert said in capsys.readouterr().out

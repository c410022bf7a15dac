import re
from contextlib import closing
from html import unescape

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from starlette.testclient import TestClient

from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit
from rag_app.team.keys import Key, Keys
from rag_app.team.people import Roster
from rag_app.team.sessions import Sessions
from rag_app.web.keys_html import keys_html
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
SECRET = re.compile(r"rag_[0-9a-f]{12}_[\w-]{43}")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return ScriptedDesk(tmp_path_factory.mktemp("desk"), (HANDBOOK, OWN)).desk()


@pytest.fixture
def local(desk, tmp_path):
    with TestClient(create_app(desk, home=tmp_path), base_url=HERE) as client:
        yield client


@pytest.fixture
def ann(desk, tmp_path):
    """Ann's browser; she may read the space of OWN. Somebody else has a key of their own."""
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        roster = Roster(database)
        root, person = roster.add("Root", administrator=True), roster.add("Ann")
        roster.grant(person.id, OWN.space, Role.READER)
        roots, _ = Keys(database).add("root's", person=root.id)
        session = Sessions(database).begin(person.id)
    with TestClient(create_app(desk, home=tmp_path), base_url=HERE, cookies={SESSION_COOKIE: session}) as client:
        client.roots = roots.id
        yield client


def test_a_key_is_made_shown_once_used_and_revoked(local):
    made = local.post("/keys", data={"name": "night <b>job</b>", "days": "30", "space": ["documents"]})
    secret = SECRET.search(unescape(made.text)).group()
    headers = {"authorization": f"Bearer {secret}"}
    models = [one["id"] for one in local.get("/v1/models", headers=headers).json()["data"]]
    page = local.get("/keys")
    revoked = local.post(re.search(r'action="(/keys/[0-9a-f]{12}/revoke)"', page.text).group(1))

    assert made.headers["cache-control"] == "no-store"
    assert models == ["rag", "rag:documents"]
    assert SECRET.search(unescape(page.text)) is None
    assert "<b>" not in page.text
    assert "night <b>job</b>" in unescape(page.text)
    assert "revoked" in revoked.text
    assert local.get("/v1/models", headers=headers).status_code == 401


def test_one_sees_and_ends_only_ones_own_keys(ann, tmp_path):
    before = ann.get("/keys").text
    ann.post("/keys", data={"name": "mine", "days": "0"})
    after = ann.get("/keys").text
    others = ann.post(f"/keys/{ann.roots}/revoke")

    assert "You have no keys." in before
    assert "mine" in after
    assert "root's" not in unescape(after)
    assert others.status_code == 404
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        assert {key.name: key.state for key in Keys(database).listed()} == {"mine": "good", "root's": "good"}
        assert [(entry.name, entry.act, entry.subject) for entry in Audit(database).listed()] == [
            ("Ann", "key added", "mine")
        ]


def test_only_spaces_that_one_may_read_are_offered_and_taken(ann, desk, tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        Roster(database).add_space("board")

    page = ann.get("/keys").text
    foreign = ann.post("/keys", data={"name": "sly", "days": "1", "space": "board"})

    assert 'value="documents"' in page
    assert "board" not in page
    assert (foreign.status_code, "None of these spaces" in foreign.text) == (422, True)


@pytest.mark.parametrize("form", [{}, {"name": "x"}, {"name": "x", "days": "-1"}, {"name": "x", "days": "soon"}])
def test_a_form_that_does_not_fit_is_answered_in_words(local, form):
    answer = local.post("/keys", data=form)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_another_site_makes_no_key(local):
    answer = local.post("/keys", data={"name": "x", "days": "1"}, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "You have no keys." in local.get("/keys").text


def test_names_of_others_are_text():
    key = Key("0" * 12, "<script>alert(1)</script>", "", ("<img>",), "2026-01-01", "", "", "good")

    page = keys_html("", [key], ["<svg>"], wrong="<u>")

    assert not re.search("<(script|img|svg|u)>", page)

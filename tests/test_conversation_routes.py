"""The addresses of conversations and answers; each of them asks whose they are."""

from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from rag_app.app_database import AppDatabase
from rag_app.candidates import candidates
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback, Reason, Verdict
from rag_app.web.people import BROWSER_COOKIE
from rag_app.web.server import create_app

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def app(home):
    desk = ScriptedDesk(home, (HANDBOOK, OWN))
    return create_app(desk.desk(), home=home, secret=b"known")


@pytest.fixture(scope="module")
def one_client(app):
    with TestClient(app, base_url=HERE) as client:
        yield client


@pytest.fixture
def client(one_client):
    one_client.cookies.clear()
    one_client.get("/healthz")
    return one_client


@pytest.fixture
def other(app, client):
    """A browser of somebody else's."""
    other = TestClient(app, base_url=HERE)
    other.get("/healthz")
    return other


@pytest.fixture
def database(home):
    database = AppDatabase(home / "app.db")
    yield database
    database.close()


@pytest.fixture
def turn(client, database):
    """A finished turn of the client's own browser, put straight into app.db."""
    store, answer = Conversations(database), answered("How long?")
    turn = store.add(store.begin(client.cookies[BROWSER_COOKIE].partition(".")[0]), "How long?")
    kept = stored(answer)
    store.save(replace(turn, state=TurnState.DONE, answer=kept), candidates(answer, kept.sources))
    return turn


def message(response):
    return response.json()["error"]["message"]


def test_a_conversation_is_taken_away_as_a_file(client, turn):
    client.patch(f"/conversations/{turn.conversation}", json={"name": "Notice & \u00fcber\r\nleave"})

    response = client.get(f"/conversations/{turn.conversation}.md")

    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''Notice%20%C3%BCber%20leave.md"
    assert response.text.startswith("# Notice \\& \u00fcber leave\n\n## How long?")


def test_a_conversation_is_renamed_and_deleted(client, turn, database):
    renamed = client.patch(f"/conversations/{turn.conversation}", json={"name": "Notice"})
    name = Conversations(database).summary(browser_of(client), turn.conversation).name
    removed = client.delete(f"/conversations/{turn.conversation}")

    assert (renamed.status_code, name, removed.status_code) == (200, "Notice", 200)
    assert Conversations(database).turn(browser_of(client), turn.id) is None
    assert client.delete(f"/conversations/{turn.conversation}").status_code == 404


def browser_of(client):
    return client.cookies[BROWSER_COOKIE].partition(".")[0]


def test_an_answer_is_copied_as_text(client, turn):
    response = client.get(f"/turns/{turn.id}/text")

    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert "\nSources\n[1] Handbook.pdf, page 12 (sheet 18)" in response.text


def test_how_it_was_found_is_shown(client, turn, database):
    bare = Conversations(database).add(turn.conversation, "And then?")

    response = client.get(f"/turns/{turn.id}/found")

    assert response.text.count('<th scope="row"') == 50
    assert 'aria-pressed="true">Before' in client.get(f"/turns/{turn.id}/found?before=true").text
    assert client.get(f"/turns/{bare.id}/found").status_code == 404


def test_an_answer_found_before_candidates_were_kept_says_so(client, turn, database):
    with database.writing() as connection:
        connection.execute("DELETE FROM candidates")

    assert "Ask again to see it" in message(client.get(f"/turns/{turn.id}/found"))


def test_a_verdict_is_kept_with_its_reason_and_taken_back(client, turn, database):
    address = f"/turns/{turn.id}/feedback"
    given = client.post(address, json={"verdict": "poor", "reason": "wrong_page", "note": "Page 14."})
    (judgement,) = Feedback(database).given()
    back = client.post(address, json={"verdict": ""})

    assert given.json() == {"verdict": "poor"}
    assert (judgement.verdict, judgement.reason, judgement.note) == (Verdict.POOR, Reason.WRONG_PAGE, "Page 14.")
    assert (judgement.turn, judgement.question) == (turn.id, "How long?")
    assert back.json() == {"verdict": ""}
    assert Feedback(database).given() == []


@pytest.mark.parametrize(
    "body", [b'{"verdict": "splendid"}', b'{"verdict": "good", "reason": "bad weather"}', b'{"verdict": ["good"]}']
)
def test_a_verdict_that_is_none_is_refused(client, turn, database, body):
    response = client.post(f"/turns/{turn.id}/feedback", content=body)

    assert response.status_code == 400
    assert "Reload the page" in message(response)
    assert Feedback(database).given() == []


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"name": 7}', b'{"name": "' + b"x" * 20_000 + b'"}', b"[" * 15_000]
)
def test_a_name_that_is_none_is_refused(client, turn, body):
    assert client.patch(f"/conversations/{turn.conversation}", content=body).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations/{conversation}.md"),
        ("PATCH", "/conversations/{conversation}"),
        ("DELETE", "/conversations/{conversation}"),
        ("GET", "/turns/{turn}/text"),
        ("GET", "/turns/{turn}/found"),
        ("POST", "/turns/{turn}/feedback"),
    ],
)
def test_nothing_of_another_browser_is_there(other, turn, database, method, path):
    body = {"name": "Mine", "verdict": "good"} if method in ("PATCH", "POST") else None

    response = other.request(method, path.format(conversation=turn.conversation, turn=turn.id), json=body)

    assert response.status_code == 404
    assert "not one of yours" in message(response)
    assert Feedback(database).given() == []
    row = database.rows("SELECT name FROM conversation WHERE id=?", turn.conversation)
    assert row == [("",)]


@pytest.mark.parametrize("identity", ["0" * 31, "x" * 32, "..%2f..", "1' OR '1'='1"])
def test_an_id_that_is_none_is_not_found(client, identity):
    assert client.get(f"/conversations/{identity}.md").status_code == 404
    assert client.get(f"/turns/{identity}/text").status_code == 404


def test_a_request_of_another_site_changes_nothing(client, turn):
    response = client.delete(f"/conversations/{turn.conversation}", headers={"origin": "https://evil.example"})

    assert response.status_code == 403
    assert client.get(f"/conversations/{turn.conversation}.md").status_code == 200

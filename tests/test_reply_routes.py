"""The addresses of replies; each of them asks whose the question is."""

from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from scripted_endpoint import ScriptedEndpoint
from starlette.testclient import TestClient

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.generate.openai_chat import OpenAIChat
from rag_app.team.replies import TEXT_LIMIT, Replies
from rag_app.team.reply import NO_MODEL
from rag_app.web.people import BROWSER_COOKIE
from rag_app.web.reply_routes import NO_ANSWER
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def endpoint():
    with ScriptedEndpoint() as server:
        yield server


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    return {kind: tmp_path_factory.mktemp(kind) for kind in ("quoting", "writing")}


@pytest.fixture(scope="module")
def clients(homes, endpoint):
    """Browsers of two servers, one of which has a language model."""
    writers = {"quoting": None, "writing": OpenAIChat("llama3", base_url=endpoint.base_url)}
    made = {}
    for kind, home in homes.items():
        desk = replace(ScriptedDesk(home, (HANDBOOK, OWN)).desk(), writer=writers[kind])
        made[kind] = TestClient(create_app(desk, home=home, secret=b"known"), base_url=HERE)
        made[kind].__enter__()
    yield made
    for client in made.values():
        client.__exit__(None, None, None)


def asked(client, home, **changed):
    """A finished turn of the client's own browser, put straight into app.db."""
    client.get("/healthz")
    database = AppDatabase(home / "app.db")
    store = Conversations(database)
    turn = store.add(store.begin(client.cookies[BROWSER_COOKIE].partition(".")[0]), "How <b>long</b>?")
    store.save(replace(turn, **({"state": TurnState.DONE, "answer": stored(answered("How long?"))} | changed)))
    database.close()
    return turn


@pytest.fixture
def client(clients):
    return clients["quoting"]


@pytest.fixture
def turn(client, homes):
    return asked(client, homes["quoting"])


def message(response):
    return response.json()["error"]["message"]


def test_the_dialog_holds_the_text_and_says_that_no_model_is_set_up(client, turn):
    html = client.get(f"/turns/{turn.id}/reply").text

    assert "[1] Handbook.pdf, page 12" in html.replace("&#91;", "[").replace("&#93;", "]")
    assert NO_MODEL in html.replace("&#x27;", "'")
    assert "data-write-reply" not in html
    assert "How &lt;b&gt;long&lt;/b&gt;?" in html


def test_what_was_copied_is_kept_shown_and_exported(client, turn):
    text = "Three months. [1]\n\nSources:\n[1] *Plan*, page 12"

    assert client.post(f"/turns/{turn.id}/replies", json={"text": text, "model": "made up"}).json() == {"kept": True}

    html = client.get(f"/turns/{turn.id}/reply").text
    assert "Copied before (1)" in html
    assert "made up" not in html
    exported = client.get(f"/conversations/{turn.conversation}.md").text
    assert "*Copied as a reply " in exported
    assert "> Three months. \\[1\\]\\\n> Sources:\\\n> \\[1\\] \\*Plan\\*, page 12" in exported


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "reply", None), ("POST", "reply", {}), ("POST", "replies", {"text": "Mine now."})],
)
def test_the_question_of_another_browser_is_not_there(clients, homes, turn, method, path, body):
    other = TestClient(clients["quoting"].app, base_url=HERE)
    other.get("/healthz")

    response = other.request(method, f"/turns/{turn.id}/{path}", json=body)

    assert response.status_code == 404
    database = AppDatabase(homes["quoting"] / "app.db")
    assert Replies(database).of_turn(turn.id) == []
    database.close()


def test_an_answer_without_sources_makes_no_reply(client, homes):
    turn = asked(client, homes["quoting"], answer=replace(stored(answered("How long?")), abstained=True))

    for response in (client.get(f"/turns/{turn.id}/reply"), client.post(f"/turns/{turn.id}/reply", json={})):
        assert (response.status_code, message(response)) == (409, NO_ANSWER)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reply", {"tone": "rude"}), ("reply", {"length": ["short"]}), ("replies", {}), ("replies", {"text": " \n"}),
        ("replies", {"text": 7}), ("replies", {"text": "a", "model": None}),
        ("replies", {"text": "x" * TEXT_LIMIT * 9}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(client, turn, path, body):
    assert client.post(f"/turns/{turn.id}/{path}", json=body).status_code == 400


def test_the_language_model_writes_on_demand_only(clients, homes, endpoint):
    client, before = clients["writing"], len(endpoint.requests)
    turn = asked(client, homes["writing"])
    endpoint.pieces = ("The notice period is three months [1].", " Bring cake [1].")

    html = client.get(f"/turns/{turn.id}/reply").text
    assert "Write with" in html
    assert "llama3" in html
    assert len(endpoint.requests) == before
    made = client.post(f"/turns/{turn.id}/reply", json={"tone": "warm", "length": "full"}).json()

    assert made["text"].startswith("The notice period is three months [1].\n\nSources:\n")
    assert made["notice"].startswith("1 of 2 sentences")
    assert made["model"] == "llama3"
    assert client.post(f"/turns/{turn.id}/replies", json=made).json() == {"kept": True}
    assert "written by" in client.get(f"/turns/{turn.id}/reply").text

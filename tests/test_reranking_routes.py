"""The addresses that show what reranking does."""

from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.tour import TOUR
from rag_app.web.people import BROWSER_COOKIE, People
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
SECRET = b"known"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def scripted(home):
    return ScriptedDesk(home, (HANDBOOK, OWN))


@pytest.fixture(scope="module")
def client(home, scripted):
    with TestClient(create_app(scripted.desk(), home=home, secret=SECRET), base_url=HERE) as client:
        client.get("/healthz")
        yield client


@pytest.fixture
def kept(home, client):
    """Keeps a turn of the client's own browser in app.db, in the state given."""
    database = AppDatabase(home / "app.db")
    conversations = Conversations(database)

    def keep(state):
        browser = People(SECRET, "").browser({BROWSER_COOKIE: client.cookies[BROWSER_COOKIE]})
        turn = conversations.add(conversations.begin(browser), "How long?")
        conversations.save(replace(turn, state=state, answer=stored(answered("How long?"))))
        return turn.id

    yield keep
    database.close()


def test_an_answer_is_shown_beside_the_one_without_reranking(client, kept, scripted):
    page = client.get(f"/turns/{kept(TurnState.DONE)}/compared")

    assert page.status_code == 200
    assert "With reranking" in page.text
    assert "Without reranking" in page.text
    assert not scripted.reranked


def test_an_unfinished_answer_and_one_of_somebody_else_are_not_compared(client, kept):
    unfinished = client.get(f"/turns/{kept(TurnState.STOPPED)}/compared")
    turn = kept(TurnState.DONE)
    client.cookies.clear()
    client.get("/healthz")

    assert unfinished.status_code == 409
    assert "Ask again, then compare." in unfinished.json()["error"]["message"]
    assert client.get(f"/turns/{turn}/compared").status_code == 404


@pytest.mark.parametrize("number", range(len(TOUR)))
def test_each_question_of_the_tour_is_searched_for_in_the_handbook(client, number):
    page = client.get(f"/tour/{number}")

    assert page.status_code == 200
    assert "User guide" in page.text
    assert f"Question {number + 1} of {len(TOUR)}" in page.text


@pytest.mark.parametrize("number", [-1, len(TOUR), 10**9])
def test_the_tour_has_no_other_questions(client, number):
    assert client.get(f"/tour/{number}").status_code == 404


def test_without_the_handbook_the_tour_says_so(client, scripted, monkeypatch):
    monkeypatch.setattr(scripted, "nothing_found", True)

    refused = client.get("/tour/0")

    assert refused.status_code == 404
    assert "not in this library" in refused.json()["error"]["message"]

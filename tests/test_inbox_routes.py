"""The addresses of the inbox and of approved answers, over a scripted desk; who may do what is asked each time."""

from dataclasses import replace

import pytest
from fakes import HashEmbedder
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from ingest.errors import ModelError
from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.records import Mode
from rag_app.team.approved import Approved, Draft
from rag_app.team.inbox import Inbox
from rag_app.team.wording import markdown, path_of
from rag_app.web.inbox_html import Wanted
from rag_app.web.pages.inbox import InboxPage
from rag_app.web.people import BROWSER_COOKIE
from rag_app.web.server import create_app
from rag_app.web.stores import Stores

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
NOWHERE = "f" * 32


class WordEmbedding:
    name = "hash:1"

    def vectors(self, asked):
        return HashEmbedder().embed([question for question, _ in asked])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def published():
    return []


@pytest.fixture(scope="module")
def scripted(home):
    return ScriptedDesk(home, (HANDBOOK, OWN))


@pytest.fixture(scope="module")
def app(home, scripted, published):
    def publish(space, name, text):
        published.append((space, name, text))
        scripted.shelf.append(replace(OWN, id="9" * 32, path=name, title=text.splitlines()[0][2:], space=space))

    desk = replace(scripted.desk(), publish=publish, embedding=WordEmbedding())
    return create_app(desk, home=home, secret=b"known")


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, base_url=HERE) as client:
        client.get("/healthz")
        yield client


@pytest.fixture
def database(home):
    database = AppDatabase(home / "app.db")
    yield database
    database.close()


@pytest.fixture
def asked(client, database):
    def put(question, *, abstained):
        store = Conversations(database)
        mode = Mode.ABSTAINED if abstained else Mode.EXTRACTIVE
        answer = replace(answered(question), abstained=abstained, mode=mode, spaces=("documents",))
        turn = store.add(store.begin(client.cookies[BROWSER_COOKIE].partition(".")[0]), question)
        store.save(replace(turn, state=TurnState.DONE, answer=stored(answer)))
        return turn

    return put


class NoModel:
    name = "missing"

    def vectors(self, asked):
        raise ModelError("/opt/<model> is not the model it should be.")


def test_without_its_model_the_page_says_so_and_shows_the_approved_answers(scripted, home, database, asked):
    turn = asked("Where may I park?", abstained=True)
    who, stores = Who("c" * 32), Stores(home)
    stores.approved.write(who, Draft("documents", "Who has the key?", "The porter."))

    body = InboxPage(scripted.desk(), stores, Inbox(database, NoModel()), None)._body(who, Wanted())

    assert turn.question not in body
    assert "The questions cannot be grouped. /opt/&lt;model&gt; is not the model" in body
    assert "Who has the key?" in body


def test_a_group_is_noted_closed_and_opened(client, asked):
    turn = asked("Where may I park?", abstained=True)

    assert client.post(f"/inbox/{turn.id}", json={"note": "ask the office"}).status_code == 200
    assert client.post(f"/inbox/{turn.id}", json={"reason": "fine"}).status_code == 200
    assert client.post(f"/inbox/{turn.id}", json={"reopen": True}).status_code == 200
    assert client.post(f"/inbox/{turn.id}", json={"reason": "bored"}).status_code == 400
    assert client.post(f"/inbox/{turn.id}", json={"note": 7}).status_code == 400
    assert client.post(f"/inbox/{NOWHERE}", json={"note": "x"}).status_code == 404


def test_the_answer_to_a_group_is_written_published_and_closes_it(client, asked, published, database):
    turn = asked("Who waters the plants <b>here</b>?", abstained=True)
    form = client.get(f"/inbox/{turn.id}/approve")
    assert "Who waters the plants &lt;b&gt;here&lt;/b&gt;?" in form.text

    values = {
        "space": "documents", "question": "Who waters the plants?", "answer": "The *gardener*, on Mondays.",
        "group": turn.id, "sources": [{"document_id": OWN.id, "page": 3}, {"document_id": NOWHERE, "page": 1}, 7],
    }  # fmt: skip
    response = client.post("/approved", json=values)

    assert response.json() == {"approved": True}
    held = next(one for one in Approved(database).listed(Who("x")) if one.latest.question == values["question"])
    assert published[-1] == ("documents", path_of(held.id), markdown(values["question"], values["answer"]))
    assert [(one.document_id, one.title, one.page) for one in held.latest.sources] == [(OWN.id, OWN.title, 3)]
    page = client.get(f"/approved/{held.id}").text
    assert "The &#42;gardener&#42;, on Mondays." in page
    assert f"/documents/{OWN.id}/view?page=3" in page
    assert client.get(f"/documents/{'9' * 32}/view").text == page


def test_an_answer_of_ones_own_is_corrected_with_its_sources(client, asked):
    turn = asked("How long is the notice?", abstained=False)

    form = client.get(f"/turns/{turn.id}/approve").text

    assert "How long is the notice?" in form
    assert "The notice period is three months from the first day of the following month." in form
    assert f'data-source-document="{OWN.id}" data-source-page="18"' in form
    assert client.get(f"/turns/{NOWHERE}/approve").status_code == 404


def test_a_withdrawn_answer_leaves_the_library(client, scripted, database):
    scripted.shelf[:] = [HANDBOOK, OWN]
    client.post("/approved", json={"space": "documents", "question": "Is there tea?", "answer": "At four."})
    held = next(one for one in Approved(database).listed(Who("x")) if one.latest.question == "Is there tea?")

    assert client.post(f"/approved/{held.id}/withdraw").status_code == 200

    assert [one.path for one in scripted.shelf] == [HANDBOOK.path, OWN.path]
    assert "withdrawn" in client.get(f"/approved/{held.id}").text
    assert client.post(f"/approved/{NOWHERE}/withdraw").status_code == 404
    assert client.get(f"/approved/{held.id}/edit").status_code == 200


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 403),
        ({"space": "documents", "question": "How?", "answer": ""}, 422),
        ({"space": "documents", "question": ["How?"], "answer": "So."}, 400),
        ({"space": "documents", "question": "How?", "answer": "So.", "approved": "../x"}, 400),
        ({"space": "documents", "question": "How?", "answer": "So.", "approved": NOWHERE}, 404),
    ],
)
def test_what_cannot_be_approved_is_refused(values, status, client):
    assert client.post("/approved", json=values).status_code == status


def test_the_button_to_approve_stands_on_finished_answers(client):
    assert client.get("/ui/inbox.js").status_code == 200
    assert client.get("/approved/new").status_code == 200

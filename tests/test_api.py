import json
from contextlib import closing
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from ingest.errors import LibraryError
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.as_json import of_answer
from rag_app.conversations import TurnState
from rag_app.feedback import Feedback
from rag_app.team.audit import Audit
from rag_app.team.keys import Keys
from rag_app.team.people import Roster
from rag_app.web.refusal import BODY_LIMIT
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
PDF = b"%PDF-1.7 small"
NEVER = "f" * 32


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def one_desk(home):
    return ScriptedDesk(home)


@pytest.fixture(scope="module")
def one_client(one_desk, home):
    app = create_app(one_desk.desk(), home=home, secret=b"known", max_upload_mb=1)
    with TestClient(app, base_url=HERE) as client:
        yield client


@pytest.fixture
def scripted(one_desk):
    one_desk.reset((HANDBOOK, OWN))
    return one_desk


@pytest.fixture
def client(one_client, scripted):
    one_client.cookies.clear()
    return one_client


@pytest.fixture(scope="module")
def team_home(tmp_path_factory):
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def team(team_home):
    """Keys by what their persons are in the space of OWN; root's is an administrator's."""
    with closing(AppDatabase(team_home / "app.db")) as database:
        roster, keys = Roster(database), Keys(database)
        people = {"root": roster.add("Root", administrator=True)}
        people |= {name: roster.add(name) for name in ("reader", "editor", "stranger", "disabled")}
        for name, role in (("reader", Role.READER), ("editor", Role.EDITOR), ("disabled", Role.OWNER)):
            roster.grant(people[name].id, OWN.space, role)
        roster.grant(people["stranger"].id, "elsewhere", Role.OWNER)
        secrets = {name: keys.add(name, person=person.id)[1] for name, person in people.items()}
        secrets["handbook only"] = keys.add("limited", person=people["root"].id, spaces=["handbook"])[1]
        key, secrets["revoked"] = keys.add("old", person=people["root"].id)
        keys.revoke(key.id)
        roster.disable(people["disabled"].id)
    return secrets


@pytest.fixture(scope="module")
def one_guarded(one_desk, team, team_home):
    app = create_app(one_desk.desk(), home=team_home, secret=b"known")
    with TestClient(app, base_url=HERE) as client:
        yield client


@pytest.fixture
def guarded(one_guarded, scripted):
    one_guarded.cookies.clear()
    return one_guarded


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


def message(response):
    return response.json()["error"]["message"]


# ---- questions ----


def test_an_answer_is_what_the_command_prints_and_an_id(client, scripted):
    told = client.post("/api/ask", json={"question": "How long is the notice period?"}).json()

    expected = json.loads(json.dumps(of_answer(answered("How long is the notice period?"))))
    assert {name: told[name] for name in expected} == expected
    assert set(told) - set(expected) == {"id"}
    assert len(told["id"]) == 32


def test_earlier_turns_the_spaces_and_the_order_are_handed_on(client, scripted):
    body = {
        "question": "And then?",
        "turns": [{"question": "How long?", "answer": "Three months."}],
        "spaces": ["documents"],
        "rerank": False,
    }

    client.post("/api/ask", json=body)

    question, turns = scripted.asked[-1]
    assert question == "And then?"
    assert [(turn.question, turn.answer) for turn in turns] == [("How long?", "Three months.")]
    assert list(scripted.searched) == ["documents"]
    assert not scripted.reranked


def test_abstaining_is_an_answer(client):
    told = client.post("/api/ask", json={"question": "nothing of this"}).json()

    assert (told["abstained"], told["text"], told["mode"]) == (True, "", "abstained")


def test_a_search_gives_candidates_and_stops_before_writing(client, scripted):
    told = client.post("/api/search", json={"question": "How long?"}).json()

    assert set(told) == {"hits"}
    assert len(told["hits"]) == 50
    assert told["hits"][0]["title"] == OWN.title
    assert scripted.closed == 1


def test_a_space_that_is_not_there_is_said(client, scripted):
    for path in ("/api/ask", "/api/search"):
        response = client.post(path, json={"question": "How long?", "spaces": ["documents", "secrets"]})
        assert (response.status_code, "'secrets'" in message(response)) == (404, True)
    assert scripted.asked == []


def test_what_is_asked_here_is_kept_apart_from_conversations_in_the_browser(client, home):
    identity = client.post("/api/ask", json={"question": "Kept?"}).json()["id"]
    forgotten = client.post("/api/ask", json={"question": "Kept?", "store": False}).json()["id"]

    assert forgotten is None
    with closing(AppDatabase(home / "app.db")) as database:
        ((browser, state),) = database.rows(
            "SELECT browser, state FROM turn JOIN conversation ON conversation.id = conversation WHERE turn.id=?",
            identity,
        )
    assert browser == f"program {'0' * 32}"
    assert state == TurnState.DONE


def test_a_verdict_is_kept_changed_and_taken_back(client, home):
    identity = client.post("/api/ask", json={"question": "Good?"}).json()["id"]
    given = []
    for verdict in ("good", "poor", ""):
        body = {"id": identity, "verdict": verdict, "reason": "out_of_date", "note": "see page 4"}
        assert client.post("/api/feedback", json=body).json() == {"verdict": verdict}
        with closing(AppDatabase(home / "app.db")) as database:
            given.append([one.verdict for one in Feedback(database).given() if one.turn == identity])

    assert given == [["good"], ["poor"], []]


def test_a_verdict_on_what_nobody_was_told_is_refused(client):
    response = client.post("/api/feedback", json={"id": NEVER, "verdict": "good"})

    assert (response.status_code, "no answer with this id" in message(response)) == (404, True)


# ---- documents ----


def test_documents_are_listed_added_and_removed(client, scripted):
    listed = client.get("/api/documents").json()["documents"]
    some = client.get("/api/documents?space=handbook").json()["documents"]
    added = client.post("/api/documents", files={"file": ("Plan.pdf", PDF)})
    jobs = client.get("/api/jobs").json()["jobs"]
    removed = client.delete(f"/api/documents/{OWN.id}")

    assert [one["document_id"] for one in listed] == [HANDBOOK.id, OWN.id]
    assert [one["document_id"] for one in some] == [HANDBOOK.id]
    assert added.status_code == 202
    assert jobs == [added.json()["job"]]
    assert jobs[0]["state"] == "waiting"
    assert removed.json()["removed"]["title"] == OWN.title
    assert scripted.shelf == [HANDBOOK]
    assert client.delete(f"/api/documents/{OWN.id}").status_code == 404


def test_who_added_and_removed_what_is_noted(guarded, team, team_home):
    guarded.post("/api/documents?space=documents", files={"file": ("Plan.pdf", PDF)}, headers=bearer(team["editor"]))
    guarded.delete(f"/api/documents/{OWN.id}", headers=bearer(team["editor"]))

    with closing(AppDatabase(team_home / "app.db")) as database:
        noted = [(one.name, one.act, one.subject) for one in Audit(database).listed(limit=2)]
    assert noted == [("editor", "remove", OWN.title), ("editor", "upload", "Plan.pdf")]


def test_a_name_that_is_taken_is_asked_about(client, scripted):
    asked = client.post("/api/documents", files={"file": (OWN.path, PDF)})
    replaced = client.post("/api/documents?replace=true", files={"file": (OWN.path, PDF)})

    assert asked.status_code == 409
    assert asked.json()["existing"]["document_id"] == OWN.id
    assert replaced.status_code == 202


def test_an_upload_that_is_none_is_refused_and_leaves_nothing(client, home):
    large = client.post("/api/documents", files={"file": ("big.pdf", b"x" * 1_100_000)})
    plain = client.post("/api/documents", content=b"a file", headers={"content-type": "application/pdf"})
    foreign = client.post("/api/documents", files={"file": ("notes.pages", b"PK")})

    assert [one.status_code for one in (large, plain, foreign)] == [413, 415, 422]
    assert "multipart/form-data" in message(plain)
    assert "cannot be read" in message(foreign)
    assert list((home / "uploads").iterdir()) == []


# ---- what is wrong is said ----


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it has no body"),
        (b"[", "no JSON from character 1"),
        (b"[]", "it holds no JSON object"),
        (b"null", "it holds no JSON object"),
        (b"\xff\xfe\xff", "no JSON that can be read"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"question": "a", "x": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b'{"question": ' + b"9" * 5_000 + b"}", "no JSON that can be read"),
        (b"{}", "`question` is wrong: field required"),
        (b'{"question": 7}', "`question` is wrong: input should be a valid string"),
        (b'{"question": ""}', "at least 1 character"),
        (b'{"question": "\\ud800"}', "`question` is wrong"),
        (b'{"question": "a", "spaces": []}', "`spaces` is wrong"),
        (b'{"question": "a", "spaces": "documents"}', "`spaces` is wrong"),
        (b'{"question": "a", "rerank": "no"}', "`rerank` is wrong"),
        (b'{"question": "a", "turns": [{"question": 1}]}', "`turns.0.question` is wrong"),
        (json.dumps({"question": "a" * 20_001}).encode(), "at most 20000 characters"),
        (json.dumps({"question": "a", "turns": [{"question": "b"}] * 101}).encode(), "`turns` is wrong"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_in_words(client, scripted, body, words):
    response = client.post("/api/ask", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert words in message(response)
    assert scripted.asked == []


@pytest.mark.parametrize("path", ["/api/ask", "/api/search", "/api/feedback", "/v1/chat/completions"])
def test_a_body_that_never_ends_is_not_read(client, path):
    def endless():
        for _ in range(3 * BODY_LIMIT // 100_000):
            yield b" " * 100_000

    headers = {"content-type": "application/json"}
    unannounced = client.post(path, content=endless(), headers=headers)
    announced = client.post(path, content=b" " * (BODY_LIMIT + 1), headers=headers)

    assert (unannounced.status_code, announced.status_code) == (413, 413)
    assert "larger than 2,000,000 bytes" in message(announced)


def test_json_that_is_not_announced_as_such_is_not_read(client):
    response = client.post("/api/ask", content=b'{"question": "a"}', headers={"content-type": "text/plain"})

    assert (response.status_code, "Content-Type: application/json" in message(response)) == (400, True)


def test_unknown_fields_are_ignored(client):
    assert client.post("/api/search", json={"question": "a", "colour": "red"}).status_code == 200


@pytest.mark.slow
def test_what_nobody_foresaw_is_logged_and_not_told(scripted, tmp_path, caplog):
    def broken():
        raise ValueError("the secret is 42")

    app = create_app(replace(scripted.desk(), documents=broken), home=tmp_path)
    with TestClient(app, base_url=HERE) as client:
        response = client.get("/api/documents")

    assert response.status_code == 500
    assert "It is logged as" in message(response)
    assert "42" not in response.text
    assert "the secret is 42" in caplog.text


@pytest.mark.slow
def test_a_failure_of_the_library_keeps_its_words(scripted, tmp_path):
    def refuse(_document_id):
        raise LibraryError("The disk is full. Make room and try again.")

    app = create_app(replace(scripted.desk(), remove=refuse), home=tmp_path)
    with TestClient(app, base_url=HERE) as client:
        response = client.delete(f"/api/documents/{OWN.id}")

    assert (response.status_code, message(response)) == (422, "The disk is full. Make room and try again.")


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/ask/more", "/v1/", "/v1/embeddings", "/v1/files/x"]
)
def test_an_address_that_is_none_says_where_they_are_listed(client, path):
    response = client.get(path)

    assert response.status_code == 404
    if path != "/api":
        assert "/api/openapi.json" in message(response)


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "/api/ask", "POST"), ("PUT", "/api/documents", "GET, POST")]
)
def test_a_wrong_method_is_told_the_right_one(client, method, path, allowed):
    response = client.request(method, path)

    assert (response.status_code, response.headers["allow"]) == (405, allowed)


# ---- who may ----

ASKED = [
    ("POST", "/api/ask", {"question": "How long?"}),
    ("POST", "/api/search", {"question": "How long?"}),
    ("POST", "/api/feedback", {"id": NEVER, "verdict": "good"}),
    ("GET", "/api/documents", None),
    ("POST", "/api/documents", None),
    ("DELETE", f"/api/documents/{OWN.id}", None),
    ("GET", "/api/jobs", None),
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/rag", None),
    ("POST", "/v1/chat/completions", {"model": "rag", "messages": [{"role": "user", "content": "How long?"}]}),
]


@pytest.mark.parametrize("key", ["none", "revoked", "disabled", "made up", "basic", "empty"])
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: " ".join(asked[:2]))
def test_nothing_is_done_without_a_good_key_where_people_are_registered(guarded, scripted, team, key, asked):
    method, path, body = asked
    headers = {
        "none": {},
        "made up": bearer("rag_0123456789ab_" + "x" * 43),
        "basic": {"authorization": "Basic cm9vdDpyb290"},
        "empty": {"authorization": "Bearer "},
    }.get(key) or (bearer(team[key]) if key in team else {})

    response = guarded.request(method, path, json=body, headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer" in message(response)
    assert scripted.asked == []
    assert len(scripted.shelf) == 2


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_with_a_password_a_key_is_needed_on_loopback_too(scripted, locked, method, path, body):
    assert locked.request(method, path, json=body).status_code == 401


@pytest.fixture(scope="module")
def locked(one_desk, tmp_path_factory):
    home = tmp_path_factory.mktemp("locked")
    with closing(AppDatabase(home / "app.db")) as database:
        _, secret = Keys(database).add("script")
    with TestClient(create_app(one_desk.desk(), home=home, password="open sesame"), base_url=HERE) as client:
        client.secret = secret
        yield client


def test_with_a_password_a_key_of_nobody_opens_everything(locked, scripted):
    response = locked.post("/api/ask", json={"question": "How long?"}, headers=bearer(locked.secret))

    assert response.status_code == 200


def test_a_cookie_opens_nothing_here(locked, scripted):
    locked.get("/healthz")
    locked.post("/login", data={"password": "open sesame"})
    signed_in = locked.get("/jobs").status_code
    asked = locked.post("/api/ask", json={"question": "How long?"}).status_code
    locked.cookies.clear()

    assert (signed_in, asked) == (200, 401)


def test_programs_are_given_no_cookie(client):
    assert "set-cookie" not in client.get("/api/documents").headers


def test_another_site_is_refused_before_anything_is_done(client, scripted):
    for method, path, body in ASKED:
        response = client.request(method, path, json=body, headers={"origin": "https://evil.example"})
        assert response.status_code == 403
    assert scripted.asked == []
    assert len(scripted.shelf) == 2


def test_while_nobody_needs_a_key_a_clients_made_up_one_does_no_harm(client):
    unset = client.get("/v1/models", headers=bearer("sk-none"))
    wrong = client.get("/v1/models", headers=bearer("rag_0123456789ab_" + "x" * 43))

    assert (unset.status_code, wrong.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("key", "read", "statuses"),
    [
        ("reader", {HANDBOOK.id, OWN.id}, (200, 403)),
        ("stranger", {HANDBOOK.id}, (404, 404)),
        ("handbook only", {HANDBOOK.id}, (404, 404)),
        ("editor", {HANDBOOK.id, OWN.id}, (200, 200)),
        ("root", {HANDBOOK.id, OWN.id}, (200, 200)),
    ],
)
def test_a_key_reaches_what_its_person_may(guarded, scripted, team, key, read, statuses):
    asked_there, removed = statuses
    headers = bearer(team[key])
    listed = guarded.get("/api/documents", headers=headers).json()["documents"]
    models = [one["id"] for one in guarded.get("/v1/models", headers=headers).json()["data"]]
    asking = guarded.post("/api/ask", json={"question": "How long?", "spaces": ["documents"]}, headers=headers)
    as_model = {"model": "rag:documents", "messages": [{"role": "user", "content": "How long?"}]}
    chatting = guarded.post("/v1/chat/completions", json=as_model, headers=headers)
    removing = guarded.delete(f"/api/documents/{OWN.id}", headers=headers)

    assert {one["document_id"] for one in listed} == read
    assert ("rag:documents" in models) == (OWN.id in read)
    assert (asking.status_code, chatting.status_code, removing.status_code) == (asked_there, asked_there, removed)
    assert len(scripted.shelf) == (1 if removed == 200 else 2)


def test_nobody_judges_an_answer_to_somebody_else(guarded, scripted, team):
    asked = guarded.post("/api/ask", json={"question": "How long?"}, headers=bearer(team["reader"]))
    body = {"id": asked.json()["id"], "verdict": "poor"}

    other = guarded.post("/api/feedback", json=body, headers=bearer(team["editor"]))
    own = guarded.post("/api/feedback", json=body, headers=bearer(team["reader"]))

    assert (other.status_code, own.status_code) == (404, 200)


@pytest.mark.slow
def test_a_key_that_is_revoked_in_the_middle_ends_the_answer(guarded, scripted, team_home, team, monkeypatch):
    monkeypatch.setattr("rag_app.web.programs.LOOK_S", 0.0)
    with closing(AppDatabase(team_home / "app.db")) as database:
        key, secret = Keys(database).add("brief", person=Roster(database).named("Root").id)
        asked = scripted.ask

        async def revoking(*words, **named):
            async for answer in asked(*words, **named):
                yield answer
                Keys(database).revoke(key.id)

        monkeypatch.setattr(scripted, "ask", revoking)
        app = create_app(scripted.desk(), home=team_home)
        with TestClient(app, base_url=HERE) as client:
            response = client.post("/api/ask", json={"question": "How long?"}, headers=bearer(secret))

    assert response.status_code == 401

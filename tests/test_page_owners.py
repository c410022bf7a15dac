import asyncio
import json

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from starlette.testclient import TestClient

from rag_app.web.guard import NOTHING_HERE, Guard
from rag_app.web.page_owners import BODY_MOST, NOT_YOURS, TOO_LONG, PageOwners
from rag_app.web.people import BROWSER_COOKIE, People

pytestmark = pytest.mark.slow

PAGE = "page of the first"
DATA = "/gradio_api/queue/data"
JOIN = "/gradio_api/queue/join"
EVENT = json.dumps({"session_hash": PAGE, "data": []}).encode()


class Behind:
    """What is behind the guard: keeps the bodies it was sent, and finds nothing at /lost."""

    def __init__(self):
        self.bodies = []

    async def __call__(self, scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        status = 404 if scope["path"] == "/lost" else 200
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"found": false}'})


class Door:
    """The guard and two browsers before it."""

    def __init__(self):
        people = People(b"secret", "")
        self.behind = Behind()
        self._guard = Guard(self.behind, people, loopback=True)
        self._cookies = {name: people.new_browser()[1] for name in ("first", "second")}

    def sent(self, browser, method, path, query="", body=b"", **headers):
        """Status, type and text of the answer to a request whose body comes in two pieces."""
        pieces = [
            {"type": "http.request", "body": body[:9], "more_body": True},
            {"type": "http.request", "body": body[9:], "more_body": False},
        ]
        answers = []

        async def receive():
            return pieces.pop(0)

        async def send(message):
            answers.append(message)

        cookie = f"{BROWSER_COOKIE}={self._cookies[browser]}"
        given = {"host": "127.0.0.1", "cookie": cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
        scope = {
            "type": "http", "scheme": "http", "method": method, "path": path, "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip
        asyncio.run(self._guard(scope, receive, send))
        start, *rest = answers
        kind = dict(start["headers"])[b"content-type"].decode()
        return start["status"], kind, b"".join(one["body"] for one in rest).decode()


@pytest.fixture
def door():
    return Door()


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", DATA, "session_hash=page+of+the+first", b""),
        ("GET", DATA, "session_hash=mine&session_hash=page%20of%20the%20first", b""),
        ("GET", f"/gradio_api/heartbeat/{PAGE}", "", b""),
        ("POST", JOIN, "", EVENT),
        ("POST", JOIN, "session_hash=mine", EVENT),
        ("POST", "/gradio_api/run/predict", "", EVENT),
        ("POST", "/gradio_api/cancel", "", EVENT),
        ("POST", "/gradio_api/reset", "", EVENT),
    ],
)
def test_a_page_is_nobodys_who_merely_knows_its_name(door, method, path, query, body):
    assert door.sent("first", "POST", JOIN, body=EVENT)[0] == 200

    status, _, text = door.sent("second", method, path, query, body)

    assert (status, json.loads(text)["error"]["message"]) == (403, NOT_YOURS)
    assert door.behind.bodies == [EVENT]
    assert door.sent("first", method, path, query.replace("session_hash=mine", ""), body)[0] == 200
    assert door.sent("second", "GET", DATA, "session_hash=mine")[0] == 200


@pytest.mark.parametrize("body", [b"", b"[" * 99_999, b"[1]", b'{"session_hash": ["x"]}', b'{"session_hash": null}'])
def test_what_names_no_page_is_for_gradio_to_refuse(door, body):
    assert door.sent("first", "POST", JOIN, body=body)[0] == 200
    assert door.behind.bodies == [body]


def test_more_than_a_page_sends_is_refused_before_it_is_read_to_its_end(door):
    status, _, text = door.sent("first", "POST", JOIN, body=b" " * (BODY_MOST + 10))

    assert (status, json.loads(text)["error"]["message"]) == (413, TOO_LONG)
    assert door.behind.bodies == []


def test_pages_are_their_first_owners_until_too_many_came_after_them():
    owners = PageOwners(kept=2)

    assert owners.admits({"a"}, "one")
    assert not owners.admits({"a", "b"}, "two")
    assert owners.admits({"b"}, "two")
    assert owners.admits({"a"}, "one")
    assert owners.admits({"c"}, "three")  # now b is the one that nobody named for longest
    assert owners.admits({"b"}, "four")
    assert not owners.admits({"c"}, "one")


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/html", "sec_fetch_dest": "document"},
        {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    ],
)
@pytest.mark.parametrize("path", ["/lost", "/gradio_api/info"])
def test_who_goes_to_an_address_where_there_is_nothing_reads_so_on_a_page(door, headers, path):
    status, kind, text = door.sent("first", "GET", path, **headers)

    assert (status, kind) == (404, "text/html; charset=utf-8")
    assert NOTHING_HERE in text
    assert 'href="/"' in text


@pytest.mark.parametrize("headers", [{"accept": "text/html"}, {"accept": "text/html", "sec_fetch_dest": "empty"}, {}])
def test_scripts_and_programs_get_what_was_answered(door, headers):
    assert door.sent("first", "GET", "/lost", **headers) == (404, "application/json", '{"found": false}')


@pytest.mark.slow
def test_gradio_streams_to_the_page_that_joined(tmp_path):
    from rag_app.web.server import create_app

    app = create_app(ScriptedDesk(tmp_path, (HANDBOOK, OWN)).desk(), home=tmp_path)
    mounted = next(route.app for route in app.routes if type(route).__name__ == "Mount")
    while not hasattr(mounted, "blocks"):
        mounted = mounted.app
    resume = next(number for number, one in mounted.blocks.fns.items() if one.fn.__name__ == "_resume")
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        client.get("/healthz")
        mine = client.cookies[BROWSER_COOKIE]
        event = {"data": [], "fn_index": resume, "session_hash": PAGE, "event_data": {"turns": 20}}
        assert client.post(JOIN, json=event).status_code == 200
        client.cookies.clear()
        assert client.get(DATA, params={"session_hash": PAGE}).status_code == 403

        client.cookies.clear()
        client.cookies.set(BROWSER_COOKIE, mine)
        told = client.get(DATA, params={"session_hash": PAGE}).text
    ended = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]
    assert [one["success"] for one in ended if one["msg"] == "process_completed"] == [True]

import itertools
from contextlib import closing

import pytest
from argon2 import PasswordHasher
from scripted_desk import HANDBOOK, ScriptedDesk
from starlette.testclient import TestClient

from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.team import passwords
from rag_app.team.attempts import Attempts
from rag_app.team.audit import Audit
from rag_app.team.entrance import BY_ADDRESS, BY_NAME, TOO_MANY, WRONG, Entrance, NotLetIn, TooManyTries
from rag_app.team.people import Roster
from rag_app.team.sessions import Invitations, Sessions
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

GIVEN = "three words in a row"
HERE = "http://127.0.0.1:7860"
PAGE = {"accept": "text/html"}


class CountingHasher:
    """argon2id with small parameters; counts how often it verifies."""

    def __init__(self):
        self._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def hash(self, password):
        return self._hasher.hash(password)

    def verify(self, kept, password):
        self.verified += 1
        return self._hasher.verify(kept, password)


@pytest.fixture
def hasher(monkeypatch):
    counting = CountingHasher()
    monkeypatch.setattr(passwords, "_hasher", counting)
    passwords._nobodys.cache_clear()
    yield counting
    passwords._nobodys.cache_clear()


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def roster(database, hasher):
    made = Roster(database)
    made.add("root", password=passwords.hashed(GIVEN), administrator=True)
    for number in range(20):
        made.add(f"person {number}", password=passwords.hashed(GIVEN))
    return made


@pytest.fixture
def entrance(database, roster):
    return Entrance(roster, Sessions(database), Invitations(database), Audit(database))


@pytest.fixture
def client(tmp_path, database, roster):
    app = create_app(ScriptedDesk(tmp_path, (HANDBOOK,)).desk(), home=tmp_path, secret=b"known")
    with TestClient(app, base_url=HERE, follow_redirects=False) as opened:
        yield opened


def refused(entrance, name, password, address):
    with pytest.raises(NotLetIn) as caught:
        entrance.sign_in(name, password, address)
    return str(caught.value)


# ---- as many tries as somebody needs, and no more ----


def test_known_and_unknown_names_cost_the_same_and_are_told_the_same(entrance, hasher, roster):
    roster.disable(roster.named("person 3").id)
    roster.add("invited")
    told, work = {}, {}

    for number, name in enumerate(["root", "nobody", "person 3", "invited", "", "x" * 4000]):
        before = hasher.verified
        told[name] = refused(entrance, name, "wrong password", f"10.0.0.{number}")
        work[name] = hasher.verified - before

    assert set(told.values()) == {WRONG}
    assert set(work.values()) == {1}


def test_500_attempts_from_one_address_are_stopped_after_a_few(client, hasher):
    names = [f"person {number}" if number % 2 else f"nobody {number}" for number in range(500)]

    answers = [client.post("/login", data={"name": name, "password": "wrong password"}) for name in names]

    assert [one.status_code for one in answers] == [401] * BY_ADDRESS + [429] * (500 - BY_ADDRESS)
    assert len({one.text for one in answers[:BY_ADDRESS]}) == 1
    assert len({one.text for one in answers[BY_ADDRESS:]}) == 1
    assert hasher.verified == BY_ADDRESS
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.parametrize("name", ["root", "nobody"])
def test_a_name_is_tried_ten_times_wherever_from_whether_it_is_known_or_not(entrance, hasher, name):
    told = [refused(entrance, name, "wrong password", f"10.0.{number}.1") for number in range(BY_NAME + 5)]

    assert told == [WRONG] * BY_NAME + [TOO_MANY] * 5
    assert hasher.verified == BY_NAME
    with pytest.raises(TooManyTries):
        entrance.sign_in(name, GIVEN, "10.9.9.9")
    assert entrance.sign_in("person 1", GIVEN, "10.9.9.9")


def test_right_passwords_do_not_count(entrance):
    for _ in range(BY_ADDRESS + 5):
        assert entrance.sign_in("root", GIVEN, "10.0.0.1")


def test_attempts_are_forgotten_after_a_while_and_the_memory_is_bounded():
    clock = itertools.count()
    attempts = Attempts(2, 10, now=lambda: next(clock))

    assert [attempts.allow("a") for _ in range(4)] == [True, True, False, False]
    for _ in range(8):
        next(clock)
    assert attempts.allow("a")
    for number in range(5000):
        attempts.allow(str(number))
    assert len(attempts._made) == 4096


# ---- in and out ----


def test_signing_in_sets_a_cookie_that_scripts_cannot_read_and_signing_out_ends_it(client):
    asked = client.get("/library?x=1", headers=PAGE)
    given = client.post("/login", data={"name": "ROOT", "password": GIVEN, "next": "/library?x=1"})

    assert asked.headers["location"] == "/login?next=%2Flibrary%3Fx%3D1"
    assert given.headers["location"] == "/library?x=1"
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(given.headers["set-cookie"].split("; "))
    assert client.get("/jobs").status_code == 200
    secret = client.cookies[SESSION_COOKIE]
    assert client.post("/sign-out").headers["location"] == "/login"
    client.cookies.set(SESSION_COOKIE, secret)
    assert client.get("/jobs").status_code == 401


def test_signing_out_everywhere_ends_the_others_too(client, database, roster):
    elsewhere = Sessions(database).begin(roster.named("root").id)
    client.post("/login", data={"name": "root", "password": GIVEN})

    client.post("/sign-out", data={"everywhere": "1"})

    assert Sessions(database).person(elsewhere) is None
    assert [one.detail for one in Audit(database).listed(act="sign out")] == ["everywhere"]


def test_a_link_lets_one_choose_a_password_once(client, database, roster):
    link = Invitations(database).invite(roster.add("Ann <b>").id)

    shown = client.get(f"/invitations/{link}")
    short = client.post(f"/invitations/{link}", data={"password": "short"})
    given = client.post(f"/invitations/{link}", data={"password": GIVEN})
    again = client.post(f"/invitations/{link}", data={"password": GIVEN})

    assert "Ann &lt;b&gt;" in shown.text
    assert short.status_code == 422
    assert "10 to 512 characters" in short.text
    assert given.status_code == 303
    assert client.get("/jobs").status_code == 200
    assert again.status_code == 404
    assert "Ask an administrator" in again.text


def test_no_password_and_no_typed_name_stands_in_the_audit_log(entrance, database):
    refused(entrance, "my secret typed as a name", "wrong password", "10.0.0.1")
    entrance.sign_in("root", GIVEN, "10.0.0.2")

    kept = repr(Audit(database).listed())

    assert "secret" not in kept
    assert GIVEN not in kept
    assert [one.act for one in Audit(database).listed()] == ["sign in", "sign-in refused"]


# ---- people and spaces, by an administrator ----


def test_an_administrator_registers_disables_and_gives_roles(client, roster):
    client.post("/login", data={"name": "root", "password": GIVEN})

    added = client.post("/people", data={"name": "Ann"})
    ann = roster.named("ann").id
    client.post("/spaces", data={"space": "sales"})
    client.post(f"/people/{ann}", data={"act": "role", "space": "sales", "role": "editor"})

    assert f"{HERE}/invitations/" in added.text
    assert roster.who(ann).roles == {"sales": Role.EDITOR}
    assert "editor of sales" in client.get("/people").text
    client.post(f"/people/{ann}", data={"act": "role", "space": "sales", "role": ""})
    client.post(f"/people/{ann}", data={"act": "disable"})
    assert roster.who(ann) is None
    last = client.post(f"/people/{roster.named('root').id}", data={"act": "disable"})
    assert last.status_code == 422
    assert "last administrator" in last.text


def test_while_nobody_is_registered_there_is_no_people_page(tmp_path):
    home = tmp_path / "other"
    home.mkdir()
    app = create_app(ScriptedDesk(home, (HANDBOOK,)).desk(), home=home, secret=b"known")

    with TestClient(app, base_url=HERE) as client:
        assert client.get("/people").status_code == 404
        assert client.get("/jobs").status_code == 200

"""Owners look after their spaces, and nothing else; administrators remove any space from the same page."""

from contextlib import closing

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from starlette.testclient import TestClient

from rag_app.access import Role, Who, decides_on
from rag_app.app_database import AppDatabase
from rag_app.space_removal import Emptied
from rag_app.team.audit import Audit
from rag_app.team.people import Roster, TeamError
from rag_app.team.sessions import Sessions
from rag_app.web.office import Office
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow


class World:
    """A server with an owner of sales, a reader of it, an administrator, and somebody in no space."""

    def __init__(self, home):
        self.database = AppDatabase(home / "app.db")
        self.roster, self.emptied = Roster(self.database), []
        self.ids = {"root": self.roster.add("root", password="none", administrator=True).id}
        for name in ("owner", "reader", "nobody"):
            self.ids[name] = self.roster.add(name, password="none").id
        for name, space, role in (
            ("owner", "sales", Role.OWNER),
            ("owner", "board", Role.READER),
            ("reader", "sales", Role.READER),
        ):
            self.roster.grant(self.ids[name], space, role)
        desk = ScriptedDesk(home, (HANDBOOK, OWN)).desk()
        app = create_app(desk, Office(empty_space=self.empty), home=home, secret=b"known")
        self.client = TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False)

    def empty(self, space, documents):
        if not documents:
            raise TeamError(f"The space {space} holds 1 document.")
        self.emptied.append(space)
        return Emptied(space)

    def send(self, person, path, **form):
        self.client.cookies.clear()
        self.client.cookies.set(SESSION_COOKIE, Sessions(self.database).begin(self.ids[person]))
        return self.client.post(path, data=form) if form else self.client.get(path)

    def members(self, space="sales"):
        return {person.name: role for person, role in self.roster.members(space)}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    with closing(made.database), made.client:
        yield made


@pytest.mark.parametrize(
    ("who", "decides"),
    [
        (Who("1", roles={"sales": Role.OWNER}), True),
        (Who("1", roles={"sales": Role.EDITOR}), False),
        (Who("1", roles={}, administrator=True), True),
        (Who("1", roles={"sales": Role.OWNER}, only=frozenset({"sales"})), False),
        (Who("1"), False),
    ],
)
def test_owners_decide_in_person_and_keys_never(who, decides):
    assert decides_on(who, "sales") == decides
    assert not decides_on(who, "handbook")


def test_an_owner_lets_people_in_changes_their_role_and_takes_them_out(world):
    assert world.send("owner", "/spaces/members", space="sales", name="NOBODY", role="editor").status_code == 303
    assert world.members()["nobody"] == Role.EDITOR
    world.send("owner", "/spaces/members", space="sales", name="nobody", role="owner")
    assert world.members()["nobody"] == Role.OWNER
    world.send("owner", "/spaces/members", space="sales", name="nobody", role="")
    assert set(world.members()) == {"owner", "reader"}

    noted = [(entry.name, entry.subject, entry.detail) for entry in Audit(world.database).listed(act="role")]
    assert noted == [
        ("owner", "nobody", "none in sales"),
        ("owner", "nobody", "owner in sales"),
        ("owner", "nobody", "editor in sales"),
    ]
    assert not world.roster.named("nobody").administrator


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"space": "board", "name": "nobody", "role": "reader"}, 403, "You do not decide on the space board"),
        ({"space": "elsewhere", "name": "nobody", "role": "reader"}, 403, "You do not decide on the space elsewhere"),
        ({"space": "sales", "name": "nobody", "role": "administrator"}, 422, "could not be read"),
        ({"space": "sales", "name": "somebody else", "role": "reader"}, 422, "nobody called somebody else"),
        ({"space": "sales", "name": "nobody", "role": ""}, 422, "nobody is not in sales"),
        ({"space": "sales", "name": "owner", "role": ""}, 422, "You are the only owner of sales"),
        ({"space": "sales", "name": "owner", "role": "reader"}, 422, "You are the only owner of sales"),
    ],
)
def test_what_an_owner_may_not_do_is_refused_in_words_and_changes_nothing(world, form, status, said):
    before = world.members(), world.members("board")

    response = world.send("owner", "/spaces/members", **form)

    assert (response.status_code, said in response.text) == (status, True)
    assert (world.members(), world.members("board")) == before


def test_an_owner_may_leave_when_there_is_another_but_a_disabled_one_does_not_count(world):
    world.roster.grant(world.ids["reader"], "sales", Role.OWNER)
    world.roster.disable(world.ids["reader"])
    assert world.send("owner", "/spaces/members", space="sales", name="owner", role="reader").status_code == 422

    world.roster.enable(world.ids["reader"])
    left = world.send("owner", "/spaces/members", space="sales", name="owner", role="reader")

    assert (left.status_code, left.headers["location"]) == (303, "/")  # the page is not theirs any more
    assert world.send("owner", "/spaces").status_code == 403


def test_an_administrator_takes_out_the_last_owner(world):
    assert world.send("root", "/spaces/members", space="sales", name="owner", role="").status_code == 303
    assert set(world.members()) == {"reader"}


def test_the_page_shows_an_owner_their_spaces_alone(world):
    world.roster.grant(world.ids["reader"], "board", Role.OWNER)

    page = world.send("owner", "/spaces").text

    assert 'id="space-0"' in page
    assert 'id="space-1"' not in page
    assert ">sales<" in page
    assert ">board<" not in page
    assert 'href="/spaces"' in world.send("owner", "/spaces").text
    assert 'href="/audit"' not in page


def test_a_space_goes_only_with_its_documents_where_that_is_said(world):
    refused = world.send("owner", "/spaces/removal", space="sales")
    assert (refused.status_code, "holds 1 document" in refused.text) == (422, True)
    assert world.members()

    done = world.send("owner", "/spaces/removal", space="sales", documents="1")

    assert (done.status_code, world.emptied) == (200, ["sales"])
    assert "The space sales is gone. With it went: 2 members." in done.text
    assert world.members() == {}
    [entry] = Audit(world.database).listed(act="space removed")
    assert (entry.name, entry.subject, entry.detail) == ("owner", "sales", "2 members")


def test_the_usual_space_stays_whoever_asks(world):
    response = world.send("root", "/spaces/removal", space="documents", documents="1")

    assert (response.status_code, world.emptied) == (422, [])
    assert "so it stays" in response.text

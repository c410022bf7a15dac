from contextlib import closing

import pytest

from rag_app.access import HANDBOOK, Role, Who, may
from rag_app.app_database import AppDatabase
from rag_app.team.audit import DETAIL_LIMIT, Audit
from rag_app.team.passwords import LEAST, hashed, matches
from rag_app.team.people import Roster, TeamError
from rag_app.team.sessions import IDLE_S, INVITED_S, WHOLE_S, Invitations, Sessions

GIVEN = "three words in a row"


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def roster(database):
    return Roster(database)


@pytest.fixture
def root(roster):
    return roster.add("Root", password="hash", administrator=True)


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


# ---- who is there ----


def test_nobody_is_registered_until_somebody_is(roster):
    assert not roster.registered()

    roster.add("root", administrator=True)

    assert roster.registered()


def test_the_first_person_must_be_an_administrator(roster):
    with pytest.raises(TeamError, match=r"first person must be an administrator.*--admin"):
        roster.add("ann")

    assert roster.people() == []


def test_a_person_may_do_what_they_were_granted(roster, root):
    ann = roster.add("Ann")
    roster.grant(ann.id, "sales", Role.READER)
    roster.grant(ann.id, "sales", Role.EDITOR)
    roster.grant(ann.id, "board", Role.READER)

    who = roster.who(ann.id)

    assert who == Who(ann.id, "Ann", roles={"board": Role.READER, "sales": Role.EDITOR})
    assert roster.who(root.id).administrator
    assert roster.members("sales") == [(roster.named("ANN"), Role.EDITOR)]
    assert roster.revoke(ann.id, "board")
    assert not roster.revoke(ann.id, "board")
    assert roster.who(ann.id).roles == {"sales": Role.EDITOR}


def test_a_key_never_reaches_beyond_its_spaces(roster, root):
    who = roster.who(root.id, only=frozenset({"sales"}))

    assert may(who, Role.OWNER, "sales")
    assert not may(who, Role.READER, "board")


def test_a_name_is_one_person_however_it_is_written(roster, root):
    with pytest.raises(TeamError, match="There is somebody called"):
        roster.add("\uff32\uff2f\uff2f\uff34 ", administrator=True)  # in full width

    assert roster.named(" rOOt ").id == root.id
    assert roster.secret_of("ROOT") == (root.id, "hash")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81, "\ud800"])
def test_what_is_no_name_is_refused(roster, root, name):
    with pytest.raises(TeamError, match="1 to 80 printable"):
        roster.add(name)
    with pytest.raises(TeamError, match="The name of a space"):
        roster.add_space(name)


def test_a_disabled_person_is_nobody_until_enabled_again(roster, root, database):
    ann = roster.add("ann", password="hash")
    secret, link = Sessions(database).begin(ann.id), Invitations(database).invite(ann.id)

    roster.disable(ann.id)

    assert roster.who(ann.id) is None
    assert roster.secret_of("ann") is None
    assert Sessions(database).person(secret) is None
    assert Invitations(database).invited(link) is None
    roster.enable(ann.id)
    assert roster.who(ann.id) is not None
    assert Sessions(database).person(secret) is None


@pytest.mark.parametrize("act", ["disable", "remove", "demote"])
def test_the_last_administrator_stays(roster, root, act):
    other = roster.add("other", administrator=True)
    roster.disable(other.id)
    acts = {
        "disable": lambda: roster.disable(root.id),
        "remove": lambda: roster.remove(root.id),
        "demote": lambda: roster.set_administrator(root.id, administrator=False),
    }

    with pytest.raises(TeamError, match="last administrator"):
        acts[act]()

    assert roster.who(root.id).administrator
    roster.enable(other.id)
    acts[act]()
    assert roster.who(root.id) is None or not roster.who(root.id).administrator


def test_a_removed_person_leaves_no_conversation_role_or_session(roster, root, database):
    ann = roster.add("ann")
    roster.grant(ann.id, "sales", Role.OWNER)
    Sessions(database).begin(ann.id)
    with database.writing() as connection:
        connection.execute("INSERT INTO conversation VALUES ('c', ?, '', '', '')", (ann.id,))
        connection.execute("INSERT INTO conversation VALUES ('p', ?, '', '', '')", (f"program {ann.id}",))

    roster.remove(ann.id)

    for table in ("member", "session", "conversation"):
        assert database.rows(f"SELECT * FROM {table}") == []
    assert roster.spaces() == ["sales"]


def test_spaces_are_those_made_and_those_with_members(roster, root):
    assert roster.add_space(" board ") == "board"
    roster.grant(root.id, "sales", Role.OWNER)
    roster.grant(root.id, HANDBOOK, Role.EDITOR)

    assert roster.spaces() == ["board", HANDBOOK, "sales"]


# ---- sessions and links ----


def test_a_session_ends_when_it_is_not_used(roster, root, database):
    clock = Clock()
    sessions = Sessions(database, clock)
    secret = sessions.begin(root.id)

    clock.now += IDLE_S - 1
    assert sessions.person(secret) == root.id
    clock.now += IDLE_S - 1
    assert sessions.person(secret) == root.id
    clock.now += IDLE_S
    assert sessions.person(secret) is None


def test_a_session_ends_however_busy_it_is(roster, root, database):
    clock = Clock()
    sessions = Sessions(database, clock)
    secret = sessions.begin(root.id)
    begun = clock.now

    while clock.now + IDLE_S / 2 < begun + WHOLE_S:
        clock.now += IDLE_S / 2
        assert sessions.person(secret) == root.id
    clock.now = begun + WHOLE_S

    assert sessions.person(secret) is None


def test_one_browser_signs_out_or_all_of_them(roster, root, database):
    sessions = Sessions(database)
    first, second, third = (sessions.begin(root.id) for _ in range(3))

    sessions.end(first)
    assert [sessions.person(one) for one in (first, second, third)] == [None, root.id, root.id]
    sessions.end_all(root.id)
    assert [sessions.person(one) for one in (second, third)] == [None, None]


def test_no_secret_lies_in_the_file(roster, root, database):
    secret, link = Sessions(database).begin(root.id), Invitations(database).invite(root.id)

    kept = repr(database.rows("SELECT * FROM session") + database.rows("SELECT * FROM invitation"))

    assert secret not in kept
    assert link not in kept
    assert Sessions(database).person(kept) is None
    assert Sessions(database).person("") is None


def test_another_password_signs_out_everywhere(roster, root, database):
    secret = Sessions(database).begin(root.id)

    roster.set_password(root.id, "other hash")

    assert Sessions(database).person(secret) is None
    assert roster.secret_of("root") == (root.id, "other hash")


def test_a_link_is_good_once_and_for_a_day(roster, root, database):
    clock = Clock()
    links = Invitations(database, clock)
    ann = roster.add("Ann")
    replaced, link = links.invite(ann.id), links.invite(ann.id)

    assert links.invited(replaced) is None
    assert links.invited(link) == (ann.id, "Ann")
    assert links.accept(link, "hash") == ann.id
    assert roster.secret_of("ann") == (ann.id, "hash")
    with pytest.raises(TeamError, match="Ask an administrator"):
        links.accept(link, "another")

    late = links.invite(ann.id)
    clock.now += INVITED_S
    assert links.invited(late) is None
    with pytest.raises(TeamError, match="older than a day"):
        links.accept(late, "another")
    assert roster.secret_of("ann") == (ann.id, "hash")


# ---- passwords ----


@pytest.mark.slow
def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own():
    first, second = hashed(GIVEN), hashed(GIVEN)

    assert first.startswith("$argon2id$")
    assert first != second
    assert matches(first, GIVEN)
    assert not matches(first, GIVEN + " ")
    assert not matches(None, GIVEN)
    assert not matches(None, "the password of nobody")
    assert not matches("damaged", GIVEN)


@pytest.mark.parametrize("password", ["", "x" * (LEAST - 1), "x" * 513])
def test_a_short_password_is_refused(password):
    with pytest.raises(TeamError, match="10 to 512 characters"):
        hashed(password)


# ---- what was done ----


def test_the_audit_lists_what_was_done_newest_first(database):
    audit = Audit(database)
    ann, ben = Who("a" * 32, "ann"), Who("b" * 32, "ben")

    audit.note(ann, "upload", "plan.pdf", "space sales")
    audit.note(ben, "remove", "plan.pdf" * 100)
    audit.note(ann, "sign in", "ann")

    assert [(one.name, one.act) for one in audit.listed()] == [("ann", "sign in"), ("ben", "remove"), ("ann", "upload")]
    assert [one.detail for one in audit.listed(act="upload")] == ["space sales"]
    assert [one.act for one in audit.listed(person=ben.id)] == ["remove"]
    assert len(audit.listed(act="remove")[0].subject) == DETAIL_LIMIT
    assert len(audit.listed(limit=1)) == 1

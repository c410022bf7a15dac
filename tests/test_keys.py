import json
import re
from contextlib import closing

import pytest

from rag_app.__main__ import main
from rag_app.access import Role, may, readable
from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit
from rag_app.team.keys import LOCAL, MOST_DAYS, USED_S, Keys
from rag_app.team.people import Roster, TeamError

DAY_S = 24 * 3600.0


class Clock:
    def __init__(self):
        self.now = 1_750_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(database, clock):
    return Keys(database, clock)


@pytest.fixture
def roster(database):
    return Roster(database)


def test_a_key_is_shown_once_and_kept_as_a_hash(keys, database, tmp_path):
    key, secret = keys.add("nightly report")

    assert re.fullmatch(rf"rag_{key.id}_[A-Za-z0-9_-]{{43}}", secret)
    assert keys.who(secret).id == LOCAL
    database.close()
    tail = secret.rpartition(key.id)[2]
    assert all(tail.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_two_keys_never_share_a_secret(keys):
    made = [keys.add("same name")[1] for _ in range(20)]

    assert len({secret.rpartition("_")[2] for secret in made}) == 20


@pytest.mark.parametrize("spoil", ["last", "first", "id", "cut", "longer", "mark", "none", "half pair"])
def test_only_the_whole_secret_lets_in(keys, spoil):
    key, secret = keys.add("one")
    other = keys.add("two")[0]
    spoiled = {
        "last": secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        "first": secret.replace(f"_{secret[17]}", "_!", 1) if secret[17] != "!" else secret[:-2],
        "id": secret.replace(key.id, other.id),
        "cut": secret[:-1],
        "longer": secret + "A",
        "mark": secret.removeprefix("rag_"),
        "none": "",
        "half pair": "rag_\ud800_\ud800",
    }[spoil]

    assert keys.who(spoiled) is None


def test_a_key_runs_out(keys, clock):
    key, secret = keys.add("short", days=2)

    clock.now += 2 * DAY_S - 1
    before = keys.who(secret)
    clock.now += 1

    assert before is not None
    assert keys.who(secret) is None
    assert [(one.id, one.state) for one in keys.listed()] == [(key.id, "expired")]


def test_a_key_without_an_end_stays_good(keys, clock):
    key, secret = keys.add("forever", days=0)

    clock.now += 40 * 365 * DAY_S

    assert keys.who(secret) is not None
    assert key.expires == ""


def test_a_revoked_key_is_refused_at_once_and_stays_listed(keys):
    key, secret = keys.add("lost laptop")

    assert keys.revoke(key.id)
    assert keys.who(secret) is None
    assert not keys.revoke(key.id)
    assert keys.listed()[0].state == "revoked"


def test_the_last_use_is_noted_but_not_with_every_request(keys, clock):
    _, secret = keys.add("busy")
    unused = keys.listed()[0].used

    keys.who(secret)
    first = keys.listed()[0].used
    clock.now += USED_S - 1
    keys.who(secret)
    soon = keys.listed()[0].used
    clock.now += 1
    keys.who(secret)

    assert unused == ""
    assert first == soon
    assert keys.listed()[0].used > first


def test_a_wrong_secret_does_not_count_as_use(keys):
    _, secret = keys.add("quiet")

    keys.who(secret[:-1])

    assert keys.listed()[0].used == ""


def test_a_key_asks_for_its_person_and_follows_their_rights(keys, roster):
    roster.add("Root", administrator=True)
    ann = roster.add("Ann")
    roster.grant(ann.id, "sales", Role.EDITOR)
    _, secret = keys.add("helpdesk", person=ann.id)

    before = keys.who(secret)
    roster.revoke(ann.id, "sales")
    after = keys.who(secret)

    assert (before.id, before.name) == (ann.id, "Ann")
    assert may(before, Role.EDITOR, "sales")
    assert not may(after, Role.READER, "sales")


def test_a_limited_key_reaches_nothing_else_even_for_an_administrator(keys, roster):
    root = roster.add("Root", administrator=True)
    _, secret = keys.add("only sales", person=root.id, spaces=["sales"])

    assert readable(keys.who(secret), ["handbook", "law", "sales"]) == ["sales"]


def test_keys_of_somebody_who_may_not_come_in_are_dead(keys, roster):
    roster.add("Root", administrator=True)
    ann = roster.add("Ann")
    _, secret = keys.add("one", person=ann.id)
    _, other = keys.add("two", person=ann.id)

    roster.disable(ann.id)
    while_disabled = [keys.who(secret), keys.who(other)]
    roster.enable(ann.id)
    back = keys.who(secret)
    roster.remove(ann.id)

    assert while_disabled == [None, None]
    assert back is not None
    assert keys.who(secret) is None
    assert keys.listed() == []


def test_a_key_from_before_anybody_was_registered_ends_with_the_first_person(keys, roster):
    _, secret = keys.add("old script")

    roster.add("Root", administrator=True)

    assert keys.who(secret) is None


def test_a_key_needs_a_person_once_there_are_people(keys, roster):
    roster.add("Root", administrator=True)

    with pytest.raises(TeamError, match="--person NAME"):
        keys.add("whose?")
    with pytest.raises(TeamError, match="nobody of that name"):
        keys.add("whose?", person="f" * 32)


@pytest.mark.parametrize(
    ("name", "days", "spaces", "words"),
    [
        ("", 1, None, "1 to 80"),
        ("x" * 81, 1, None, "1 to 80"),
        ("a\x1b[31m", 1, None, "printable"),
        ("fine", -1, None, "1 to 3650 days"),
        ("fine", MOST_DAYS + 1, None, "1 to 3650 days"),
        ("fine", 1, [], "limited to no space"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_in_words(keys, name, days, spaces, words):
    with pytest.raises(TeamError, match=words):
        keys.add(name, days=days, spaces=spaces)

    assert keys.listed() == []


def test_everybody_sees_and_ends_their_own_keys_only(keys, roster):
    root, ann = roster.add("Root", administrator=True), roster.add("Ann")
    hers = keys.add("hers", person=ann.id)[0]
    his = keys.add("his", person=root.id)[0]

    assert [key.id for key in keys.listed(ann.id)] == [hers.id]
    assert not keys.revoke(his.id, ann.id)
    assert keys.revoke(hers.id, ann.id)
    assert {key.name: key.state for key in keys.listed()} == {"hers": "revoked", "his": "good"}


# ---- the command ----


@pytest.fixture
def rag(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))

    def run(*words):
        code = main(["keys", *words])
        return code, capsys.readouterr()

    return run


def test_the_command_makes_lists_and_revokes(rag, tmp_path):
    _, made = rag("add", "nightly report", "--space", "sales", "--days", "30", "--json")
    told = json.loads(made.out)["key"]
    _, listed = rag()
    _, revoked = rag("revoke", told["id"])
    _, after = rag("list", "--json")

    assert told["secret"].startswith(f"rag_{told['id']}_")
    assert told["spaces"] == ["sales"]
    assert f"{told['id']}  good     nightly report: only sales, until" in listed.out
    assert "nightly report is revoked" in revoked.out
    kept = json.loads(after.out)["keys"]
    assert [(key["id"], key["state"]) for key in kept] == [(told["id"], "revoked")]
    assert "secret" not in kept[0]
    with closing(AppDatabase(tmp_path / "home" / "app.db")) as database:
        assert [entry.act for entry in Audit(database).listed()] == ["key revoked", "key added"]
        assert all(told["secret"] not in entry.detail for entry in Audit(database).listed())


def test_the_command_says_once_how_a_key_is_sent(rag):
    _, made = rag("add", "by hand")
    secret = made.out.split()[0]

    assert made.out.endswith(f"Authorization: Bearer {secret}\n")
    assert "No keys" not in rag()[1].out
    assert secret not in rag()[1].out


def test_the_command_refuses_in_words(rag):
    code, unknown = rag("revoke", "000000000000")
    nobody = rag("add", "x", "--person", "Zoe")

    assert (code, nobody[0]) == (1, 1)
    assert "There is no key 000000000000" in unknown.err
    assert "nobody called Zoe" in nobody[1].err

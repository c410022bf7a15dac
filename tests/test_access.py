import pytest

from rag_app.access import HANDBOOK, Role, Who, may, readable, visible_spaces

NOBODY_REGISTERED = Who("a" * 32)
PERSON = Who("b" * 32, "ann", roles={"board": Role.READER, "sales": Role.EDITOR, "own": Role.OWNER})
ADMINISTRATOR = Who("c" * 32, "root", administrator=True, roles={})


@pytest.mark.parametrize(
    ("held", "asked", "seen"),
    [
        (["handbook"], None, ["handbook"]),
        (["documents", "handbook"], None, ["documents"]),
        (["documents", "handbook"], ["handbook"], ["handbook"]),
        (["documents"], ["board"], []),
        (["a", "b"], [], []),
        ([], None, []),
    ],
)
def test_the_handbook_answers_only_while_it_is_alone_or_asked_for(held, asked, seen):
    assert visible_spaces(held, asked) == seen


@pytest.mark.parametrize(
    ("space", "most"), [("board", Role.READER), ("sales", Role.EDITOR), ("own", Role.OWNER), ("other", None)]
)
@pytest.mark.parametrize("role", Role)
def test_a_person_may_do_what_their_role_in_the_space_allows_and_nothing_elsewhere(space, most, role):
    assert may(PERSON, role, space) == (most is not None and role <= most)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("who", [NOBODY_REGISTERED, ADMINISTRATOR])
def test_an_administrator_may_do_everything_and_so_may_anybody_while_nobody_is_registered(who, role):
    assert may(who, role, "other")


def test_everybody_reads_the_handbook_and_only_administrators_change_it():
    assert may(PERSON, Role.READER, HANDBOOK)
    assert not may(PERSON, Role.EDITOR, HANDBOOK)
    assert may(ADMINISTRATOR, Role.EDITOR, HANDBOOK)


@pytest.mark.parametrize("roles", [None, PERSON.roles])
def test_a_key_reaches_nothing_outside_its_spaces_whatever_its_person_may_do(roles):
    key = Who("d" * 32, "ann", administrator=True, roles=roles, only=frozenset({"board"}))
    assert readable(key, ["own", "board", HANDBOOK]) == ["board"]
    assert not may(key, Role.READER, "own")


def test_readable_keeps_the_order_and_leaves_out_the_rest():
    assert readable(PERSON, ["sales", "other", HANDBOOK, "board"]) == ["sales", HANDBOOK, "board"]

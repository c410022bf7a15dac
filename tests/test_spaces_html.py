import pytest
from hostile import hostile

from rag_app.access import Role, Who
from rag_app.web.spaces_html import add_to_html, ask_in_html, chosen, to_add_to, to_ask_in


@pytest.mark.parametrize(
    ("held", "choices"),
    [
        ([], []),
        (["documents"], []),
        (["documents", "handbook"], []),
        (["handbook"], []),
        (["documents", "handbook", "sales"], ["documents", "sales", "handbook"]),
    ],
)
def test_one_space_beside_the_handbook_is_no_choice(held, choices):
    assert to_ask_in(held) == choices
    assert (ask_in_html(choices, []) == "") == (choices == [])


def test_only_spaces_there_are_to_choose_from_are_chosen():
    choices = ["Büro, Nord", "documents", "sales"]

    assert chosen("sales\nBüro, Nord\nsecret\n", choices) == ["Büro, Nord", "sales"]
    assert chosen(("sales", "secret"), choices) == ["sales"]
    assert chosen("", choices) == chosen(None or (), choices) == []
    assert chosen("x" * 5000 + "\nsales", choices) == []


def test_all_is_pressed_where_nothing_is_chosen():
    everything = ask_in_html(["documents", "sales"], [])
    one = ask_in_html(["documents", "sales"], ["sales"])

    assert everything.count('aria-pressed="true"') == one.count('aria-pressed="true"') == 1
    assert 'data-ask-in="" aria-pressed="true"' in everything
    assert 'data-ask-in="sales" aria-pressed="true"' in one


def test_files_go_to_spaces_that_one_may_edit():
    known = {"documents", "sales", "handbook"}
    local, root = Who("0" * 32), Who("1" * 32, administrator=True, roles={})
    dana = Who("2" * 32, roles={"documents": Role.READER, "sales": Role.EDITOR, "new": Role.OWNER})

    assert to_add_to(known, local) == to_add_to(known, root) == ["documents", "sales"]
    assert to_add_to({*known, "new"}, dana) == ["new", "sales"]
    assert add_to_html(["sales"], "sales") == ""
    assert '<option value="sales" selected>' in add_to_html(["new", "sales"], "sales")


def test_hostile_names_stay_text():
    for name in hostile(40):
        for html in (ask_in_html([name, "b"], [name]), add_to_html([name, "b"], name)):
            assert "<script" not in html
            assert "<img" not in html

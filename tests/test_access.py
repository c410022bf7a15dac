import pytest

from rag_app.access import visible_spaces


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

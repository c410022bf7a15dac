from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered

from ingest.errors import LibraryError
from ingest.records import Job, JobState
from rag_app.access import Forbidden, Role, Who, reach
from rag_app.suggestions import Suggestions
from rag_app.web.narrowed import editable_space, narrowed

SALES = replace(OWN, id="1" * 32, space="sales", title="Sales plan", path="plan.pdf")
BOARD = replace(OWN, id="2" * 32, space="board", title="Board plan", path="plan.pdf")
READER = Who("a" * 32, "reader", roles={"sales": Role.READER})
EDITOR = Who("b" * 32, "editor", roles={"sales": Role.EDITOR})
OWNER = Who("c" * 32, "owner", roles={"board": Role.OWNER})
ROOT = Who("d" * 32, "root", administrator=True, roles={})
NEWCOMER = Who("e" * 32, "newcomer", roles={})
KEY = replace(ROOT, only=frozenset({"sales"}))


def job(identifier, space):
    return Job(identifier, space, "plan.pdf", "e" * 64, JobState.WAITING, "", None, 0, 0, 0, 0, 0.0, 10)


@pytest.fixture
def scripted(tmp_path):
    made = ScriptedDesk(tmp_path, (HANDBOOK, SALES, BOARD))
    made.queue = [job(1, "sales"), job(2, "board")]
    return made


def found_in(*documents):
    """An answer whose passages all come from these documents."""
    answer = answered("How long?")
    return replace(answer, hits=tuple(replace(answer.hits[0], document=one) for one in documents), citations=())


async def all_of(answers):
    return [answer async for answer in answers]


def test_while_nobody_is_registered_the_desk_is_as_it_is(scripted):
    desk = scripted.desk()

    assert narrowed(desk, Who("a" * 32)) is desk


@pytest.mark.parametrize(
    ("who", "spaces"),
    [
        (READER, ["handbook", "sales"]),
        (EDITOR, ["handbook", "sales"]),
        (OWNER, ["board", "handbook"]),
        (ROOT, ["board", "handbook", "sales"]),
        (NEWCOMER, ["handbook"]),
        (KEY, ["sales"]),
        (replace(READER, only=frozenset({"board"})), []),
    ],
)
def test_somebody_sees_documents_and_jobs_of_their_spaces_only(scripted, who, spaces):
    desk = narrowed(scripted.desk(), who)

    assert list(desk.spaces()) == spaces
    assert sorted(one.space for one in desk.documents()) == spaces
    assert [one.space for one in desk.jobs()] == [space for space in ("sales", "board") if space in spaces]
    own = [space for space in spaces if space != "handbook"]
    assert desk.status().documents == len(own or spaces)  # the handbook counts only where it is alone


def test_a_document_of_another_space_is_not_there(scripted):
    desk = narrowed(scripted.desk(), OWNER)

    for reached in (
        lambda: desk.original(SALES.id),
        lambda: desk.remove(SALES.id),
        lambda: desk.page_image(SALES.id, 1, quote="", near=0, width=600),
    ):
        with pytest.raises(LibraryError, match="no longer in the library"):
            reached()
    assert SALES in scripted.shelf


def test_a_reader_is_told_that_they_may_not_change_what_they_read(scripted, tmp_path):
    desk = narrowed(scripted.desk(), READER)
    desk.cancel(2)

    for refused in (
        lambda: desk.remove(SALES.id),
        lambda: desk.cancel(1),
        lambda: desk.add_upload(tmp_path / "plan.pdf", "plan.pdf", None, "sales"),
    ):
        with pytest.raises(Forbidden, match="may read the space sales, but not change"):
            refused()
    with pytest.raises(Forbidden, match="no space called board that you may add"):
        desk.add_upload(tmp_path / "plan.pdf", "plan.pdf", None, "board")
    with pytest.raises(Forbidden, match="no space yet that you may add"):
        desk.add_upload(tmp_path / "plan.pdf", "plan.pdf", None)
    assert SALES in scripted.shelf
    assert {one.state for one in scripted.queue} == {JobState.WAITING}


def test_an_editor_adds_to_their_space_removes_and_stops(scripted, tmp_path):
    (tmp_path / "new.pdf").write_bytes(b"%PDF")
    desk = narrowed(scripted.desk(), EDITOR)

    assert desk.add_upload(tmp_path / "new.pdf", "new.pdf", None).job.space == "sales"
    desk.cancel(1)
    desk.remove(SALES.id)

    assert SALES not in scripted.shelf
    assert [one.state for one in scripted.queue if one.id == 1] == [JobState.CANCELLED]


@pytest.mark.parametrize(
    ("who", "into"),
    [(READER, ""), (EDITOR, "sales"), (OWNER, "board"), (ROOT, "documents"), (NEWCOMER, ""), (KEY, "sales")],
)
def test_a_file_goes_where_its_sender_may_put_it(scripted, who, into):
    assert editable_space(scripted.desk(), who) == into


@pytest.mark.parametrize(
    ("who", "asked", "searched"),
    [
        (READER, None, ["sales"]),
        (READER, ["board", "sales"], ["sales"]),
        (READER, ["board"], []),
        (ROOT, None, ["board", "sales"]),
        (ROOT, ["board"], ["board"]),
        (NEWCOMER, None, ["handbook"]),
        (KEY, ["board", "sales"], ["sales"]),
    ],
)
async def test_a_question_is_asked_of_what_may_be_read(scripted, who, asked, searched):
    looked = []

    async def ask(*_question, spaces=None, **_given):
        looked.append(spaces)
        yield found_in()

    await all_of(narrowed(replace(scripted.desk(), ask=ask), who).ask("How long?", (), spaces=asked))

    assert looked == [searched]


async def test_an_answer_with_a_passage_from_elsewhere_is_not_given(scripted):
    async def ask(*_question, **_given):
        yield found_in(SALES)
        yield found_in(SALES, BOARD)

    answers = narrowed(replace(scripted.desk(), ask=ask), READER).ask("How long?", ())

    assert [one.document for one in (await anext(answers)).hits] == [SALES]
    with pytest.raises(Forbidden, match="may not read"):
        await anext(answers)


def test_suggestions_and_counts_are_asked_for_by_space(scripted):
    asked = []

    def suggested(spaces=None):
        asked.append(spaces)
        return Suggestions()

    desk = replace(scripted.desk(), suggestions=suggested)

    narrowed(desk, READER).suggestions()
    narrowed(desk, NEWCOMER).suggestions()
    narrowed(desk, ROOT).suggestions(["board", "nowhere"])

    assert asked == [["sales"], ["handbook"], ["board"]]


def test_the_tour_is_for_those_who_may_read_the_handbook(scripted):
    assert narrowed(scripted.desk(), NEWCOMER).search_handbook("How?").hits
    assert not narrowed(scripted.desk(), KEY).search_handbook("How?").hits


@pytest.mark.parametrize(
    ("who", "spaces"),
    [
        (Who("f" * 32), None),
        (ROOT, None),
        (KEY, ["sales"]),
        (READER, ["handbook", "sales"]),
        (NEWCOMER, ["handbook"]),
        (replace(READER, only=frozenset({"board"})), []),
    ],
)
def test_the_spaces_that_somebody_reaches_are_known_before_they_hold_anything(who, spaces):
    assert reach(who) == spaces

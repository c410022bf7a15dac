from contextlib import closing
from dataclasses import replace

import pytest
from fakes import HashEmbedder
from hostile import hostile
from scripted_desk import answered

from rag_app.access import Role, Who
from rag_app.app_database import AppDatabase, storable
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback, Verdict
from rag_app.records import Mode
from rag_app.team.inbox import Case, Closed, Inbox, InboxError, Kind
from rag_app.web.inbox_html import Nearest, Wanted, inbox_html

EVERYBODY = Who("b" * 32)


class WordEmbedding:
    name = "hash:1"

    def __init__(self):
        self.asked = []

    def vectors(self, asked):
        self.asked += asked
        return HashEmbedder().embed([question for question, _ in asked])


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def conversations(database):
    return Conversations(database)


@pytest.fixture
def embedding():
    return WordEmbedding()


@pytest.fixture
def inbox(database, embedding):
    return Inbox(database, embedding)


@pytest.fixture
def ask(conversations):
    def put(
        question,
        *,
        abstained=True,
        state=TurnState.DONE,
        spaces=("documents",),
        conversation="",
        mode=Mode.ABSTAINED,
        quote="It says so here.",
    ):
        turn = conversations.add(conversation or conversations.begin("a" * 32), question)
        whole = answered(question)
        answer = replace(
            whole,
            abstained=abstained,
            mode=mode if abstained else Mode.EXTRACTIVE,
            spaces=spaces,
            citations=tuple(replace(one, quote=quote) for one in whole.citations),
        )
        turn = replace(turn, state=state, answer=stored(answer) if state is TurnState.DONE else None)
        conversations.save(turn)
        return turn

    return put


def listed(inbox, who=EVERYBODY):
    return [[one.question for one in group.asked] for group in inbox.groups(who)[0]]


def test_questions_of_one_meaning_stand_together_the_most_asked_first(ask, inbox):
    ask("What does parking cost?")
    ask("How long is the notice period?")
    ask("how long is the notice period")

    assert listed(inbox) == [
        ["how long is the notice period", "How long is the notice period?"],
        ["What does parking cost?"],
    ]


def test_each_way_to_miss_an_answer_is_told(ask, inbox, database):
    ask("Below the threshold?")
    ask("Broken by a fault?", state=TurnState.FAILED)
    poor = ask("Marked by its reader?", abstained=False)
    Feedback(database).give(poor, Verdict.POOR, note="This is the old price.")
    ask("Answered and left alone?", abstained=False)
    ask("Stopped by its reader?", state=TurnState.STOPPED)

    found = {one.question: (one.kind, one.note) for group in inbox.groups(EVERYBODY)[0] for one in group.asked}

    assert found == {
        "Below the threshold?": (Kind.BELOW, ""),
        "Broken by a fault?": (Kind.UNANSWERED, ""),
        "Marked by its reader?": (Kind.WRONG, "This is the old price."),
    }


def test_a_question_asked_again_in_other_words_is_there_and_one_about_something_else_is_not(ask, inbox, conversations):
    here = conversations.begin("a" * 32)
    ask("How long is the notice period for me?", abstained=False, conversation=here)
    ask("The notice period for me, how long is it?", abstained=False, conversation=here)
    ask("What does parking cost?", abstained=False, conversation=here)

    [group] = inbox.groups(EVERYBODY)[0]

    assert [(one.question, one.kind) for one in group.asked] == [("How long is the notice period for me?", Kind.AGAIN)]


@pytest.mark.parametrize(
    ("second", "quote", "same"),
    [
        ("The price of an orchid?", "Only the words are alike.", True),
        ("May I water the orchid?", "Water it once a week.", False),
        ("Does the shop sell orchid pots?", "It sells pots.", False),
        ("What must I pay for one?", "An orchid costs 14.90 EUR.", True),
    ],
)
def test_the_next_question_about_a_thing_is_not_the_last_one_asked_again(
    inbox, ask, conversations, second, quote, same
):
    """All stand near the one passage there is, so their vectors are alike."""
    inbox._embedding.vectors = lambda asked: HashEmbedder().embed(["orchid"] * len(asked))
    here = conversations.begin("a" * 32)
    ask("What is the price of the orchid?", abstained=False, conversation=here, quote="An orchid costs 14.90 EUR.")
    ask(second, abstained=False, conversation=here, quote=quote)

    assert bool(inbox.groups(EVERYBODY)[0]) == same


@pytest.mark.parametrize(("second", "again"), [("What does error P-78 mean?", 0), ("So what does P-77 mean?", 1)])
def test_a_question_about_another_code_is_not_the_last_one_asked_again(inbox, ask, conversations, second, again):
    here = conversations.begin("a" * 32)
    ask("What does error P-77 mean?", abstained=False, conversation=here, quote="Your bank refused.")
    ask(second, abstained=False, conversation=here, quote="Your bank refused.")
    inbox._embedding.vectors = lambda asked: HashEmbedder().embed(["error"] * len(asked))

    assert len(inbox.groups(EVERYBODY)[0]) == again


def test_only_editors_of_a_space_see_what_was_put_to_it(ask, inbox):
    ask("Wages of trainees?", spaces=("hr",))
    ask("What about bolts?", spaces=("works", "hr"))
    editor = Who("1" * 32, roles={"works": Role.EDITOR, "hr": Role.READER})
    reader = Who("2" * 32, roles={"works": Role.READER})

    assert listed(inbox, editor) == [["What about bolts?"]]
    assert listed(inbox, reader) == []
    assert listed(inbox, replace(editor, only=frozenset({"hr"}))) == []
    assert len(listed(inbox, Who("3" * 32, administrator=True, roles={}))) == 2


def test_what_was_made_of_a_group_stays_with_new_questions_of_its_meaning(ask, inbox):
    turn = ask("How long is the notice period?")
    who = Who("1" * 32, "Anna", roles={"documents": Role.EDITOR})

    inbox.change(who, turn.id, assigned="Ben", note=" ask the lawyers ")
    ask("How long is the notice period here?")

    [group] = inbox.groups(who)[0]
    assert (group.case.assigned, group.case.note, group.case.name) == ("Ben", "ask the lawyers", "Anna")
    assert len(group.asked) == 2
    assert group.is_open


def test_a_closed_group_opens_again_when_it_is_asked_anew(ask, inbox):
    turn = ask("How long is the notice period?")

    closed = inbox.change(EVERYBODY, turn.id, reason=Closed.ANSWERED)
    assert not closed.is_open
    assert (closed.case.reason, closed.since) == (Closed.ANSWERED, 0)

    ask("How long is the notice period now?")
    [group] = inbox.groups(EVERYBODY)[0]
    assert (group.is_open, group.since) == (True, 1)

    assert inbox.change(EVERYBODY, turn.id, reopen=True).case.closed == ""


def test_a_deleted_conversation_takes_its_questions_out_and_leaves_no_text(ask, inbox, conversations, database):
    turn = ask("How long is the notice period?")
    inbox.change(EVERYBODY, turn.id, reason=Closed.FINE)

    conversations.remove("a" * 32, turn.conversation)

    assert listed(inbox) == []
    with pytest.raises(InboxError, match="no longer in the inbox"):
        inbox.group(EVERYBODY, turn.id)
    held = [str(row) for table in ("inbox_case", "question_vector") for row in database.rows(f"SELECT * FROM {table}")]
    assert len(held) == 1
    assert "notice" not in held[0]


def test_a_case_is_not_shown_to_who_edits_only_a_part_of_its_spaces(ask, inbox):
    turn = ask("What about bolts?", spaces=("works", "hr"))
    inbox.change(EVERYBODY, turn.id, note="wages are in it")

    [group] = inbox.groups(Who("1" * 32, roles={"works": Role.EDITOR}))[0]

    assert group.case == Case()


def test_a_question_is_embedded_once_and_another_model_starts_anew(ask, inbox, embedding, database):
    ask("How long is the notice period?")

    inbox.groups(EVERYBODY)
    Inbox(database, embedding).groups(EVERYBODY)
    assert embedding.asked == [("How long is the notice period?", ("documents",))]

    embedding.name = "hash:2"
    Inbox(database, embedding).groups(EVERYBODY)
    assert len(embedding.asked) == 2


def test_without_an_embedding_nothing_is_listed(ask, database):
    ask("How long is the notice period?")

    assert Inbox(database, None).groups(EVERYBODY) == ([], 0)


def test_nothing_that_people_wrote_comes_out_as_html(ask, inbox, database):
    for text in map(storable, hostile(150)):
        Feedback(database).give(ask(text), Verdict.POOR, note=text)
    groups, _ = inbox.groups(EVERYBODY)
    groups = [replace(group, case=Case("1", group.question, group.question, name=group.question)) for group in groups]
    nearest = {group.asked[0].turn: [Nearest("d", group.question, "page 1", 1, group.question)] for group in groups}

    drawn = inbox_html(groups, Wanted("all"), nearest, people=[group.question for group in groups], left=3)

    for opened in ("<script", "<img", "<svg", "<iframe", "<a ", "<style", "<form", "<math", "<video", "<body", "<meta"):
        assert opened not in drawn
    for sign in "`$\\{}[]*_~|":
        assert f">{sign}" not in drawn

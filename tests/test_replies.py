from dataclasses import replace

import pytest
from scripted_desk import answered, citation

from rag_app.app_database import AppDatabase
from rag_app.blanking import BLANK, PURGED, blank
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.team.replies import KEPT, TEXT_LIMIT, Replies


@pytest.fixture
def database(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield database
    database.close()


@pytest.fixture
def replies(database):
    return Replies(database)


@pytest.fixture
def turn(database):
    store = Conversations(database)
    turn = store.add(store.begin("dana"), "How long?")
    turn = replace(turn, state=TurnState.DONE, answer=stored(answered("How long?")))
    store.save(turn)
    return turn


def texts(found):
    return [one.text for one in found]


def test_what_was_copied_comes_back_with_its_question(replies, turn):
    assert replies.keep(turn.id, "  Three months. [1]\n")
    assert replies.keep(turn.id, "Drei Monate. [1]", "llama3")

    latest, first = replies.of_turn(turn.id)

    assert (latest.text, latest.model, first.text, first.model) == (
        "Drei Monate. [1]",
        "llama3",
        "Three months. [1]",
        "",
    )
    assert first.copied.endswith("+00:00")
    assert texts(replies.of_conversation(turn.conversation)[turn.id]) == ["Three months. [1]", "Drei Monate. [1]"]


def test_the_same_text_twice_in_a_row_is_kept_once(replies, turn):
    assert [replies.keep(turn.id, text) for text in ("a", "a", "b", "a")] == [True, False, True, True]
    assert texts(replies.of_turn(turn.id)) == ["a", "b", "a"]


def test_a_question_that_is_gone_keeps_nothing(replies, turn, database):
    replies.keep(turn.id, "a")
    Conversations(database).remove("dana", turn.conversation)

    assert not replies.keep(turn.id, "b")
    assert database.rows("SELECT count(*) FROM reply") == [(0,)]


def test_no_more_than_some_and_none_too_long_are_kept(replies, turn):
    for number in range(KEPT + 3):
        replies.keep(turn.id, f"{number} " + "x" * TEXT_LIMIT)

    found = replies.of_turn(turn.id)

    assert len(found) == KEPT
    assert [found[0].text[:3], found[-1].text[:2]] == [f"{KEPT + 2} ", "3 "]
    assert {len(one.text) for one in found} == {TEXT_LIMIT}


def test_a_purge_takes_the_words_of_the_document_out(replies, turn, database):
    store = Conversations(database)
    other = store.add(turn.conversation, "Who?")
    elsewhere = replace(citation(), document_id="9" * 32)
    store.save(replace(other, state=TurnState.DONE, answer=replace(turn.answer, citations=(elsewhere,), uncited=())))
    replies.keep(turn.id, "Three months, says Zanzibar. [1]")
    replies.keep(other.id, "Not as Zanzibar says. [1]")

    blank(database, citation().document_id, {"zanzibar"})

    assert texts(replies.of_turn(turn.id)) == [PURGED]
    assert texts(replies.of_turn(other.id)) == [f"Not as {BLANK} says. [1]"]

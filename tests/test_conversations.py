import json
import sqlite3
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, answered, hit

from ingest.errors import LibraryError
from rag_app.conversations import Conversations, TurnState, past_turns, stored
from rag_app.records import Mode, Stage


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.db"


@pytest.fixture
def conversations(path):
    store = Conversations(path)
    yield store
    store.close()


def test_stored_turn_comes_back_as_it_was(conversations):
    conversation = conversations.begin("dana")
    turn = conversations.add(conversation, "How long?")
    done = replace(turn, state=TurnState.DONE, answer=stored(answered("How long?")))

    conversations.save(done)

    assert conversations.turns("dana", conversation) == [done]
    assert conversations.turn("dana", turn.id) == done


def test_other_browsers_see_nothing_of_it(conversations):
    conversation = conversations.begin("dana")
    turn = conversations.add(conversation, "How long?")

    assert conversations.turns("robin", conversation) == []
    assert conversations.turn("robin", turn.id) is None
    assert conversations.current("robin") is None


def test_the_conversation_used_last_is_the_current_one(conversations):
    first, second = conversations.begin("dana"), conversations.begin("dana")
    assert conversations.current("dana") == second

    conversations.add(first, "Once more?")

    assert conversations.current("dana") == first


def test_turns_keep_their_order(conversations):
    conversation = conversations.begin("dana")
    for number in range(12):
        conversations.add(conversation, f"Question {number}")

    questions = [turn.question for turn in conversations.turns("dana", conversation)]

    assert questions == [f"Question {number}" for number in range(12)]


def test_reopening_shows_an_unfinished_answer_as_cut_off(path):
    first = Conversations(path)
    conversation = first.begin("dana")
    turn = first.add(conversation, "How long?")
    first.save(replace(turn, answer=stored(replace(answered("How long?"), stage=Stage.WRITING, text="The notice"))))
    first.close()

    second = Conversations(path)
    again = second.turn("dana", turn.id)
    second.close()

    assert again.state is TurnState.CUT
    assert again.answer.text == "The notice"


def test_a_newer_database_is_refused_with_a_way_out(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()

    with pytest.raises(LibraryError, match="newer version"):
        Conversations(path)


def test_stored_json_holds_no_passage_ids(conversations, path):
    conversation = conversations.begin("dana")
    turn = conversations.add(conversation, "How long?")
    conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answered("How long?"))))

    database = sqlite3.connect(path)
    text = database.execute("SELECT answer FROM turn").fetchone()[0]
    database.close()

    assert {"title", "page", "quote"} <= set(json.loads(text)["citations"][0])
    assert all(f"{rank:032x}" not in text for rank in range(1, 51))


def test_an_answer_that_found_nothing_keeps_the_nearest_passages():
    hits = tuple(hit(OWN, f"Passage {rank}.", 5, 0.1, rank, used=False) for rank in range(1, 8))
    answer = replace(answered("?"), hits=hits, citations=(), abstained=True, mode=Mode.ABSTAINED)

    kept = stored(answer)

    assert [source.passage for source in kept.uncited] == ["Passage 1.", "Passage 2.", "Passage 3."]
    assert [source.marker for source in kept.sources] == [1, 2, 3]


def test_passages_read_but_not_cited_get_numbers_of_their_own():
    kept = stored(answered("How long?"))

    assert [source.marker for source in kept.citations] == [1, 2]
    assert [(source.marker, source.title) for source in kept.uncited] == [(3, HANDBOOK.title)]


def test_a_growing_answer_shows_no_uncited_passages_yet():
    assert stored(replace(answered("?"), stage=Stage.WRITING)).uncited == ()


def test_past_turns_are_plain_text_and_leave_out_what_failed(conversations):
    conversation = conversations.begin("dana")
    done, failed, abstained = (conversations.add(conversation, name) for name in ("One", "Two", "Three"))
    turns = [
        replace(done, state=TurnState.DONE, answer=stored(answered("One", "Three months [1]. Two weeks [2]."))),
        replace(failed, state=TurnState.FAILED, failure="No."),
        replace(abstained, state=TurnState.DONE, answer=stored(replace(answered("Three"), abstained=True))),
    ]

    past = past_turns(turns)

    assert [(turn.question, turn.answer) for turn in past] == [("One", "Three months. Two weeks."), ("Three", "")]

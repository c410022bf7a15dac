import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, answered, hit

from ingest.errors import LibraryError
from rag_app.app_database import VERSIONS, AppDatabase
from rag_app.candidates import candidates
from rag_app.conversations import Conversations, TurnState, past_turns, stored
from rag_app.fusion import fuse
from rag_app.records import Mode, Stage


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.db"


@pytest.fixture
def conversations(path):
    database = AppDatabase(path)
    yield Conversations(database)
    database.close()


def test_stored_turn_comes_back_as_it_was(conversations):
    conversation = conversations.begin("dana")
    turn = conversations.add(conversation, "How long?")
    done = replace(turn, state=TurnState.DONE, answer=stored(answered("How long?")))

    conversations.save(done)

    assert conversations.turns("dana", conversation) == [done]
    assert conversations.turn("dana", turn.id) == done


def test_the_spaces_that_were_chosen_and_searched_are_kept(conversations):
    turn = conversations.add(conversations.begin("dana"), "How long?", spaces=("staff", "Büro, Nord"))
    answer = replace(stored(answered("How long?")), spaces=("staff",), first_words=740.5)
    conversations.save(replace(turn, state=TurnState.DONE, answer=answer))

    kept = conversations.turn("dana", turn.id)

    assert (kept.spaces, kept.answer.spaces) == (("staff", "Büro, Nord"), ("staff",))
    assert kept.answer.first_words == 740.5


def test_an_answer_of_before_spaces_were_kept_names_none(conversations, path):
    turn = conversations.add(conversations.begin("dana"), "How long?")
    conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answered("How long?"))))
    with closing(sqlite3.connect(path)) as older:
        older.execute("UPDATE turn SET answer = json_remove(answer, '$.spaces', '$.first_words')")
        older.commit()

    kept = conversations.turn("dana", turn.id)

    assert (kept.spaces, kept.answer.spaces, kept.answer.first_words) == ((), (), 0)


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
    database = AppDatabase(path)
    first = Conversations(database)
    turn = first.add(first.begin("dana"), "How long?")
    first.save(replace(turn, answer=stored(replace(answered("How long?"), stage=Stage.WRITING, text="The notice"))))
    database.close()

    database = AppDatabase(path)
    again = Conversations(database).turn("dana", turn.id)
    database.close()

    assert again.state is TurnState.CUT
    assert again.answer.text == "The notice"


def test_a_newer_database_is_refused_with_a_way_out(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()

    with pytest.raises(LibraryError, match="newer version"):
        AppDatabase(path)


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


# ---- the list ----


def asked(store, browser, *questions):
    conversation = store.begin(browser)
    for question in questions:
        store.add(conversation, question)
    return conversation


def names(listed):
    return [one.name for one in listed]


def test_conversations_are_listed_latest_first_under_their_first_question(conversations):
    first = asked(conversations, "dana", "How long?", "And then?")
    asked(conversations, "dana", "How much?")
    conversations.begin("dana")  # nothing was asked in it
    asked(conversations, "robin", "Not hers")

    assert names(conversations.listed("dana", limit=9)) == ["How much?", "How long?"]
    conversations.add(first, "Once more?")
    assert names(conversations.listed("dana", limit=9)) == ["How long?", "How much?"]
    assert names(conversations.listed("dana", limit=1)) == ["How long?"]


@pytest.mark.parametrize(
    ("holding", "found"), [("\u00dcBER", 1), ("weeks", 1), ("leave", 1), ("100%", 0), ("%", 0), ("", 2)]
)
def test_conversations_are_found_by_any_of_their_questions_or_their_name(conversations, holding, found):
    asked(conversations, "dana", "What about \u00fcbertime?", "In which weeks?")
    conversations.rename("dana", asked(conversations, "dana", "How long?"), "Leave")

    assert len(conversations.listed("dana", holding=holding, limit=9)) == found


def test_a_name_is_given_and_taken_back(conversations):
    conversation = asked(conversations, "dana", "How long?")

    assert conversations.rename("dana", conversation, "  Notice\n period ")
    assert conversations.summary("dana", conversation).name == "Notice period"
    conversations.rename("dana", conversation, " ")
    assert conversations.summary("dana", conversation).name == "How long?"


def test_nobody_lists_renames_reads_or_removes_what_another_browser_asked(conversations):
    conversation = asked(conversations, "dana", "How long?")

    assert conversations.listed("robin", limit=9) == []
    assert conversations.summary("robin", conversation) is None
    assert not conversations.owns("robin", conversation)
    assert not conversations.rename("robin", conversation, "Mine")
    assert not conversations.remove("robin", conversation)
    assert names(conversations.listed("dana", limit=9)) == ["How long?"]


def test_a_removed_conversation_leaves_no_text_in_the_file(conversations, path):
    conversation = asked(conversations, "dana", "How long is the notice in Korvatunturi?")

    assert conversations.remove("dana", conversation)

    assert conversations.turns("dana", conversation) == []
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    assert b"Korvatunturi" not in path.read_bytes()


def test_the_last_question_is_replaced_and_no_other(conversations):
    conversation = asked(conversations, "dana", "One", "Two")
    first, last = conversations.turns("dana", conversation)
    elsewhere = conversations.turns("dana", asked(conversations, "dana", "Elsewhere"))[0]

    conversations.add(conversation, "Two, rather", instead_of=last.id)
    conversations.add(conversation, "Three", instead_of=first.id)
    conversations.add(conversation, "Four", instead_of=elsewhere.id)

    questions = [turn.question for turn in conversations.turns("dana", conversation)]
    assert questions == ["One", "Two, rather", "Three", "Four"]
    assert conversations.turn("dana", elsewhere.id) == elsewhere


def test_what_was_found_is_kept_beside_the_answer(conversations):
    turn = conversations.add(conversations.begin("dana"), "How long?")
    answer = answered("How long?")
    found = candidates(answer, stored(answer).sources)

    conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answer)), found)

    assert conversations.candidates("dana", turn.id) == found
    assert conversations.candidates("robin", turn.id) == ()


def test_an_answer_that_is_done_after_its_conversation_went_is_dropped(conversations):
    conversation = conversations.begin("dana")
    turn = conversations.add(conversation, "How long?")
    answer = answered("How long?")
    conversations.remove("dana", conversation)

    conversations.save(replace(turn, answer=stored(answer)), candidates(answer, ()))

    assert conversations.candidates("dana", turn.id) == ()


def test_a_file_of_the_first_version_is_brought_up_to_date(path):
    old = sqlite3.connect(path)
    old.executescript(VERSIONS[0])
    moment = "2026-11-03T09:12:00.000000+00:00"
    old.execute("INSERT INTO conversation VALUES ('c', 'dana', ?, ?)", (moment, moment))
    old.execute(
        "INSERT INTO turn (id, conversation, position, asked, question, state) VALUES ('t', 'c', 1, ?, 'How?', 'done')",
        (moment,),
    )
    old.execute("PRAGMA user_version=1")
    old.commit()
    old.close()

    database = AppDatabase(path)
    store = Conversations(database)

    assert names(store.listed("dana", limit=9)) == ["How?"]
    assert store.rename("dana", "c", "Ways")
    assert [turn.question for turn in store.turns("dana", "c")] == ["How?"]
    database.close()


# ---- candidates ----


def test_candidates_say_where_each_stage_had_them_and_how_far_they_moved():
    answer = answered("How long?")
    found = candidates(answer, stored(answer).sources)

    assert [one.after for one in found] == list(range(1, 51))
    assert sorted(one.before for one in found) == list(range(1, 51))
    assert found[0].moved == found[0].before - 1
    assert [one.source for one in found[:4]] == [0, 1, 2, None]
    assert [one.cited for one in found[:4]] == [True, True, False, False]
    assert (found[0].dense_rank, found[0].relevance) == (answer.hits[0].dense_rank, 0.94)


def test_the_place_before_reranking_is_the_one_the_joined_list_gave():
    answer = answered("How long?")
    joined = fuse([by_rank(answer.hits, "dense_rank"), by_rank(answer.hits, "lexical_rank")], 200)

    before = sorted(candidates(answer, ()), key=lambda one: one.before)

    assert [one.text for one in before] == [text for text in joined if not text.startswith("other")]


def by_rank(hits, rank):
    """The texts one list held, with a filler wherever it held what is no candidate."""
    placed = {getattr(one, rank): one.chunk.text for one in hits if getattr(one, rank)}
    return [placed.get(place, f"other {rank} {place}") for place in range(1, max(placed) + 1)]

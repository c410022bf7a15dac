from dataclasses import replace

import pytest
from scripted_desk import answered

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.unanswered import Missing, Unanswered, folded, grouped


@pytest.fixture
def database(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield database
    database.close()


def asked(database, question, *, abstained, state=TurnState.DONE, rewritten=""):
    store = Conversations(database)
    turn = store.add(store.begin("somebody"), question)
    answer = replace(stored(answered(question)), abstained=abstained, rewritten=rewritten or question)
    store.save(replace(turn, state=state, answer=answer))
    return turn


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is Ann?", "who is ann"),
        ("Who is Ann?", "  Who is\tAnn ?! "),
        ("What's the fee", "What's the fee?"),
        ("Café hours", "Cafe\u0301 hours"),
    ],
)
def test_spellings_of_one_question_are_one(one, other):
    assert folded(one) == folded(other)


def test_other_questions_are_others():
    assert folded("Who is Ann?") != folded("Who is Anna?")
    assert folded("???") != folded("!")


def test_the_most_frequent_stand_first_and_then_the_latest():
    rows = [("b?", "2026-03"), ("A", "2026-01"), ("a!", "2026-02"), ("c", "2026-04")]

    assert grouped(rows) == [Missing("a!", 2, "2026-02"), Missing("c", 1, "2026-04"), Missing("b?", 1, "2026-03")]


def test_only_refused_questions_are_listed_as_they_were_searched_for(database):
    asked(database, "How long is the notice period?", abstained=False)
    asked(database, "Who won the cup?", abstained=True)
    asked(database, "and in 1974?", abstained=True, rewritten="Who won the cup in 1974?")
    asked(database, "who won the CUP", abstained=True)
    asked(database, "cut off", abstained=True, state=TurnState.CUT)

    told = Unanswered(database).listed()

    assert [(one.question, one.times) for one in told] == [("who won the CUP", 2), ("Who won the cup in 1974?", 1)]
    assert not any(hasattr(one, "browser") for one in told)


def test_what_was_deleted_is_not_listed(database):
    turn = asked(database, "Who won the cup?", abstained=True)
    Conversations(database).remove("somebody", turn.conversation)

    assert Unanswered(database).listed() == []

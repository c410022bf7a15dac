from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, PASSAGE, answered

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback, Reason, Verdict


@pytest.fixture
def database(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield database
    database.close()


@pytest.fixture
def feedback(database):
    return Feedback(database)


@pytest.fixture
def conversations(database):
    return Conversations(database)


@pytest.fixture
def turn(conversations):
    """A finished turn of dana's, as it is stored."""
    turn = conversations.add(conversations.begin("dana"), "And for trainees?")
    answer = replace(answered("And for trainees?"), rewritten="How long is the notice for trainees?")
    conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answer)))
    return conversations.turn("dana", turn.id)


def test_a_verdict_keeps_all_that_training_needs(feedback, turn):
    feedback.give(turn, Verdict.GOOD)

    (judgement,) = feedback.given()

    assert (judgement.turn, judgement.verdict, judgement.reason) == (turn.id, Verdict.GOOD, Reason.UNSAID)
    assert (judgement.question, judgement.searched) == ("And for trainees?", "How long is the notice for trainees?")
    assert judgement.answer == turn.answer.text
    first, second, third = judgement.passages
    assert (first.document_id, first.page, first.passage, first.cited) == (OWN.id, 18, PASSAGE, True)
    assert first.quote.startswith("The notice period")
    assert second.cited
    assert (third.title, third.cited) == (HANDBOOK.title, False)


def test_a_second_verdict_takes_the_place_of_the_first(feedback, turn, conversations):
    feedback.give(turn, Verdict.GOOD)

    feedback.give(turn, Verdict.POOR, Reason.WRONG_PAGE, "  It is on page 14.\n")

    (judgement,) = feedback.given()
    assert (judgement.verdict, judgement.reason, judgement.note) == (
        Verdict.POOR,
        Reason.WRONG_PAGE,
        "It is on page 14.",
    )
    assert conversations.turn("dana", turn.id).verdict == Verdict.POOR


def test_a_verdict_is_taken_back(feedback, turn, conversations):
    feedback.give(turn, Verdict.GOOD)

    feedback.withdraw(turn)

    assert feedback.given() == []
    assert conversations.turn("dana", turn.id).verdict == ""


def test_an_overlong_note_is_cut(feedback, turn):
    feedback.give(turn, Verdict.POOR, note="why " * 5_000)

    assert len(feedback.given()[0].note) == 2_000


def test_a_turn_without_an_answer_or_gone_by_now_is_not_judged(feedback, turn, conversations):
    feedback.give(replace(turn, answer=None), Verdict.GOOD)
    conversations.remove("dana", turn.conversation)
    feedback.give(turn, Verdict.GOOD)

    assert feedback.given() == []


def test_a_verdict_goes_with_its_conversation(feedback, turn, conversations):
    feedback.give(turn, Verdict.GOOD)

    conversations.remove("dana", turn.conversation)

    assert feedback.given() == []

"""A question is asked in the spaces that were chosen for it, and its answer keeps which were searched and how long."""

from contextlib import closing

import pytest
from scripted_desk import ScriptedDesk

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations
from rag_app.web.answering import Answering


@pytest.fixture
def conversations(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        yield Conversations(database)


@pytest.fixture
def asked(tmp_path, conversations):
    """Asks, and gives the finished turn with what the desk was asked for."""
    scripted, seen = ScriptedDesk(tmp_path), []

    def ask(question, turns, **how):
        seen.append(how["spaces"])
        return scripted.ask(question, turns, **how)

    async def asking(question, **how):
        answering = Answering(ask, conversations)
        turn = await answering.start("dana", conversations.begin("dana"), question, **how)
        [_ async for _ in answering.follow(turn)]
        turn = conversations.turn("dana", turn.id)
        await answering.unreranked(turn)
        return turn, seen

    return asking


async def test_a_question_is_asked_and_compared_in_the_spaces_chosen_for_it(asked):
    turn, seen = await asked("How long?", spaces=("sales", "staff"))

    assert seen == [("sales", "staff")] * 2
    assert turn.spaces == ("sales", "staff")


async def test_without_a_choice_nothing_is_left_out(asked):
    turn, seen = await asked("How long?")

    assert seen == [None, None]
    assert turn.spaces == ()


async def test_the_time_to_the_first_words_is_kept_where_there_were_any(asked):
    said, _ = await asked("How long?")
    silent, _ = await asked("nothing")

    assert said.answer.first_words > 0
    assert (silent.answer.abstained, silent.answer.first_words) == (True, 0)

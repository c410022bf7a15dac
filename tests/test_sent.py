"""Questions heard more than once begin once."""

import asyncio

import pytest

from rag_app.conversations import StoredTurn, TurnState
from rag_app.web.answering import StillAnswering, Unasked
from rag_app.web.pages.sent import Begun, Sent


class Beginnings:
    """Begins questions when it is let, and counts them."""

    def __init__(self):
        self.count = 0
        self.gate = asyncio.Event()
        self.failure = None

    async def begin(self):
        self.count += 1
        number = self.count
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return Begun("", StoredTurn(f"{number:032x}", "c" * 32, "2026-11-22T01:00:00Z", "How long?", TurnState.WORKING))


async def test_a_question_heard_again_before_and_after_it_is_stored_begins_once_also_on_a_page_opened_anew():
    sent, beginnings = Sent(), Beginnings()

    first, heard_before = sent.begin("page", "How long?", ("dana", 7), beginnings.begin)
    second, heard_again = sent.begin("page opened anew", "How long?", ("dana", 7), beginnings.begin)
    beginnings.gate.set()
    began = await first
    third, _ = sent.begin("page", "How long?", ("dana", 7), beginnings.begin)

    assert (heard_before, heard_again) == (False, True)
    assert await second is began
    assert await third is began
    assert beginnings.count == 1


async def test_tickets_are_told_apart_by_sender_and_number_and_no_ticket_is_none():
    sent, beginnings = Sent(), Beginnings()
    beginnings.gate.set()

    for ticket in (("dana", 7), ("root", 7), ("dana", 8), ("dana", 0), ("dana", 0)):
        await sent.begin("page", "How long?", ticket, beginnings.begin)[0]

    assert beginnings.count == 5


async def test_a_button_pressed_twice_is_one_question_and_each_of_its_tickets_stands_for_it():
    sent, beginnings = Sent(), Beginnings()

    first, _ = sent.begin("page", "How long?", ("dana", 1), beginnings.begin)
    second, again = sent.begin("page", "How long?", ("dana", 2), beginnings.begin)
    beginnings.gate.set()
    await first

    assert again
    assert second is first
    assert sent.begin("page", "How long?", ("dana", 2), beginnings.begin) == (first, True)
    assert beginnings.count == 1


async def test_another_question_waits_until_the_one_on_its_way_is_stored():
    sent, beginnings = Sent(), Beginnings()
    first, _ = sent.begin("page", "How long?", ("dana", 1), beginnings.begin)

    with pytest.raises(StillAnswering):
        sent.begin("page", "And for trainees?", ("dana", 2), beginnings.begin)
    sent.begin("other page", "And for trainees?", ("dana", 3), beginnings.begin)
    beginnings.gate.set()
    await first
    await sent.begin("page", "And for trainees?", ("dana", 2), beginnings.begin)[0]

    assert beginnings.count == 3


async def test_a_refusal_is_told_to_whoever_hears_of_it_and_the_next_ticket_is_a_new_question():
    sent, beginnings = Sent(), Beginnings()
    beginnings.failure = Unasked("Write a question first.")
    beginnings.gate.set()
    first, _ = sent.begin("page", "How long?", ("dana", 1), beginnings.begin)
    with pytest.raises(Unasked):
        await first
    with pytest.raises(Unasked):
        await sent.begin("page", "How long?", ("dana", 1), beginnings.begin)[0]
    beginnings.failure = None

    await sent.begin("page", "How long?", ("dana", 2), beginnings.begin)[0]

    assert beginnings.count == 2


async def test_the_oldest_ticket_is_forgotten_first():
    sent, beginnings = Sent(kept=2), Beginnings()
    beginnings.gate.set()
    for number in (1, 2, 3):
        await sent.begin("page", f"Question {number}?", ("dana", number), beginnings.begin)[0]

    await sent.begin("page", "Question 3?", ("dana", 3), beginnings.begin)[0]
    await sent.begin("page", "Question 1?", ("dana", 1), beginnings.begin)[0]

    assert beginnings.count == 4

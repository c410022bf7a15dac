"""Questions sent too early, twice or in the very moment the answer before them is whole: none is lost, none doubled."""

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS
from browser.test_journey import answered, ask, box

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

# Types and sends the next question in the same task in which the answer to the one before it is drawn as whole.
CHAIN = """(questions) => {
  const box = () => document.querySelector('#question textarea');
  const put = (text) => {
    box().value = text;
    box().dispatchEvent(new Event('input', { bubbles: true }));
    box().dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  };
  let place = 0;
  const next = () => { if (place < questions.length) put(questions[place++]); };
  new MutationObserver(() => {
    const last = [...document.querySelectorAll('#turns .answer')].pop();
    const asked = [...document.querySelectorAll('#turns .question')].pop();
    if (place && asked && asked.textContent === questions[place - 1] && last.matches('.is-done')) next();
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  next();
}"""


def questions(page):
    return page.locator("#turns .question")


def test_the_next_question_may_be_sent_in_the_moment_an_answer_is_whole(opened, scripted):
    page = opened(scripted.address)
    wanted = [f"How long is the notice period, asked for the {number}th time?" for number in range(4, 16)]

    page.evaluate(CHAIN, wanted)

    answered(page, wanted[-1])
    expect(questions(page)).to_have_text(wanted)
    expect(page.locator("#asking")).to_have_count(0)
    expect(box(page)).to_have_value("")
    expect(page.locator("#history .conversation")).to_have_count(1)


@pytest.mark.parametrize("first", ["How long is the notice period?", "Who pays for overtime?"])
def test_a_key_pressed_twice_asks_once_and_begins_one_conversation(opened, scripted, first):
    page = opened(scripted.address)
    scripted.hold()
    box(page).fill(first)

    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").wait_for()
    page.keyboard.press("Enter")  # an empty box while an answer is being made
    scripted.let_go()

    answered(page, first)
    expect(questions(page)).to_have_text([first])
    expect(page.locator("#history .conversation")).to_have_text([first])


def test_the_server_itself_takes_a_question_once(opened, scripted):
    page = opened(scripted.address)
    scripted.hold()
    page.evaluate(
        """(question) => {
          for (const ticket of [901, 902, 903]) {
            window.dispatchEvent(new CustomEvent('rag:ask', { detail: { question, ticket } }));
          }
        }""",
        "How long is the notice period?",
    )
    page.get_by_role("button", name="Stop").wait_for()
    scripted.let_go()

    answered(page, "How long is the notice period?")
    ask(page, "And for trainees?")
    expect(questions(page)).to_have_text(["How long is the notice period?", "And for trainees?"])
    expect(page.locator("#history .conversation")).to_have_count(1)


def test_what_is_sent_too_early_stays_in_the_box_and_is_said_so(opened, scripted):
    page = opened(scripted.address)
    scripted.hold()
    box(page).fill("How long is the notice period?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").wait_for()

    box(page).fill("And for trainees?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("still being answered. Wait for it, or stop it.")
    expect(box(page)).to_have_value("And for trainees?")
    scripted.let_go()

    answered(page, "How long is the notice period?")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(box(page)).to_have_value("And for trainees?")
    page.keyboard.press("Enter")
    answered(page, "And for trainees?")
    expect(questions(page)).to_have_count(2)
    expect(box(page)).to_have_value("")


def test_what_is_typed_while_a_question_is_on_its_way_is_the_readers(opened, scripted):
    page = opened(scripted.address)
    box(page).focus()

    page.keyboard.type("How long is the notice period?\nAnd for trainees?", delay=0)

    answered(page, "How long is the notice period?")
    expect(box(page)).to_have_value("And for trainees?")


def test_a_question_that_is_refused_comes_back_to_the_box(opened, scripted):
    page = opened(scripted.address)
    overlong = "why " * 1500
    box(page).fill(overlong)

    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("at most 4,000 can be asked")
    expect(box(page)).to_have_value(overlong)


def test_a_page_that_turns_away_while_it_asks_stays_there_and_finds_the_answer_in_the_list(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    box(page).fill("And for trainees?")

    page.keyboard.press("Enter")
    page.locator("#history").get_by_role("button", name="New question").click()

    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_role("link", name="How long is the notice period?").click()
    answered(page, "And for trainees?")
    expect(questions(page)).to_have_count(2)

"""Questions that are lost between page and server, or only late: each is asked, once, and its answer is seen."""

import json

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS
from browser.test_journey import answered, ask, box

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

FIRST, SECOND = "How long is the notice period?", "And for trainees?"

# Gradio ends its stream of answers where nothing is under way. The page is told so only after it was told that what it
# sent meanwhile has arrived, as happens where both come late: so it takes the stream for open and opens no other.
CLOSES_LATE = """(() => {
  const real = window.fetch;
  const arrived = new Promise((resolve) => { window.fetch = async (input, init) => {
    const response = await real(input, init);
    const address = String((input && input.url) || input);
    if (address.includes('/queue/join') && String(init.body).includes('"ticket"')) {
      setTimeout(resolve, 300);
      return response;
    }
    if (!address.includes('/queue/data') || window.closedLate) return response;
    window.closedLate = true;
    const late = new TransformStream({
      async transform(chunk, controller) {
        const words = new TextDecoder().decode(chunk);
        const end = words.indexOf('data: {"msg":"close_stream"');
        if (end < 0) { controller.enqueue(chunk); return; }
        controller.enqueue(new TextEncoder().encode(words.slice(0, end)));
        await arrived;
        window.closedLate = 'after what was sent';
        controller.enqueue(new TextEncoder().encode(words.slice(end)));
      },
    });
    return new Response(response.body.pipeThrough(late), { status: response.status, headers: response.headers });
  }; });
})()"""


def hears(page, take):
    """Let `take` have each request that brings a question to the server, with its place among them."""
    count = 0

    def heard(route):
        nonlocal count
        told = json.loads(route.request.post_data).get("event_data") or {}
        if "question" not in told:
            route.fallback()
            return
        count += 1
        take(route, count)

    page.route("**/gradio_api/queue/join*", heard)


def asked_once(page, scripted, question):
    """A question was asked once, and the page goes on."""
    ask(page, SECOND)
    expect(page.locator("#turns .question")).to_have_text([question, SECOND])
    expect(page.locator("#asking")).to_have_count(0)
    expect(box(page)).to_have_value("")
    return scripted.times_asked(question) == 1


def test_a_question_sent_as_the_stream_of_answers_closes_is_answered(opened, scripted):
    question = f"{FIRST} (closing)"
    page = opened(scripted.address)
    page.add_init_script(CLOSES_LATE)
    page.reload()
    page.locator(".bar").wait_for()

    box(page).fill(question)
    page.keyboard.press("Enter")

    answered(page, question)
    assert page.evaluate("window.closedLate") == "after what was sent"
    assert asked_once(page, scripted, question)


def test_a_question_that_never_arrived_is_asked_by_the_page_opened_anew(opened, scripted):
    question = f"{FIRST} (lost)"
    page = opened(scripted.address)
    hears(page, lambda route, place: route.abort() if place == 1 else route.fallback())

    box(page).fill(question)
    page.keyboard.press("Enter")

    answered(page, question)
    assert asked_once(page, scripted, question)


def test_a_question_that_arrives_late_and_twice_is_asked_once(opened, scripted):
    question, held = f"{FIRST} (late)", []
    page = opened(scripted.address)
    hears(page, lambda route, place: held.append(route) if place == 1 else route.fallback())

    box(page).fill(question)
    page.keyboard.press("Enter")
    answered(page, question)
    with page.expect_response("**/gradio_api/queue/join*"):
        held[0].continue_()

    assert asked_once(page, scripted, question)


def test_a_question_heard_by_a_page_that_is_gone_is_asked_once(opened, scripted):
    """Its answer's stream breaks after it has arrived: the page opens anew and finds it under way or answered."""
    question = f"{FIRST} (broken)"
    page = opened(scripted.address)
    page.route("**/gradio_api/queue/data*", lambda route: route.abort(), times=1)

    box(page).fill(question)
    page.keyboard.press("Enter")

    answered(page, question)
    assert asked_once(page, scripted, question)

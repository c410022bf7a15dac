"""Questions sent the moment a page shows its box, however late or lost what the page needs: each is asked, once."""

import json

import pytest
from playwright.sync_api import TimeoutError as NotYet
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS
from browser.test_journey import answered, box

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

LATE_MS = 3000  # milliseconds that a script is waited for where no box comes before it

# Types a question and sends it in the very task in which the box appears, once.
AT_ONCE = """((question, how) => {
  if (sessionStorage.getItem('sent')) return;
  const seen = new MutationObserver(() => {
    const box = document.querySelector('#question textarea');
    const button = document.querySelector('#question .submit-button');
    if (!box || !button) return;
    seen.disconnect();
    sessionStorage.setItem('sent', how);
    box.value = question;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    if (how === 'click') button.click();
    else box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  });
  seen.observe(document, { subtree: true, childList: true });
})"""


@pytest.fixture
def opening(opened, scripted):
    """A page that, when it is loaded again, sends a question as soon as there is a box."""

    def prepare(question, how="enter"):
        page = opened(scripted.address)
        page.add_init_script(f"{AT_ONCE}({json.dumps(question)}, {json.dumps(how)})")
        return page

    return prepare


@pytest.mark.parametrize("how", ["enter", "click"])
@pytest.mark.parametrize("script", ["app", "lasting"])
def test_a_question_sent_before_a_script_has_come_is_asked(opening, scripted, script, how):
    question, held = f"How long is the notice period? ({script}, {how})", []
    page = opening(question, how)
    page.route(f"**/ui/{script}.js", lambda route: held.append(route))  # noqa: PLW0108 - it takes plain functions only

    page.reload(wait_until="commit")
    try:
        box(page).wait_for(timeout=LATE_MS)
    except NotYet:
        page.wait_for_function("document.querySelector('gradio-app')")  # and nothing in it that could be used
    held[0].continue_()

    answered(page, question)
    expect(box(page)).to_have_value("")
    assert scripted.times_asked(question) == 1


@pytest.mark.parametrize("address", ["queue/data", "queue/join"])
def test_a_page_that_lost_its_first_request_opens_anew_with_the_question(opening, scripted, address):
    question = f"How long is the notice period? ({address})"
    page = opening(question)
    page.route(f"**/gradio_api/{address}*", lambda route: route.abort(), times=1)

    page.reload(wait_until="commit")
    expect(box(page)).to_have_value(question)  # until the page is drawn

    answered(page, question)
    expect(box(page)).to_have_value("")
    expect(page.locator("#asking")).to_have_count(0)
    assert scripted.times_asked(question) == 1


def test_asking_to_be_drawn_once_more_does_not_draw_over_a_question_sent_meanwhile(opened, scripted):
    question = "How long is the notice period? (drawn twice)"
    page = opened(f"{scripted.address}/?c=new")
    box(page).fill(question)

    box(page).press("Enter")
    page.evaluate("""async () => {
      for (let asked = 0; asked < 8; asked += 1) {
        window.rag.tell('resume', { undrawn: true });
        await new Promise((done) => setTimeout(done, 25));
      }
    }""")

    answered(page, question)
    expect(page.locator("#turns .question")).to_have_count(1)
    assert scripted.times_asked(question) == 1

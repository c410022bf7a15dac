"""Many files at once: dropped anywhere, each with a line of its own, cancelled on their way, refused, told why."""

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import DESKTOP, PATIENCE_MS, PHONE, ScriptedServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

SENT = re.compile(r"/documents(\?|$)")
DROP = """(files) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  for (const kind of ['dragover', 'drop']) {
    document.querySelector('.bar').dispatchEvent(
      new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
    if (kind === 'dragover') window.invited = document.body.classList.contains('dropping');
  }
}"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    server = ScriptedServer(tmp_path_factory.mktemp("shelf"))
    yield server
    server.stop()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_many_files_dropped_on_a_page_each_get_a_line_that_says_what_became_of_them(opened, shelf, viewport):
    page = opened(shelf.address, "/library", viewport=viewport)
    width = viewport["width"]
    good = [[f"plan {n} of {width}.pdf", f"%PDF-1.7 {n}"] for n in range(8)]

    page.evaluate(DROP, [*good, [f"notes of {width}.pages", "no PDF"]])

    assert page.evaluate("window.invited")
    for name, _ in good:
        expect(page.locator(".queue .job", has_text=name)).to_contain_text("waiting")
    refused = page.locator("#sending .job", has_text=f"notes of {width}.pages")
    expect(refused).to_contain_text("this kind of file cannot be read. Save it as PDF and add that.")
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_file_dropped_while_asking_is_taken_to_the_library(opened, shelf):
    page = opened(shelf.address)

    page.evaluate(DROP, [["dropped while asking.pdf", "%PDF-1.7 x"]])

    expect(page).to_have_url(f"{shelf.address}/library")
    expect(page.locator(".queue .job", has_text="dropped while asking.pdf")).to_contain_text("waiting")


def test_a_file_is_cancelled_while_it_is_sent_and_the_next_ones_go_on(opened, shelf):
    page = opened(shelf.address, "/library")
    held = []  # the first three are on their way for ever
    page.route(SENT, lambda route: held.append(route) if len(held) < 3 else route.continue_())
    page.evaluate(DROP, [[f"slow {n}.pdf", "%PDF-1.7 slow"] for n in range(4)])
    lines = page.locator("#sending .job")
    expect(lines).to_have_count(4)
    expect(lines.nth(3)).to_contain_text("waiting to be sent")  # three at a time

    lines.nth(0).get_by_role("button", name="Cancel").click()

    expect(lines.filter(has_text="slow 0.pdf")).to_contain_text("Not sent.")
    expect(page.locator(".queue .job", has_text="slow 3.pdf")).to_contain_text("waiting")
    expect(lines.filter(has_text="slow 1.pdf").get_by_role("button", name="Cancel")).to_be_visible()


def test_a_server_that_cannot_be_reached_is_said_on_the_line_of_the_file(opened, shelf):
    page = opened(shelf.address, "/library")
    page.route(SENT, lambda route: route.abort())

    page.evaluate(DROP, [["lost on the way.pdf", "%PDF-1.7 lost"]])

    line = page.locator("#sending .job", has_text="lost on the way.pdf")
    expect(line).to_contain_text("The server cannot be reached. Try again.")

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

"""Hostile names, documents and answers before a real browser: nothing runs, nothing is fetched, text stays text.

That no request leaves the origin and no page breaks its policy is checked at the end of each test by `opened`.
"""

import re

import pytest
from hostile import hostile
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS
from browser.full_server import EVERYTHING
from rag_app.escape import escape_name

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

TEXTS = hostile(200)
FOREIGN = """() => {
  const all = (what) => [...document.querySelectorAll('.gradio-container ' + what)];
  const away = (address) => !address.startsWith(location.origin);
  const listening = (one) => one.getAttributeNames().filter((name) => name.startsWith('on'));
  return {
    hit: window.hit,
    elements: all(':is(script, iframe, object, embed, video, audio, base, meta, math)').map((one) => one.outerHTML),
    pictures: all('img').map((one) => one.src).filter(away),
    handlers: all('*').flatMap(listening),
    links: all('a').map((one) => one.href).filter(away),
  };
}"""
NOTHING = {"elements": [], "pictures": [], "handlers": [], "links": []}


@pytest.fixture
def watched(opened):
    """Opens pages that must make no dialog and go nowhere."""
    dialogs, addresses = [], []

    def open_page(address, path="/"):
        page = opened(address, path)
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("framenavigated", lambda frame: addresses.append(frame.url))
        return page

    yield open_page
    assert dialogs == []
    assert [one for one in addresses if "hostile.invalid" in one or "javascript" in one] == []


def untouched(page):
    told = page.evaluate(FOREIGN)
    assert told.pop("hit", None) is None
    assert told == NOTHING


def seen(text):
    """A name as its reader sees it."""
    from html import unescape

    return unescape(escape_name(text))


def test_two_hundred_file_names_on_their_way_are_only_names(watched, full):
    page = watched(full.address, "/library")
    names = page.locator(".queue .job .name")
    expect(page.locator(".queue .job.is-reading")).to_have_count(200)

    shown = set(names.evaluate_all("all => all.map((one) => one.textContent)"))
    expected = {seen(text.replace("\\", "/").rsplit("/", 1)[-1]) for text in TEXTS}
    assert expected - shown == set()
    untouched(page)


def test_a_hundred_and_fifty_documents_are_only_titles(watched, full):
    page = watched(full.address, "/library?space=hostile")
    shown = set()
    for first in (1, 51, 101):
        expect(page.get_by_text(f"{first} to {first + 49} of 150")).to_be_visible()
        shown |= set(page.locator(".documents .title").evaluate_all("all => all.map((one) => one.textContent)"))
        untouched(page)
        if first < 101:
            page.get_by_role("button", name="Later").click()
    assert {seen(text) for text in TEXTS[:150]} - shown == set()

    page.locator(".documents .title").first.click()
    expect(page.locator("dialog.page-view .viewer")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Import a folder on the server").click()
    expect(page.locator(".folder-list li")).to_have_count(42)
    untouched(page)


def test_an_answer_of_a_hundred_and_fifty_sentences_is_only_text(watched, full):
    page = watched(full.address)
    page.get_by_role("textbox", name="Question").fill(EVERYTHING)
    page.keyboard.press("Enter")
    answer = page.locator(".answer").last
    expect(answer).to_have_class("answer is-done")

    words = answer.text_content()
    plain = [text for text in TEXTS[:150] if text.isprintable() and text.isascii() and not re.search(r"\[|\*\*", text)]
    assert len(plain) > 50
    assert [text for text in plain if "".join(text.split()) not in "".join(words.split())] == []
    untouched(page)
    answer.locator("button.cite.sources").click()
    expect(page.locator("#evidence .source").first).to_be_visible()
    untouched(page)
    answer.get_by_role("button", name="How this was found").click()
    expect(page.get_by_role("table")).to_be_visible()
    untouched(page)


def test_figures_and_settings_are_only_text(watched, full):
    page = watched(full.address, "/quality")
    expect(page.locator(".failures details")).to_have_count(30)
    shown = page.locator(".failures summary .foreign").evaluate_all("all => all.map((one) => one.textContent)")
    assert [text for text in TEXTS[:30] if text.isprintable() and text not in shown] == []
    untouched(page)

    page.goto(f"{full.address}/settings")
    expect(page.locator(".settings-list tbody tr")).to_have_count(22)
    page.get_by_role("button", name="Check every part").click()
    expect(page.locator(".checks li")).to_have_count(2)
    untouched(page)

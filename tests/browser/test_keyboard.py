"""Without a mouse: where the focus is after something was renamed, deleted or drawn anew."""

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS, PHONE
from browser.test_journey import ask, box

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


def choose(page, name, item):
    page.get_by_role("button", name=f"More for {name}").press("Enter")
    page.get_by_role("menuitem", name=item).press("Enter")


def test_a_renamed_conversation_keeps_the_focus_and_a_deleted_one_gives_it_on(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    page.locator("#history").get_by_role("button", name="New question").press("Enter")
    expect(box(page)).to_be_focused()
    ask(page, "Who pays for overtime?")

    choose(page, "How long is the notice period?", "Rename")
    page.keyboard.type("Notice")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="More for Notice")).to_be_focused()
    choose(page, "Notice", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")

    expect(page.locator("#history .conversation")).to_have_count(1)
    expect(page.locator("#history").get_by_role("button", name="New question")).to_be_focused()


def test_on_a_phone_the_list_is_searched_by_a_key_and_left_by_another(opened, scripted):
    page = opened(scripted.address, viewport=PHONE)
    ask(page, "How long is the notice period?")

    page.keyboard.press("Control+K")
    expect(page.get_by_role("searchbox", name="Search conversations")).to_be_focused()
    page.keyboard.type("notice")
    expect(page.locator("#history .conversation")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator("#history .conversation")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("#history")).to_be_hidden()
    expect(page.get_by_role("button", name="Conversations")).to_be_focused()


def test_a_table_that_is_sorted_by_key_keeps_the_focus(opened, full):
    page = opened(full.address, "/library?q=report 0006")
    pages = page.get_by_role("button", name="Pages", exact=True)
    pages.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    expect(pages).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    expect(pages).to_be_focused()

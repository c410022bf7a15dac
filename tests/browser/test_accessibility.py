"""axe-core over every page and dialog: desktop and phone, light and dark. Nothing serious may be found."""

import pytest
from playwright.sync_api import expect

from browser.conftest import DESKTOP, PATIENCE_MS, PHONE
from browser.test_journey import ask

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_chat_has_no_serious_fault(opened, scripted, checked, viewport):
    page = opened(scripted.address, viewport=viewport, reduced_motion="reduce")
    expect(page.locator(".welcome")).to_be_visible()
    checked(page, "first page")
    page.get_by_role("button", name="See what reranking does").click()
    expect(page.locator("dialog.found-view .stop")).to_be_visible()
    checked(page, "tour")
    page.keyboard.press("Escape")

    answer = ask(page, "How long is the notice period?")
    checked(page, "answer")
    answer.locator("button.cite").first.click()
    expect(page.locator("#evidence .peek rect").first).to_be_visible()
    checked(page, "evidence")
    page.locator("#evidence").get_by_role("button", name="Open page").first.click()
    expect(page.locator("dialog.page-view rect").first).to_be_visible()
    checked(page, "page view")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    answer.get_by_role("button", name="How this was found").click()
    expect(page.get_by_role("table")).to_be_visible()
    checked(page, "how it was found")
    page.get_by_role("button", name="Both answers, side by side").click()
    expect(page.locator(".both")).to_be_visible()
    checked(page, "both answers")
    page.keyboard.press("Escape")
    answer.get_by_role("button", name="Poor").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    checked(page, "what was wrong")
    page.keyboard.press("Escape")

    answer.locator("button.sources").click()
    page.get_by_role("button", name="Not this one").first.click()
    expect(page.locator(".put-aside")).to_be_visible()
    expect(page.locator(".answer").last).to_have_class("answer is-done")
    checked(page, "a passage put aside")

    page.keyboard.press("Control+K")
    page.get_by_role("button", name="More for").click()
    expect(page.get_by_role("menu")).to_be_visible()
    checked(page, "list and menu")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_library_has_no_serious_fault(opened, scripted, checked, viewport):
    page = opened(scripted.address, "/library", viewport=viewport, reduced_motion="reduce")
    expect(page.locator(".documents")).to_be_visible()
    checked(page, "library")

    page.get_by_role("button", name="Delete Handbook.pdf").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    checked(page, "deleting")

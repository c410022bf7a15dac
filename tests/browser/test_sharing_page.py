"""A conversation shared by a link, in real browsers of two people who may not read the same."""

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS, PHONE, ScriptedServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "three words in a row"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    server = ScriptedServer(tmp_path_factory.mktemp("shared"), "shared_server.py")
    yield server
    server.stop()


def sign_in(page, name):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def choose_share(page):
    page.locator(".more").first.click()
    page.get_by_role("menuitem", name="Share").click()


def test_a_conversation_is_shared_read_by_somebody_else_and_taken_back(opened, shared, checked):
    anna = opened(shared.address, until="#name", permissions=["clipboard-read", "clipboard-write"])
    sign_in(anna, "anna")
    expect(anna.locator(".question")).to_have_count(4)
    choose_share(anna)
    anna.get_by_role("button", name="Make a link").click()
    field = anna.get_by_label("Link")
    expect(field).to_have_value(re.compile(r"^http://127.0.0.1:\d+/shared/[\w-]{43}$"))
    checked(anna, "sharing")
    anna.get_by_role("button", name="Copy link").click()
    expect(anna.get_by_text("Copied.")).to_be_visible()
    link = field.input_value()
    assert anna.evaluate("navigator.clipboard.readText()") == link

    ben = opened(link, path="", until="#name", viewport=PHONE)
    expect(ben.get_by_role("link", name="Sign in with 127.0.0.1:9")).to_be_visible()
    checked(ben, "two ways in")
    sign_in(ben, "ben")
    expect(ben.locator("h2")).to_have_count(4)
    expect(ben.locator(".left-out")).to_have_count(3)
    expect(ben.locator(".by")).to_contain_text("Shared by anna")
    assert not re.search("zebra costs|Prices 2026", ben.content())
    ben.locator("a.cite").first.click()
    expect(ben.locator("li:target")).to_be_visible()
    assert ben.evaluate("document.documentElement.scrollWidth <= innerWidth")
    checked(ben, "shared")
    with ben.expect_download() as download:
        ben.get_by_role("link", name="Save as Markdown").click()
    assert "zebra costs" not in download.value.path().read_text(encoding="utf-8")

    anna.get_by_role("button", name="Stop sharing").click()
    expect(anna.get_by_role("button", name="Make a link")).to_be_visible()
    ben.reload()
    expect(ben.locator("body")).to_contain_text("This link leads nowhere")


def test_the_link_is_there_again_and_shows_later_questions_only_once_renewed(opened, shared):
    anna = opened(shared.address, until="#name")
    sign_in(anna, "anna")
    expect(anna.locator(".question")).to_have_count(4)
    choose_share(anna)
    anna.get_by_role("button", name="Make a link").click()
    link = anna.get_by_label("Link").input_value()
    anna.get_by_role("button", name="Close").click()
    anna.locator("#question textarea").fill("How long is it?")
    anna.keyboard.press("Enter")
    expect(anna.locator(".answer").last.locator(".reply-answer")).to_be_visible()

    other = anna.context.new_page()
    other.goto(link)
    expect(other.locator("h2")).to_have_count(4)
    choose_share(anna)
    expect(anna.get_by_label("Link")).to_have_value(link)
    anna.get_by_role("button", name="Renew").click()
    expect(anna.get_by_text("now shows what was asked so far")).to_be_visible()
    other.reload()

    expect(other.locator("h2")).to_have_count(5)

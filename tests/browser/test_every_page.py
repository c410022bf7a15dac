"""Every page there is, for people who are registered: each comes up, fits its window, and has no serious fault."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from browser.conftest import DESKTOP, PATIENCE_MS, PHONE, ScriptedServer
from browser.people_server import PASSWORD
from rag_app.web.header_html import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    server = ScriptedServer(tmp_path_factory.mktemp("people"), "people_server.py")
    yield server
    server.stop()


def sign_in(page, address, name="root", path="/"):
    page.goto(f"{address}/login?next={path}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".bar .me, .back").first).to_be_visible()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_in_the_navigation_comes_up_and_has_no_serious_fault(opened, registered, checked, viewport):
    page = opened(registered.address, "/login", viewport=viewport, reduced_motion="reduce", until="h1")
    sign_in(page, registered.address)

    for name, address, _ in PAGES:
        page.goto(registered.address + address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.locator(".bar .me")).to_be_visible()
        if name != "Spaces":  # which administrators find from the page of people
            expect(page.locator(".bar nav [aria-current]")).to_have_text(name)
            expect(page.locator(".bar nav [aria-current]")).to_be_in_viewport(ratio=1)
        assert fits(page), name
        checked(page, name)
    page.goto(f"{registered.address}/inbox")
    page.locator(".asked-group > summary").first.click()
    checked(page, "a question of the inbox")
    page.goto(registered.address)
    page.locator(".me > summary").click()
    expect(page.get_by_role("link", name="Keys for programs")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_in_viewport()
    checked(page, "who is signed in")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_outside_of_the_navigation_have_no_serious_fault(opened, registered, checked, viewport):
    page = opened(registered.address, "/login", viewport=viewport, until="h1")
    checked(page, "signing in")
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password").fill("not it")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    checked(page, "not let in")
    sign_in(page, registered.address, path="/keys")
    page.get_by_label("What it is for").fill(f"help desk of {viewport['width']}")
    page.get_by_role("button", name="Make a key").click()
    expect(page.locator("code.key")).to_be_visible()
    assert fits(page)
    checked(page, "keys, one just made")

    page.goto(f"{registered.address}/people")
    page.get_by_label("Name they sign in with").fill(f"new {uuid4().hex}")
    page.get_by_role("button", name="Register and make a link").click()
    link = page.locator("code.key").inner_text()
    assert fits(page)
    checked(page, "people, one just registered")
    page.goto(link if link.startswith("http") else registered.address + link)
    expect(page.get_by_text("You will sign in as")).to_be_visible()
    checked(page, "choosing a password")
    page.goto(f"{registered.address}/nothing/here")
    expect(page.get_by_text("There is nothing at this address.")).to_be_visible()
    checked(page, "an address where there is nothing")
    page.get_by_role("link", name="Back to asking").click()
    expect(page).to_have_url(re.compile(rf"^{registered.address}/(\?|$)"))


def test_an_editor_sees_the_pages_that_are_theirs_and_reads_why_not_the_others(opened, registered, checked):
    page = opened(registered.address, "/login", until="h1")
    sign_in(page, registered.address, "dana example with a rather long name")

    expect(page.locator(".bar nav a")).to_have_text(["Ask", "Library", "Inbox", "Report"])
    page.goto(f"{registered.address}/settings")
    expect(page.get_by_text("This page is for administrators.")).to_be_visible()
    checked(page, "a page for others")

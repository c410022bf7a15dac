"""Replies, the report and the choice of spaces in a real browser, over scripted answers and three spaces."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from browser.conftest import DESKTOP, PATIENCE_MS, PHONE, ScriptedServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    server = ScriptedServer(tmp_path_factory.mktemp("team"), "team_server.py")
    yield server
    server.stop()


def ask(page, question):
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".question").last).to_have_text(question)
    expect(page.locator(".answer").last.locator(".reply-answer")).to_be_visible()


def space(page, name):
    return page.locator(".ask-in").get_by_role("button", name=name, exact=True)


def test_a_question_is_asked_in_the_spaces_chosen_and_its_answer_says_so(opened, team):
    page = opened(team.address)
    expect(space(page, "all")).to_have_attribute("aria-pressed", "true")

    ask(page, "How long is the notice period?")
    expect(page.locator(".answer").last).to_contain_text("searched in: documents, sales")
    space(page, "sales").click()
    expect(space(page, "all")).to_have_attribute("aria-pressed", "false")
    ask(page, "And in sales?")

    expect(page.locator(".answer").last).to_contain_text("searched in: sales")
    page.reload()
    expect(space(page, "sales")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".answer").last).to_contain_text("searched in: sales")
    space(page, "all").click()
    expect(page).not_to_have_url(re.compile("[?&]in="))


def test_a_reply_is_written_copied_kept_and_exported(opened, team):
    page = opened(team.address, viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    ask(page, "How long is the notice period?")

    page.locator(".reply-answer").click()
    text = page.locator("#reply-text")
    expect(text).to_have_value(re.compile(r"Overtime is paid twice\.\n\nSources:\n\[1\] Handbook\.pdf, page 12"))
    expect(page.locator(".reply-notice")).to_contain_text("Check before you send")
    page.get_by_label("Tone").select_option("warm")
    page.get_by_role("button", name="Write with llama3").click()
    expect(text).to_have_value("Your notice period is three months [1].\n\nSources:\n[1] Handbook.pdf, page 12")
    expect(page.locator(".reply-notice")).to_contain_text("1 of 2 sentences")
    page.get_by_role("button", name="Copy", exact=True).and_(page.locator("[data-copy-reply]")).click()
    expect(page.locator(".reply .told")).to_have_text("Copied, and kept with the question.")
    assert page.evaluate("navigator.clipboard.readText()").startswith("Your notice period")
    page.get_by_role("button", name="Close").click()

    page.locator(".reply-answer").click()
    expect(page.locator(".copied summary")).to_have_text("Copied before (1)")
    conversation = re.search(r"c=([0-9a-f]{32})", page.url).group(1)
    assert (
        "> Your notice period is three months"
        in page.request.get(f"{team.address}/conversations/{conversation}.md").text()
    )


def test_the_report_is_drawn_narrowed_to_a_space_and_saved(opened, team):
    page = opened(team.address, "/report?weeks=13")
    expect(page.locator("#report h1")).to_have_text("Report")
    expect(page.locator("#report svg")).to_have_count(3)
    expect(page.locator("#report")).to_contain_text("Who won the cup?")
    expect(page.locator("#report")).to_contain_text("Prices 2026")

    page.get_by_label("Space").select_option("documents")
    expect(page.locator("#report")).not_to_contain_text("Prices 2026")
    expect(page).to_have_url(re.compile("weeks=13.*space=documents"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()

    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert {row["space"] for row in rows if row["part"] == "week"} == {"documents"}
    assert {row["name"] for row in rows if row["part"] == "gap"} == {"Who won the cup?"}


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_these_pages_have_no_serious_fault(opened, team, checked, viewport):
    page = opened(team.address, "/report?weeks=13", viewport=viewport, reduced_motion="reduce")
    expect(page.locator("#report svg")).to_have_count(3)
    checked(page, "report")

    page.goto(f"{team.address}/")
    expect(page.locator(".ask-in")).to_be_visible()
    ask(page, "How long is the notice period?")
    checked(page, "spaces")
    page.locator(".reply-answer").click()
    expect(page.locator("#reply-text")).to_be_visible()
    checked(page, "reply")

    page.goto(f"{team.address}/library")
    expect(page.locator("#add-to")).to_be_visible()
    checked(page, "where files go")


def test_files_go_to_the_space_that_was_chosen(opened, team):
    page = opened(team.address, "/library")
    page.locator("#add-to").select_option("sales")
    with page.expect_request(lambda request: request.method == "POST" and "/documents" in request.url) as sent:
        page.locator("#file-picker").or_(page.locator("[data-choose]")).first.click()
        page.locator("#file-picker").set_input_files({"name": "new.pdf", "mimeType": "", "buffer": b"%PDF-1.7 new"})

    assert sent.value.url.endswith("?space=sales")

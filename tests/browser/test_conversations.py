"""Conversations and what can be done with an answer, in a real browser over scripted answers."""

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS, PHONE
from browser.test_journey import answered, ask, box
from rag_app.feedback import Reason, Verdict

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


def listed(page):
    return page.locator("#history .conversation")


def choose(page, name, item):
    page.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name=item).click()


def test_conversations_are_kept_found_renamed_exported_and_deleted(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    page.locator("#history").get_by_role("button", name="New question").click()
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, "Who pays for overtime?")
    expect(listed(page)).to_have_text(["Who pays for overtime?", "How long is the notice period?"])

    search = page.get_by_role("searchbox", name="Search conversations")
    search.fill("NOTICE")
    expect(listed(page)).to_have_text(["How long is the notice period?"])
    listed(page).click()
    expect(page.locator("#turns .question")).to_have_text("How long is the notice period?")
    expect(listed(page)).to_have_attribute("aria-current", "page")

    choose(page, "How long is the notice period?", "Rename")
    page.get_by_role("textbox", name="Name").fill("Notice <b>")
    page.keyboard.press("Enter")
    expect(listed(page)).to_have_text(["Notice <b>"])
    with page.expect_download() as download:
        choose(page, "Notice <b>", "Export as Markdown")
    assert download.value.suggested_filename == "Notice b.md"
    text = download.value.path().read_text(encoding="utf-8")
    assert "## How long is the notice period?" in text
    assert "- [1] Handbook.pdf, page 12 (sheet 18)" in text

    search.fill("")
    choose(page, "Notice <b>", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(listed(page)).to_have_text(["Who pays for overtime?"])
    expect(page.locator(".welcome")).to_be_visible()
    page.go_back()
    expect(page.locator("#turns .question")).to_have_text("Who pays for overtime?")


def test_another_browser_sees_nothing_although_it_knows_the_address(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    expect(listed(page)).to_have_count(1)
    address = page.url

    page.reload()
    expect(page.locator("#turns .question")).to_have_text("How long is the notice period?")
    other = opened(scripted.address, address.removeprefix(scripted.address))

    expect(other.locator(".welcome")).to_be_visible()
    expect(other.locator("#history .none")).to_contain_text("for you alone")
    expect(other.locator("#turns .question")).to_have_count(0)
    expect(other).to_have_url(re.compile(r"c=new$"))


def test_a_page_may_turn_away_from_an_answer_that_is_being_made_and_come_back(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    page.locator("#history").get_by_role("button", name="New question").click()
    scripted.hold()
    box(page).fill("Who pays for overtime?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page).to_have_url(re.compile(r"c=[0-9a-f]{32}$"))
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator("#turns .question")).to_have_text("Who pays for overtime?")

    page.get_by_role("link", name="How long is the notice period?").click()
    expect(page.locator("#turns .question")).to_have_text("How long is the notice period?")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    answer = ask_held(page, "And for trainees?")
    scripted.let_go()

    answered(page, "And for trainees?")
    expect(answer).to_contain_text("three months")
    expect(page.locator("#turns .question")).to_have_count(2)
    answered(second, "Who pays for overtime?")
    expect(second.locator("#turns .question")).to_have_count(1)


def ask_held(page, question):
    box(page).fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#turns .question").last).to_have_text(question)
    return page.locator(".answer").last


def test_the_last_question_is_edited_and_asked_again(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    ask(page, "And for trainees?")
    expect(page.get_by_role("button", name="Edit this question")).to_have_count(1)

    page.get_by_role("button", name="Edit this question").click()
    expect(box(page)).to_have_value("And for trainees?")
    page.keyboard.press("Escape")
    expect(box(page)).to_have_value("")
    page.get_by_role("button", name="Edit this question").click()
    ask(page, "And for apprentices?")
    expect(page.locator("#turns .question")).to_have_text(["How long is the notice period?", "And for apprentices?"])
    first = page.locator(".answer").last.get_attribute("id")
    page.get_by_role("button", name="Ask again").click()

    expect(page.locator(".answer").last).not_to_have_attribute("id", first)
    answered(page, "And for apprentices?")
    expect(page.locator("#turns .question")).to_have_text(["How long is the notice period?", "And for apprentices?"])


def test_an_answer_is_judged_and_copied(opened, scripted):
    page = opened(scripted.address)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = ask(page, "How long is the notice period?")
    turn = answer.get_attribute("id").removeprefix("turn-")

    answer.get_by_role("button", name="Copy").click()
    expect(answer.get_by_role("status")).to_have_text("Copied, with 2 sources.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("The notice period is three months from the first day of the following month. [1]")
    assert "Sources\n[1] Handbook.pdf, page 12 (sheet 18):" in copied

    answer.get_by_role("button", name="Poor").click()
    page.get_by_role("dialog").get_by_text("Out of date").click()
    page.get_by_label("In your own words").fill("Since May it is two.")
    page.get_by_role("button", name="Send").click()
    expect(answer.get_by_role("status")).to_contain_text("Thank you")
    (judgement,) = scripted.verdicts(turn)
    said = (judgement.verdict, judgement.reason, judgement.note)
    assert said == (Verdict.POOR, Reason.OUT_OF_DATE, "Since May it is two.")

    page.reload()
    expect(answer.get_by_role("button", name="Poor answer, as you said")).to_be_visible()
    answer.get_by_role("button", name="Poor").click()
    expect(answer.get_by_role("status")).to_have_text("Taken back.")
    assert scripted.verdicts(turn) == []


def test_how_it_was_found_leads_to_the_pages_and_back(opened, scripted):
    page = opened(scripted.address)
    answer = ask(page, "How long is the notice period?")
    button = answer.get_by_role("button", name="How this was found")

    button.click()
    table = page.get_by_role("dialog").get_by_role("table")
    expect(table.get_by_role("rowheader")).to_have_count(50)
    title = table.get_by_role("button").first
    title.click()
    viewer = page.locator("dialog.page-view")
    expect(viewer.locator("rect").first).to_be_visible()
    width = viewer.locator(".sheet").bounding_box()["width"]
    viewer.get_by_role("button", name="Larger").click()
    expect(viewer.get_by_role("button", name="Smaller")).to_be_enabled()
    assert viewer.locator(".sheet").bounding_box()["width"] > 1.4 * width
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download the original").click()
    assert download.value.suggested_filename == "Handbook.pdf"

    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(title).to_be_focused()
    page.keyboard.press("Escape")
    expect(table).to_be_hidden()
    expect(button).to_be_focused()


def test_on_a_phone_the_list_folds_away(opened, scripted):
    page = opened(scripted.address, viewport=PHONE, has_touch=True)
    ask(page, "How long is the notice period?")
    expect(listed(page)).to_have_count(1)
    expect(listed(page)).to_be_hidden()

    page.get_by_role("button", name="Conversations").tap()
    expect(listed(page)).to_be_visible()
    page.locator("#history").get_by_role("button", name="New question").tap()
    expect(page.locator(".welcome")).to_be_visible()
    expect(listed(page)).to_be_hidden()
    page.get_by_role("button", name="Conversations").tap()
    listed(page).tap()

    expect(page.locator("#turns .question")).to_have_text("How long is the notice period?")
    expect(listed(page)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

"""What is seen while an answer is made and afterwards: its stages, how it was found, and all of it after a restart."""

import pytest
from playwright.sync_api import expect

from browser.conftest import PATIENCE_MS, PHONE
from browser.test_journey import answered, ask, box

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

# Keeps what the stage says, and how many words of the answer are there, whenever either changes.
WATCH = """() => {
  const seen = window.seen = { stages: [], lengths: [] };
  const put = (list, value) => { if (value !== undefined && list[list.length - 1] !== value) list.push(value); };
  new MutationObserver(() => {
    const stage = [...document.querySelectorAll('.stage')].pop();
    const said = [...document.querySelectorAll('#turns .answer .said')].pop();
    if (stage) put(seen.stages, stage.textContent);
    if (said) put(seen.lengths, said.textContent.trim().split(/\\s+/).length);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
STAGES = ["Reading your question", "Searching 1,284 passages", "Reading the best 50", "Writing"]


def test_the_stages_show_as_they_happen_the_words_as_they_come_and_both_fold_away(opened, scripted):
    page = opened(scripted.address)
    page.evaluate(WATCH)
    scripted.be_slow()

    answer = ask(page, "How long is the notice period?")
    scripted.be_quick()

    seen = page.evaluate("window.seen")
    assert [stage for stage in seen["stages"] if stage in STAGES] == STAGES
    assert len(set(seen["lengths"])) > 5
    expect(page.locator(".stage")).to_have_count(0)
    expect(answer.locator(".folded")).to_contain_text("Read 50 passages, kept 3 (637 ms)")
    expect(answer.locator(".closing")).to_contain_text("reranking 610 ms")
    expect(page.locator("#live [role='status']")).to_have_text("Answer ready, 2 sources")


def test_how_it_was_found_tells_ranks_movement_relevance_and_times(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?").get_by_role("button", name="How this was found").click()
    dialog = page.locator("dialog.found-view")

    expect(dialog.get_by_role("columnheader")).to_have_text(
        ["Place", "Passage", "By meaning", "By words", "Joined", "Moved", "Relevance"]
    )
    first = dialog.locator("tbody tr").first
    expect(first).to_contain_text("Handbook.pdf")
    expect(first.locator(".is-relevance")).to_contain_text("0.94")
    expect(dialog.locator(".is-moved .up, .is-moved .down, .is-moved .same").first).to_be_visible()
    expect(dialog.locator(".stage-times li")).to_have_count(7)
    expect(dialog.locator(".stage-times")).to_contain_text("610 ms")
    expect(dialog.locator(".lift")).to_contain_text("The cross-encoder read 50 passages")


def test_what_was_answered_before_a_restart_is_there_after_it(opened, scripted):
    page = opened(scripted.address)
    ask(page, "How long is the notice period?")
    page.locator("#history").get_by_role("button", name="New question").click()
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, "Who pays for overtime?")

    scripted.kill()
    scripted.start()
    page.reload()

    answered(page, "Who pays for overtime?")
    page.get_by_role("link", name="How long is the notice period?").click()
    answer = answered(page, "How long is the notice period?")
    answer.locator("button.cite").first.click()
    expect(page.locator("#evidence .chosen .peek rect").first).to_be_visible()


def test_a_long_list_of_conversations_opens_piece_by_piece_and_is_searched_whole(opened, scripted):
    page = opened(scripted.address, viewport=PHONE)
    ask(page, "How long is the notice period?")
    cookie = next(one["value"] for one in page.context.cookies() if one["name"] == "rag_browser")
    scripted.begin(cookie.partition(".")[0], 70)

    page.reload()
    page.get_by_role("button", name="Conversations").click()
    listed = page.locator("#history .conversation")
    expect(listed).to_have_count(30)
    page.locator("[data-further]").click()
    expect(listed).to_have_count(60)
    page.get_by_role("searchbox", name="Search conversations").fill("number 3?")
    expect(listed).to_have_text(["Question number 3?"])


def test_keys_alone_ask_read_open_the_page_copy_and_come_back(opened, scripted):
    page = opened(scripted.address)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(box(page)).to_be_focused()
    page.keyboard.type("How long is the notice period?")
    page.keyboard.press("Enter")
    answer = answered(page, "How long is the notice period?")

    mark = answer.locator("button.cite").first
    mark.focus()
    page.keyboard.press("Enter")
    opener = page.locator("#evidence .chosen").get_by_role("button", name="Open page")
    opener.focus()
    page.keyboard.press("Enter")
    viewer = page.locator("dialog.page-view")
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "18")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "19")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    answer.get_by_role("button", name="Copy").focus()
    page.keyboard.press("Enter")
    expect(answer.get_by_role("status")).to_have_text("Copied, with 2 sources.")

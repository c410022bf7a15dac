"""What proves an answer, in a real browser over scripted answers: quotes, pages, passages put aside, both answers."""

import pytest
from playwright.sync_api import expect

from browser.conftest import DESKTOP, PATIENCE_MS, PHONE
from browser.test_journey import answered, ask, box
from rag_app.tour import TOUR

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

QUESTION = "How long is the notice period?"


def put_aside(page):
    return page.locator(".answer").last.locator(".put-aside")


def test_a_mark_shows_its_quote_to_the_pointer_and_to_the_keyboard(opened, scripted):
    page = opened(scripted.address)
    mark = ask(page, QUESTION).locator("button.cite").first
    card = page.get_by_role("tooltip")

    mark.hover()
    expect(card).to_contain_text("Handbook.pdf, page 12")
    expect(card).to_contain_text("The notice period is three months from the first day of the following month.")
    expect(card).to_contain_text("Supports this sentence")
    box(page).hover()
    expect(card).to_be_hidden()

    page.get_by_role("button", name="Edit this question").focus()
    page.keyboard.press("Tab")  # to how this was found, which stands above the answer
    page.keyboard.press("Tab")
    expect(mark).to_be_focused()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


@pytest.mark.parametrize(
    "given", [{"viewport": DESKTOP}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["desktop", "phone, dark"]
)
def test_a_click_on_a_mark_shows_the_page_at_the_passage(opened, scripted, given):
    page = opened(scripted.address, **given)
    marks = ask(page, QUESTION).locator("button.cite:not(.sources)")

    for place in (1, 0):
        marks.nth(place).click()
        peek = page.locator(f"#evidence .chosen[data-source='{place}'] .peek")
        expect(peek.locator("rect").first).to_be_in_viewport()
        if page.viewport_size == PHONE:
            page.keyboard.press("Escape")
    if page.viewport_size == PHONE:
        return
    peek.click()
    viewer = page.locator("dialog.page-view")
    expect(viewer.locator("rect").first).to_be_in_viewport()
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "18")
    page.keyboard.press("Escape")
    expect(peek).to_be_focused()


def test_a_source_is_put_aside_kept_so_and_used_again(opened, scripted):
    page = opened(scripted.address)
    answer = ask(page, QUESTION)
    expect(answer).to_contain_text("three months")
    first = page.locator("#evidence .source").first

    first.get_by_role("button", name="Not this one").click()
    expect(put_aside(page)).to_contain_text("Handbook.pdf, page 12 (sheet 18)")
    answer = answered(page, QUESTION)
    expect(answer).not_to_contain_text("three months")
    expect(answer).to_contain_text("two weeks")
    page.reload()
    expect(put_aside(page)).to_contain_text("Made without")
    expect(page.locator("#turns .question")).to_have_count(1)

    page.locator("#evidence .source").first.get_by_role("button", name="Not this one").click()
    expect(put_aside(page).get_by_role("listitem")).to_have_count(2)
    answered(page, QUESTION)
    put_aside(page).get_by_role("button", name="Use it again").first.click()
    expect(put_aside(page).get_by_role("listitem")).to_have_count(1)
    answered(page, QUESTION)
    expect(page.locator(".answer").last).to_contain_text("three months")


def test_earlier_answers_offer_nothing_that_would_change_them(opened, scripted):
    page = opened(scripted.address)
    earlier = ask(page, QUESTION).get_attribute("id")
    ask(page, "Who pays for overtime?")
    # The evidence of an answer is drawn a moment after it, and would take the place of what is chosen before.
    expect(page.locator("#evidence .evidence-for")).to_contain_text("Who pays for overtime?")

    page.locator(f"#{earlier} button.sources").click()

    expect(page.locator("#evidence .evidence-for")).to_contain_text(QUESTION)
    expect(page.locator("#evidence").get_by_role("button", name="Open page")).not_to_have_count(0)
    expect(page.locator("#evidence").get_by_role("button", name="Not this one")).to_have_count(0)


def test_both_answers_stand_side_by_side(opened, scripted):
    page = opened(scripted.address)
    answer = ask(page, QUESTION)
    answer.get_by_role("button", name="How this was found").click()
    dialog = page.locator("dialog.found-view")
    dialog.get_by_role("button", name="Both answers, side by side").click()

    expect(dialog.locator(".lift")).to_contain_text("would not have been used without it")
    expect(dialog.get_by_role("heading", name="With reranking", exact=True)).to_be_visible()
    with_it, without = dialog.locator(".both > section").all()
    expect(with_it).to_contain_text("three months")
    expect(without).not_to_contain_text("three months from")
    expect(dialog.get_by_role("button", name="Both answers")).to_be_focused()
    dialog.get_by_role("button", name="Before reranking").click()
    expect(dialog.get_by_role("table")).to_be_visible()
    expect(answer).to_contain_text("three months")


def test_the_tour_goes_through_its_questions(opened, scripted):
    page = opened(scripted.address, viewport=PHONE, color_scheme="dark")
    page.get_by_role("button", name="See what reranking does").click()
    dialog = page.locator("dialog.found-view")

    for number, stop in enumerate(TOUR, start=1):
        expect(dialog.locator(".stop")).to_have_text(f"Question {number} of {len(TOUR)}")
        expect(dialog.locator(".found-for")).to_have_text(stop.question)
        if number < len(TOUR):
            dialog.get_by_role("button", name="Next question").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="Ask your own").click()

    expect(dialog).to_be_hidden()
    expect(page.locator(".welcome")).to_be_visible()


def test_questions_to_begin_with_come_when_they_are_found(opened, scripted):
    scripted.look_for_questions()
    page = opened(scripted.address)
    expect(page.locator(".welcome")).to_contain_text("are being looked for")
    expect(page.locator(".shelf-titles")).to_contain_text("Handbook.pdf")
    expect(page.locator(".welcome")).to_contain_text("Drop more PDF or text files anywhere on this page")
    box(page).fill("A question that is being written")

    scripted.find_questions()
    expect(page.locator(".example")).to_have_count(3)
    expect(box(page)).to_have_value("A question that is being written")
    box(page).fill("")
    page.locator(".example").nth(1).click()

    answered(page, "How do I set a password?")


def test_a_long_conversation_is_shown_piece_by_piece(opened, scripted):
    page = opened(scripted.address)
    ask(page, QUESTION)
    scripted.lengthen(page.url.rpartition("=")[2], 1000)

    page.reload()
    expect(page.locator("#turns .question")).to_have_count(20)
    expect(page.locator("#turns .question").last).to_have_text("Question 999?")
    page.get_by_role("button", name="Show 20 earlier questions of 981").click()

    expect(page.locator("#turns .question")).to_have_count(40)
    expect(page.get_by_role("button", name="Show 40 earlier questions of 961")).to_be_visible()
    ask(page, "And one more?")
    expect(page.locator("#turns .question")).to_have_count(20)


def test_an_answer_cut_off_by_the_death_of_the_server_is_shown_so_and_asked_again(opened, scripted):
    page = opened(scripted.address)
    scripted.hold()
    box(page).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".answer").last).to_contain_text("The")
    box(page).fill("The next one")

    scripted.kill()
    expect(page.locator("#gone")).to_contain_text("The server does not answer.")
    scripted.start()

    answer = page.locator(".answer").last
    expect(answer).to_contain_text("The server stopped before this answer was finished.")
    expect(page.locator("#gone")).to_have_count(0)
    expect(box(page)).to_have_value("The next one")
    answer.get_by_role("button", name="Ask again").click()
    answered(page, QUESTION)
    expect(page.locator("#turns .question")).to_have_count(1)

"""What a new user does, in a real browser against the real application: steps 2 to 5, and Stop."""

import threading

import pytest
from playwright.sync_api import expect
from reportlab.pdfgen import canvas
from scripted_endpoint import ScriptedEndpoint

from browser.conftest import PATIENCE_MS, PHONE, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)

LANTERN = (
    "The lantern room of the Korvatunturi lighthouse is inspected every second Tuesday by two keepers.",
    "The inspection takes forty minutes and ends with a signature in the brass logbook.",
    "Spare wicks are stored in the green cabinet on the third landing.",
)


def box(page):
    return page.get_by_role("textbox", name="Question")


def ask(page, question):
    box(page).fill(question)
    page.keyboard.press("Enter")
    return answered(page, question)


def answered(page, question):
    """The answer to `question`, once it is complete."""
    expect(page.locator("#turns .question").last).to_have_text(question)
    answer = page.locator(".answer").last
    expect(answer).to_have_class("answer is-done")
    return answer


def make_pdf(path, lines):
    sheet = canvas.Canvas(str(path))
    for number in range(1, 3):
        sheet.setFont("Helvetica", 11)
        for place, line in enumerate(lines if number == 1 else ("This second page says nothing of use to anyone.",)):
            sheet.drawString(72, 740 - 20 * place, line)
        sheet.showPage()
    sheet.save()
    return path


def test_a_first_question_is_answered_with_marks_and_sources(opened, address):
    page = opened(address)
    expect(page.locator(".example")).to_have_count(3)

    answer = ask(page, "Which reranking models can I use?")

    expect(answer).to_contain_text("cross-encoder")
    expect(answer.locator(".closing")).to_contain_text("Quoted from the documents, no model used")
    expect(answer.locator(".closing")).to_contain_text("reranking")
    source = page.locator("#evidence .source").first
    expect(source).to_contain_text("page")
    expect(source).to_contain_text("match")
    expect(source.locator("mark")).not_to_be_empty()


def test_a_click_on_a_mark_and_its_source_shows_the_page_with_the_passage_highlighted(opened, address):
    page = opened(address)
    answer = ask(page, "Which reranking models can I use?")

    answer.locator("button.cite").first.click()
    chosen = page.locator("#evidence .source.chosen")
    expect(chosen).to_have_count(1)
    chosen.get_by_role("button", name="Open page").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.locator("rect").first).to_be_visible()
    picture = dialog.get_by_role("img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 500
    box, sheet = dialog.locator("rect").first.bounding_box(), picture.bounding_box()
    assert sheet["x"] <= box["x"] < sheet["x"] + sheet["width"]
    assert sheet["y"] <= box["y"] < sheet["y"] + sheet["height"]
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_pages_turn_by_button_and_by_key(opened, address):
    page = opened(address, "/library")
    page.locator(".documents .title").first.click()
    dialog = page.get_by_role("dialog")

    expect(dialog.locator(".viewer")).to_have_attribute("data-page", "1")
    dialog.get_by_role("button", name="Next page").click()
    expect(dialog.locator(".viewer")).to_have_attribute("data-page", "2")
    page.keyboard.press("ArrowLeft")

    expect(dialog.locator(".viewer")).to_have_attribute("data-page", "1")
    expect(dialog.get_by_role("button", name="Previous page")).to_be_disabled()


def test_a_follow_up_is_understood(opened, address):
    page = opened(address)
    ask(page, "Which reranking models can I use?")

    answer = ask(page, "and which of them needs a GPU?")

    expect(answer.locator(".rewritten")).to_contain_text("reranking models")
    expect(answer.locator(".said")).to_contain_text("GPU")


def test_what_the_documents_do_not_hold_is_said_with_the_nearest_passages(opened, address):
    page = opened(address)

    answer = ask(page, "Who won the chess championship of Iceland in 1974?")

    expect(answer).to_contain_text("The documents do not seem to answer this. The nearest passages are below.")
    expect(answer.locator(".nearest li")).not_to_have_count(0)
    expect(page.locator("#evidence h2")).to_have_text("Nearest passages")


def test_a_reload_shows_the_conversation_again_and_another_browser_does_not(opened, address):
    page = opened(address)
    ask(page, "Which reranking models can I use?")

    page.reload()
    expect(page.locator("#turns .question")).to_have_text("Which reranking models can I use?")
    expect(page.locator(".answer.is-done button.cite").first).to_be_visible()
    expect(page.locator("#evidence .source").first).to_be_visible()

    expect(opened(address).locator(".welcome")).to_be_visible()


def test_an_example_is_asked_by_a_click_and_a_new_question_begins_afresh(opened, address):
    page = opened(address)
    example = page.locator(".example").first
    question = example.inner_text()

    example.click()
    answered(page, question)
    page.get_by_role("button", name="New question").click()

    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#turns .question")).to_have_count(0)


def test_empty_and_overlong_questions_get_a_sentence(opened, address):
    page = opened(address)

    box(page).press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Write a question first.")
    box(page).fill("why " * 25_000)
    box(page).press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("at most 4,000 can be asked")


def test_hostile_questions_come_out_as_text(opened, address):
    page = opened(address)
    question = "<img src=x onerror=window.hit=1> ${window.hit=2} {{7*7}} **b** `c` $$x$$ [l](javascript:1) </div><h1>"

    ask(page, question)

    expect(page.locator("#turns .question")).to_have_text(question)
    assert page.evaluate("window.hit") is None
    assert page.locator("#turns h1, #turns .question img, #turns .question strong").count() == 0


def test_a_phone_shows_everything_without_sideways_scrolling(opened, address):
    page = opened(address, viewport=PHONE, has_touch=True, color_scheme="dark")

    ask(page, "Which reranking models can I use?")
    page.locator(".answer button.sources").tap()

    expect(page.locator("#evidence .source").first).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#evidence .source").first).to_be_hidden()


@pytest.fixture(scope="module")
def other_address(tmp_path_factory):
    """A server whose library changes."""
    with serving(tmp_path_factory.mktemp("state") / "home") as address:
        yield address


def test_an_own_document_is_watched_asked_about_replaced_and_deleted(opened, other_address, tmp_path):
    page = opened(other_address, "/library")
    plan = make_pdf(tmp_path / "lighthouse.pdf", LANTERN)
    bad = tmp_path / "notes <b>.pdf"
    bad.write_bytes(b"\0\1\2 this is no PDF at all")

    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([plan, bad])

    own = page.locator(".queue .job", has_text="lighthouse.pdf")
    expect(own).to_contain_text("ready: 2 pages")
    expect(page.locator(".job.is-refused", has_text="notes <b>.pdf")).not_to_be_empty()
    expect(page.locator(".documents tr", has_text="lighthouse")).to_contain_text("documents")
    expect(page.locator(".about-handbook")).to_contain_text("stays out of ordinary answers")

    page.get_by_role("link", name="Ask", exact=True).click()
    answer = ask(page, "How often is the lantern room inspected?")
    expect(answer).to_contain_text("every second Tuesday")
    expect(page.locator("#evidence .source").first).to_contain_text("page 1")
    titles = page.locator("#evidence .source h3").all_inner_texts()
    assert all("Guide" not in title and "Retrieval" not in title for title in titles)

    page.get_by_role("link", name="Library", exact=True).click()
    make_pdf(plan, (*LANTERN, "Since spring the inspection is on Fridays."))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(plan)
    page.get_by_role("button", name="Replace").click()
    expect(page.locator(".queue .job.is-ready", has_text="lighthouse.pdf")).to_have_count(2)
    expect(page.locator(".documents tr", has_text="lighthouse")).to_have_count(1)

    page.locator(".documents tr", has_text="lighthouse").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".documents tr", has_text="lighthouse")).to_have_count(0)


def test_stop_stops_the_model_and_keeps_what_was_written(opened, tmp_path):
    never = threading.Event()
    pieces = ("The bundled cross-encoder can be used [1]. ", "It needs no GPU [1]. ", never, "Never seen.")
    with ScriptedEndpoint(pieces) as endpoint:
        model = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": "k", "RAG_LLM_MODEL": "scripted"}
        with serving(tmp_path / "home", **model) as address:
            page = opened(address)
            box(page).fill("Which reranking models can I use?")
            page.keyboard.press("Enter")
            answer = page.locator(".answer").last
            expect(answer).to_contain_text("The bundled cross-encoder can be used")

            page.reload()
            expect(answer).to_contain_text("The bundled cross-encoder can be used")
            page.get_by_role("button", name="Stop").click()

            expect(answer).to_contain_text("Stopped. What was written so far is kept.")
            expect(answer).to_contain_text("The bundled cross-encoder can be used")
            assert endpoint.left.wait(10)
            expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        never.set()


def test_the_newest_answer_is_in_sight(opened, address):
    page = opened(address, viewport={"width": 1280, "height": 500})
    ask(page, "Which reranking models can I use?")

    answer = ask(page, "Who won the chess championship of Iceland in 1974?")

    expect(answer.get_by_text("The documents do not seem to answer this.")).to_be_in_viewport()

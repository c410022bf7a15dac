"""The library of ten thousand documents in a real browser: found, sorted, paged, opened, deleted, imported."""

import json
from importlib.resources import files

import pytest
from playwright.sync_api import expect

from browser.conftest import AXE, DESKTOP, PATIENCE_MS, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


def titles(page):
    return page.locator(".documents tbody .title")


def narrow(page, words):
    page.get_by_role("searchbox", name="Search the documents").fill(words)


def test_documents_are_found_sorted_and_paged_and_a_reload_shows_the_same(opened, full):
    page = opened(full.address, "/library")
    expect(page.get_by_text("1 to 50 of 10,152")).to_be_visible()
    expect(titles(page)).to_have_count(50)

    narrow(page, "report 0004")
    expect(page.get_by_role("heading", name="10 of 10,152 documents")).to_be_visible()
    page.get_by_role("button", name="Pages", exact=True).click()
    expect(titles(page).first).to_have_text("Report 00040")
    page.get_by_role("button", name="Pages", exact=True).click()
    expect(titles(page).first).to_have_text("Report 00049")
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")

    page.reload()
    expect(titles(page).first).to_have_text("Report 00049")
    expect(page.get_by_role("searchbox", name="Search the documents")).to_have_value("report 0004")

    narrow(page, "report")
    page.get_by_role("button", name="Later").click()
    expect(page.get_by_text("51 to 100 of 10,000")).to_be_visible()
    page.locator("[data-filter='space']").select_option("hostile")
    page.get_by_role("button", name="Show all documents").click()
    expect(page.get_by_text("1 to 50 of 10,152")).to_be_visible()


def test_a_document_opens_at_any_page_and_says_which_need_a_look(opened, full):
    page = opened(full.address, "/library?state=look")
    expect(titles(page)).to_have_text(["Handbook.pdf"])
    titles(page).click()
    viewer = page.locator("dialog.page-view")
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "1")
    viewer.get_by_role("spinbutton", name="Page").fill("31")
    page.keyboard.press("Enter")
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "31")
    page.keyboard.press("Escape")

    page.get_by_role("button", name="2 pages unread").click()
    expect(page.get_by_role("dialog")).to_contain_text("Pages that could not be read (2)")
    page.get_by_role("button", name="Page 9").click()
    expect(viewer.locator(".viewer")).to_have_attribute("data-page", "9")


def test_a_deleted_document_leaves_a_receipt_to_be_saved(opened, full, tmp_path):
    page = opened(full.address, "/library?q=Report 00077")

    page.get_by_role("button", name="Delete Report 00077").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    receipt = page.locator("dialog.receipt")
    expect(receipt).to_contain_text("Report 00077 is deleted: 212 passages, 212 vectors. No search finds it.")
    with page.expect_download() as download:
        receipt.get_by_role("link", name="Save receipt").click()
    download.value.save_as(tmp_path / "receipt.json")
    saved = json.loads((tmp_path / "receipt.json").read_text())
    assert (saved["title"], saved["passages"], saved["document_id"]) == ("Report 00077", 212, f"{77:032x}")
    receipt.get_by_role("button", name="Close").click()
    expect(page.get_by_role("searchbox", name="Search the documents")).to_be_focused()
    expect(page.get_by_text("No document was found")).to_be_visible()


def test_a_folder_of_the_server_is_imported_and_others_are_refused_in_place(opened, full):
    page = opened(full.address, "/library")
    page.get_by_role("button", name="Import a folder on the server").click()
    dialog = page.locator("dialog.piece")

    dialog.get_by_role("button", name="Import All of them").click()
    expect(dialog.get_by_role("status")).to_have_text("Only folders in /srv/rag/import may be imported.")
    dialog.get_by_role("button", name="Import manuals", exact=True).click()

    expect(dialog).to_be_hidden()


def test_a_file_that_was_refused_is_asked_for_again(opened, full):
    page = opened(full.address, "/library")
    lost = page.locator(".job", has_text="lost.pdf")
    expect(lost).to_contain_text("not added")

    with page.expect_file_chooser():
        lost.get_by_role("button", name="Try again").click()


def test_a_file_under_way_shows_its_stage_and_can_be_cancelled(opened, full):
    page = opened(full.address, "/library")
    slow = page.locator(".job", has_text="slow.pdf")
    expect(slow).to_contain_text("embedding, passage 0 of 212")

    slow.get_by_role("button", name="Cancel").click()

    expect(slow).to_contain_text("cancelled")


def test_a_phone_shows_the_library_without_sideways_scrolling(opened, full):
    page = opened(full.address, "/library?q=report", viewport=PHONE, has_touch=True, color_scheme="dark")
    expect(titles(page)).to_have_count(50)

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quality_tells_what_was_measured_what_failed_and_what_is_missing(opened, full, viewport, scheme):
    page = opened(full.address, "/quality", viewport=viewport, color_scheme=scheme)
    row = page.get_by_role("row", name="right passage among the first 3")

    expect(row).to_contain_text("0.680")
    expect(row).to_contain_text("better since by 0.020")
    expect(page.get_by_role("img", name="Rank of the first right passage")).to_be_visible()
    expect(page.get_by_text("broken.json cannot be read.")).to_be_visible()
    expect(page.get_by_text("30 questions without a right passage")).to_be_visible()
    page.locator(".failures summary").first.click()
    expect(page.locator(".failures blockquote").first).to_be_visible()
    expect(page.get_by_role("row", name="team-1")).to_contain_text("answers")
    expect(page.locator(".command").first).to_contain_text("rag evaluate FOLDER")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_label("Evaluation").select_option("a")
    expect(row).to_contain_text("0.660")


def test_a_question_without_an_answer_is_counted(opened, full):
    page = opened(full.address)
    for question in ("Is there nothing on cats?", "is there NOTHING on cats"):
        page.get_by_role("textbox", name="Question").fill(question)
        page.keyboard.press("Enter")
        expect(page.locator("#turns .question").last).to_have_text(question)
        expect(page.locator(".answer").last).to_have_class("answer is-done")
        page.goto(f"{full.address}/?c=new")

    page.goto(f"{full.address}/quality")

    expect(page.get_by_role("row", name="is there NOTHING on cats")).to_contain_text("2")


def test_settings_are_shown_with_their_source_and_checked_but_not_editable(opened, full):
    page = opened(full.address, "/settings")

    expect(page.get_by_role("row", name="RAG_PASSAGES")).to_contain_text("environment")
    expect(page.get_by_role("row", name="OPENAI_API_KEY")).to_contain_text("set")
    assert page.locator("#settings :is(input, select, textarea)").count() == 0
    page.get_by_role("button", name="Check every part").click()
    expect(page.get_by_text("1 of 2 parts work.")).to_be_visible()
    expect(page.locator(".checks .bad")).to_contain_text("needs you")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_or_dialog_of_these_has_a_serious_fault(opened, full, viewport):
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    found = []

    def check(page, state):
        if not page.evaluate("'axe' in window"):
            page.evaluate(source)
        for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("body.dark")).to_have_count(1 if scheme == "dark" else 0)
            found.extend(f"{state}, {scheme}: {one}" for one in page.evaluate(AXE, rules))
        page.emulate_media(color_scheme="light")

    page = opened(full.address, "/library?q=report 0005", viewport=viewport, reduced_motion="reduce")
    expect(titles(page)).to_have_count(10)
    check(page, "library")
    page.get_by_role("button", name="Import a folder on the server").click()
    expect(page.locator(".folder-list")).to_be_visible()
    check(page, "folders")
    page.goto(f"{full.address}/library?state=look")
    page.get_by_role("button", name="2 pages unread").click()
    expect(page.get_by_role("dialog")).to_contain_text("Pages that could not be read")
    check(page, "health")
    page.goto(f"{full.address}/quality")
    expect(page.locator(".plot")).to_be_visible()
    check(page, "quality")
    page.goto(f"{full.address}/settings")
    page.get_by_role("button", name="Check every part").click()
    expect(page.locator(".checks li")).to_have_count(2)
    check(page, "settings")
    assert found == []

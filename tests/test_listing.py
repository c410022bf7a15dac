from dataclasses import replace

import pytest
from scripted_desk import OWN

from rag_app.web.library_html import documents_html, health_html
from rag_app.web.listing import LOOK, ORDERS, SHOWN, Wanted, listed, other_way, wanted

PLAIN = replace(OWN, failed_pages=(), title="Plan", path="plan.pdf")


def shelf(count, **given):
    return [replace(PLAIN, id=f"{n:032x}", title=f"Report {n:05}", path=f"r{n}.pdf", **given) for n in range(count)]


def titles(documents, **want):
    return [document.title for document in listed(documents, Wanted(**want)).documents]


def test_ten_thousand_documents_are_shown_a_page_at_a_time():
    documents = shelf(10_000)

    first, last = listed(documents, Wanted()), listed(documents, Wanted(page=10**6))

    assert [one.title for one in first.documents] == [f"Report {n:05}" for n in range(SHOWN)]
    assert (first.found, first.held, first.page, first.pages) == (10_000, 10_000, 1, 200)
    assert (last.page, last.documents[-1].title) == (200, "Report 09999")
    page = documents_html(first, Wanted(), "handbook")
    assert page.count("<tr data-document") == SHOWN
    assert "1 to 50 of 10,000" in page
    assert len(page) < 100_000


def test_a_search_looks_in_titles_and_file_names_whatever_their_case():
    documents = [replace(PLAIN, title="Straße nach Ürdingen"), replace(PLAIN, title="Other", path="folder/URGENT.pdf")]

    assert titles(documents, holding="ür") == ["Straße nach Ürdingen"]
    assert titles(documents, holding="STRASSE") == ["Straße nach Ürdingen"]
    assert titles(documents, holding="urgent") == ["Other"]
    assert titles(documents, holding="%") == []


@pytest.mark.parametrize(
    ("order", "field", "values"),
    [
        ("title", "title", ["B", "a", "C"]),
        ("pages", "pages", [10, 9, 100]),
        ("passages", "chunks", [10, 9, 100]),
        ("size", "size", [10, 9, 100]),
        ("added", "added", ["2026-02", "2026-01", "2026-03"]),
        ("space", "space", ["b", "A", "c"]),
    ],
)
def test_every_column_sorts_both_ways(order, field, values):
    documents = [replace(PLAIN, id=f"{n:032x}", **{field: value}) for n, value in enumerate(values)]

    rising = listed(documents, Wanted(order=order)).documents
    falling = listed(documents, Wanted(order=order, falling=True)).documents

    assert [getattr(one, field) for one in rising] == [values[1], values[0], values[2]]
    assert [getattr(one, field) for one in falling] == [values[2], values[0], values[1]]
    assert f'data-sort="{order}"' in documents_html(listed(documents, Wanted()), Wanted(), "handbook")


def test_equals_stand_by_title_whichever_way_the_list_runs():
    documents = [replace(PLAIN, id=f"{n:032x}", title=title) for n, title in enumerate("cab")]

    assert titles(documents, order="pages") == titles(documents, order="pages", falling=True) == ["a", "b", "c"]


def test_a_column_is_turned_round_by_its_head():
    assert other_way(Wanted(page=7), "size") == Wanted(order="size")
    assert other_way(Wanted(order="size"), "size") == Wanted(order="size", falling=True)
    assert other_way(Wanted(order="size", falling=True), "size") == Wanted(order="size")


def test_the_list_can_be_narrowed_to_a_space_and_to_what_needs_a_look():
    documents = [
        replace(PLAIN, title="fine", space="staff"),
        replace(PLAIN, title="scan", empty_pages=(3,), space="staff"),
        replace(PLAIN, title="hidden", hidden_words=4),
        replace(PLAIN, title="torn", failed_pages=(1,)),
    ]

    assert titles(documents, space="staff") == ["fine", "scan"]
    assert titles(documents, state=LOOK) == ["hidden", "scan", "torn"]
    assert listed(documents, Wanted(space="staff")).look == 3


@pytest.mark.parametrize(
    "query",
    [
        {"page": "-1", "sort": "id; DROP TABLE documents", "down": "yes", "state": "gone"},
        {"page": "9" * 400, "sort": "", "down": "", "state": "<b>"},
        {"page": "\u0661", "sort": "__class__"},
        {},
    ],
)
def test_what_makes_no_sense_in_an_address_is_left_at_its_default(query):
    assert wanted(query) == Wanted()


def test_an_address_says_everything():
    query = {"q": " plan ", "sort": "size", "down": "1", "space": "staff", "state": "look", "page": "3"}

    assert wanted(query) == Wanted("plan", "size", falling=True, space="staff", state=LOOK, page=3)
    assert set(ORDERS) == {"title", "pages", "passages", "size", "added", "space"}


def test_a_search_without_a_find_says_so_and_shows_the_way_back():
    page = documents_html(listed(shelf(3), Wanted(holding="<b>x")), Wanted(holding="<b>x"), "handbook")

    assert 'No document was found for "&lt;b&gt;x"' in page
    assert "data-show-all" in page


def test_pages_that_need_a_look_are_listed_with_their_reasons_and_can_be_opened():
    page = health_html(replace(OWN, failed_pages=(7,), empty_pages=tuple(range(1, 301)), hidden_words=12))

    assert "Pages that could not be read (1)" in page
    assert "Pages without text (300)" in page
    assert "and 100 others" in page
    assert "12 words of the file cannot be seen" in page
    assert f'data-view="/documents/{OWN.id}/view?page=7"' in page
    assert "All pages were read." in health_html(PLAIN)


def test_what_was_taken_out_of_a_document_is_told_in_figures_and_doubt_is_shown():
    read = replace(PLAIN, pages=9, empty_pages=(3,), characters=12_345, form_values=2, notes=1, doubt="Read as <x>.")

    page = health_html(read)

    assert "12,345 characters of text on 8 pages, 2 filled form fields among them. 1 note behind signs" in page
    assert "Read as &lt;x&gt;." in page
    assert listed([read], Wanted(state=LOOK)).found == 1
    assert "letters in doubt" in documents_html(listed([read], Wanted()), Wanted(), "handbook")

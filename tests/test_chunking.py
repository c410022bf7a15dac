import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import PIECES, chunk, embedded_text
from ingest.records import Chunk, Heading, Page, Reading


def pieces(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text)) + 2


def words(count: int, word: str = "word") -> str:
    """A sentence of as many words."""
    return " ".join(["The", *[word] * (count - 1)]) + "."


def reading(*texts: str, headings: tuple[Heading, ...] = (), title: str = "") -> Reading:
    pages = tuple(Page(number, f"p{number}", text) for number, text in enumerate(texts, start=1))
    return Reading(title, pages, headings, len(pages), (), 0)


def chunks(made: Reading, limit: int = PIECES) -> list[Chunk]:
    return chunk(made, "d" * 32, "recipe", pieces, limit)


def solid(text: str) -> str:
    return "".join(text.split())


def test_short_document_is_one_passage():
    (only,) = chunks(reading("A first sentence. A second one."))

    assert only.text == "A first sentence. A second one."
    assert (only.position, only.page, only.first_page, only.last_page, only.label) == (0, 1, 1, 1, "p1")
    assert (only.start, only.end, only.heading) == (0, 31, "")


@pytest.mark.parametrize("texts", [(), ("",), (" \n\n ", "")])
def test_document_without_text_has_no_passages(texts: tuple[str, ...]):
    assert chunks(reading(*texts)) == []


def test_passages_hold_whole_sentences_within_the_limit():
    made = reading(" ".join(words(17) for _ in range(200)), title="A title")

    found = chunks(made)

    assert all(text.endswith(".") for text in (one.text for one in found))
    assert all(pieces(embedded_text("A title", one.heading, one.text)) <= PIECES for one in found)
    assert all(pieces(one.text) >= 120 for one in found)


def test_passage_ends_with_a_paragraph_where_it_can():
    paragraphs = "\n\n".join(" ".join(words(10) for _ in range(6)) for _ in range(9))

    assert all(one.text.count("\n\n") >= 1 for one in chunks(reading(paragraphs)))
    assert all(one.text.split("\n\n")[-1].count(".") == 6 for one in chunks(reading(paragraphs)))


def test_no_passage_crosses_a_heading_and_each_knows_its_path():
    text = f"Costs\n{words(90)}\n\nPremiums\n{words(80)}\n\nDeductibles\n{words(100)}"
    headings = (Heading(1, "Costs", 1), Heading(2, "Premiums", 1), Heading(2, "Deductibles", 1))

    found = chunks(reading(text, headings=headings))

    assert [one.heading for one in found] == ["Costs", "Costs > Premiums", "Costs > Deductibles"]
    assert [one.text.split("\n")[0] for one in found] == ["Costs", "Premiums", "Deductibles"]


def test_short_sections_have_passages_of_their_own():
    text = f"Values\n\nQuality\n{words(12)}\n\nRespect\n{words(12)}\n\nOther\n{words(120)}"
    headings = (Heading(1, "Values", 1), Heading(2, "Quality", 1), Heading(2, "Respect", 1), Heading(1, "Other", 1))

    found = chunks(reading(text, headings=headings))

    assert [one.heading for one in found] == ["Values > Quality", "Values > Respect", "Other"]
    assert "Respect" not in found[0].text


def test_heading_without_text_goes_with_what_follows_it():
    text = f"Part One\n\nChapter A\n{words(100)}\n\nPart Two\n\nChapter B\n{words(240)}\n{words(200)}"
    headings = (
        Heading(1, "Part One", 1),
        Heading(2, "Chapter A", 1),
        Heading(1, "Part Two", 1),
        Heading(2, "Chapter B", 1),
    )

    found = chunks(reading(text, headings=headings))

    assert [one.heading for one in found][:2] == ["Part One > Chapter A", "Part Two > Chapter B"]
    assert found[1].text.startswith("Part Two\n\nChapter B")


@pytest.mark.parametrize("before", [150, 180, 190])  # words; after 180 and 190 the cut would fall behind the line
def test_line_that_leads_to_a_list_is_not_left_behind(before: int):
    text = f"{words(before)}\n\nThese are the conditions:\n\n" + "\n".join(f"\u2022 {words(18)}" for _ in range(10))

    found = chunks(reading(text))

    assert len(found) > 1
    assert not any(one.text.endswith(":") for one in found)


def test_heading_with_a_number_is_found_on_its_page():
    made = reading(f"{words(70)}\n4.2 Copayments\n{words(70)}", headings=(Heading(2, "Copayments", 1),))

    assert chunks(made)[-1].text.startswith("4.2 Copayments")


def test_heading_that_is_not_on_its_page_begins_the_page():
    made = reading(words(100), words(100), headings=(Heading(1, "Scanned heading", 2),))

    assert [(one.heading, one.page) for one in chunks(made)] == [("", 1), ("Scanned heading", 2)]


def test_headings_on_pages_that_failed_are_passed_over():
    made = reading(words(100), headings=(Heading(1, "Lost", 7),))

    assert [one.heading for one in chunks(made)] == [""]


def test_passage_over_a_page_end_names_both_pages_and_the_one_with_most_text():
    (only,) = chunks(reading(f"Before. {words(20)} It goes on", f"over the page end. {words(60)}"))

    assert (only.first_page, only.last_page, only.page, only.label) == (1, 2, 2, "p2")
    assert "It goes on over the page end." in only.text
    assert only.end == len(f"over the page end. {words(60)}")


def test_sentence_over_a_page_end_is_not_cut():
    first = (
        " ".join(words(20) for _ in range(9))
        + " This sentence, which has many words so that it fills more than a line, is begun here and"
    )
    second = "ended here. " + " ".join(words(20) for _ in range(9))

    assert sum("begun here and ended here." in one.text for one in chunks(reading(first, second))) == 1


def test_sentence_longer_than_the_limit_is_cut_at_clauses_and_nothing_lost():
    clauses = ", ".join(" ".join(["term"] * 12) for _ in range(60)) + "."

    found = chunks(reading(clauses))

    assert len(found) > 3
    assert all(one.text.endswith((",", ".")) for one in found)
    assert solid("".join(one.text for one in found)) == solid(clauses)


def test_word_longer_than_the_limit_is_cut_anywhere():
    endless = "".join(chr(0x4E00 + index % 500) for index in range(900))

    found = chunk(reading(endless), "d", "r", lambda text: len(text) + 2)

    assert all(len(one.text) + 2 <= PIECES for one in found)
    assert "".join(one.text for one in found) == endless


def test_title_and_heading_count_towards_the_limit():
    title, heading = " ".join(["long"] * 20), Heading(1, " ".join(["heading"] * 20), 1)
    made = reading(f"{heading.title}\n" + " ".join(words(9) for _ in range(60)), headings=(heading,), title=title)

    found = chunks(made)

    assert all(pieces(embedded_text(title, one.heading, one.text)) <= PIECES for one in found)


def test_endless_title_leaves_room_for_text():
    made = reading(" ".join(words(9) for _ in range(60)), title="title " * 500)

    found = chunks(made)

    assert all(pieces(embedded_text(made.title, one.heading, one.text)) <= PIECES for one in found)
    assert all(pieces(one.text) > 20 for one in found)


def test_ids_depend_on_document_recipe_and_position_only():
    made = reading(" ".join(words(20) for _ in range(40)))

    ids = [one.id for one in chunks(made)]

    assert ids == [one.id for one in chunks(made)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert not set(ids) & {one.id for one in chunk(made, "d" * 32, "another", pieces)}
    assert not set(ids) & {one.id for one in chunk(made, "e" * 32, "recipe", pieces)}


def test_embedded_text_has_title_heading_and_text_on_lines():
    assert embedded_text("Title", "A > B", "Text.") == "Title\nA > B\nText."
    assert embedded_text("", "", "Text.") == "Text."


_LINE = st.lists(st.sampled_from(["Alpha", "beta", "gamma.", "Delta:", "3.5", "\u2022", "e.g.", "x" * 30]), max_size=30)
_PAGE = st.lists(_LINE.map(" ".join), max_size=8).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(_PAGE, min_size=1, max_size=4),
    marks=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(["Alpha", "beta", "none"]), st.integers(1, 5)), max_size=5
    ),
    limit=st.integers(40, 120),
)
def test_passages_hold_every_character_once_within_the_limit(
    texts: list[str], marks: list[tuple[int, str, int]], limit: int
):
    made = reading(*texts, headings=tuple(Heading(*mark) for mark in marks), title="The title")

    found = chunks(made, limit)

    assert solid("".join(one.text for one in found)) == solid("".join(texts))
    assert all(pieces(embedded_text(made.title, one.heading, one.text)) <= limit for one in found)
    assert [one.position for one in found] == list(range(len(found)))
    assert all(one.first_page <= one.page <= one.last_page for one in found)
    assert all(one.text[:1] == texts[one.first_page - 1][one.start] for one in found)
    assert all(one.text[-1:] == texts[one.last_page - 1][one.end - 1] for one in found)


def test_page_numbers_come_from_the_pages_not_their_order():
    made = replace(reading("One.", "Two."), pages=(Page(3, "iii", "One."), Page(8, "8", words(60))))

    (only,) = chunks(made)

    assert (only.first_page, only.last_page, only.page, only.label) == (3, 8, 8, "8")


HEAD = "Plan | Copay | Deductible"


def table(rows: int, first: int = 0) -> str:
    return "\n".join(f"Plan {row} | ${row} | ${row * 100}" for row in range(first, first + rows))


def test_passage_cut_from_a_table_knows_its_column_heads_and_quotes_only_what_stands_there():
    found = chunks(reading(f"{HEAD}\n\n{table(40)}", headings=(), title="Costs"), limit=100)

    assert len(found) > 2
    assert found[0].heading == ""
    assert {one.heading for one in found[1:]} == {HEAD}
    assert "\n".join(one.text for one in found) == f"{HEAD}\n\n{table(40)}"
    assert all(pieces(embedded_text("Costs", one.heading, one.text)) <= 100 for one in found)


def test_table_that_goes_on_on_the_next_page_keeps_its_heads():
    found = chunks(reading(f"{HEAD}\n{table(4)}", table(40, first=4)), limit=100)

    assert found[-1].first_page == 2
    assert found[-1].heading == HEAD


@pytest.mark.parametrize(
    "text",
    [
        table(40),  # its first row is one of the others
        f"{HEAD}\n{table(3)}\nThe next is another table.\n{table(40)}",
        f"{HEAD} | Notes\n{table(40)}",
    ],
)
def test_table_without_heads_of_its_own_gets_none(text: str):
    assert chunks(reading(text), limit=100)[-1].heading == ""

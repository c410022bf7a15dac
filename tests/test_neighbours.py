"""Passages that were cut, completed from their neighbours: what is joined, and that it is read, checked and cited."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from examples import make_hit
from fakes import SameQuestion, ScriptedGenerator, WordReranker
from pdf_makers import drawn, lines
from scripted_endpoint import ScriptedEndpoint
from shelves import Shelf

from ingest.reading import page_image
from ingest.records import Place
from rag_app.as_json import of_hit
from rag_app.citations import resolve
from rag_app.conversations import stored
from rag_app.generate.extractive import Extractive, candidates, judged, units
from rag_app.generate.openai_chat import OpenAIChat
from rag_app.neighbours import LOOK_BACK, WORDS, Found, completed, wanted
from rag_app.pipeline import Line, Pipeline
from rag_app.prompt import messages
from rag_app.records import Answer, Hit, Stage, Support
from rag_app.retrieve import HybridRetriever
from rag_app.stages import Generator
from rag_app.web.render import marked_passage
from rag_app.web.routes import place as place_of

THINGS = (
    "passport",
    "signed contract",
    "bank card",
    "tax number",
    "insurance letter",
    "school report",
    "work permit",
    "health record",
    "photograph",
    "reference letter",
    "police record",
    "driving licence",
)
ITEMS = [f"- the {thing}, in the original and with one copy that stays in the file of the office" for thing in THINGS]
LEAD = "Whoever begins on the first of March brings these papers to the office:"
PAGES = (
    ["Visitors bring little.", LEAD, "- an invitation and nothing else", "Staff bring more.", LEAD, *ITEMS[:4]],
    [*ITEMS[4:], "Nothing else is needed on that day."],
)
QUESTION = "the health record, the photograph, the reference letter and the police record"


def row(*texts: str, heading: str | Sequence[str] = "Papers") -> list[Hit]:
    """Hits of passages that follow each other in one document, each on a page of its own."""
    headings = [heading] * len(texts) if isinstance(heading, str) else heading
    hits = [
        make_hit(text, heading=own, page=place + 4)
        for place, (text, own) in enumerate(zip(texts, headings, strict=True))
    ]
    return [
        replace(hit, chunk=replace(hit.chunk, id=f"chunk-{place}", position=place)) for place, hit in enumerate(hits)
    ]


def found(hits: Sequence[Hit]) -> Found:
    return {Place(hit.chunk.document_id, hit.chunk.position): (hit.chunk, hit.document) for hit in hits}


def joined(hits: Sequence[Hit], at: int) -> tuple[str, str]:
    """What stands before and after the passage at a place, as it is shown; asked for as the pipeline asks."""
    all_of_them = found(hits)
    hit = completed(hits[at], {place: all_of_them[place] for place in wanted(hits[at]) if place in all_of_them})
    return hit.lead, hit.after.text if hit.after else ""


def test_a_list_that_goes_on_gets_its_lead_in_and_one_that_breaks_off_its_next_items() -> None:
    hits = row(
        "Some words. Bring these papers:\n- a passport\n- a contract", "- a photograph\n- a letter\nThat is all."
    )

    assert joined(hits, 1) == ("Bring these papers: …", "")
    assert joined(hits, 0) == ("", "- a photograph\n- a letter")


def test_a_lead_in_right_before_the_list_skips_nothing() -> None:
    assert joined(row("Some words.\nBring these papers:", "- a passport\n- a contract"), 1) == (
        "Bring these papers:",
        "",
    )


def test_a_passage_that_ends_with_a_colon_gets_what_follows() -> None:
    assert joined(row("Do as follows:", "Turn it off. Wait for one minute.\nLater more."), 0)[1] == (
        "Turn it off. Wait for one minute."
    )
    assert joined(row("Do as follows:", "1. Turn it off.\n2. Wait.\nLater more."), 0)[1] == "1. Turn it off.\n2. Wait."
    assert joined(row("The prices:", "tea | 2\nsoup | 4\nAll in euros."), 0)[1] == "tea | 2\nsoup | 4"


def test_a_sentence_that_leans_gets_the_one_before_it_and_that_the_one_before() -> None:
    assert joined(row("First. A form is filled in. It is sent.", "This takes two days."), 1)[0] == (
        "A form is filled in. It is sent."
    )


def test_the_lead_in_is_found_behind_lists_in_the_list_and_over_several_passages() -> None:
    hits = row("Bring these papers:\n• for travel:\n* a ticket", "• a passport\n* a visa", "• a contract")

    assert joined(hits, 2)[0] == "Bring these papers: …"


def test_an_inner_list_is_led_into_by_its_item() -> None:
    assert joined(row("Bring these papers:\n• for travel:\n* a ticket", "* a visa\n• a contract"), 1)[0] == (
        "• for travel: …"
    )


def test_a_table_gets_its_next_rows_under_any_head() -> None:
    hits = row("dish | price\ntea | 2", "soup | 4\nbread | 1\nAll in euros.", heading=["Food", "Food > dish | price"])

    assert joined(hits, 0) == ("", "soup | 4\nbread | 1")
    assert joined(hits, 1) == ("", "")


@pytest.mark.parametrize(
    "texts",
    [
        ("Bring these papers:\n- a passport.", "A contract is signed on the first day."),  # the list is over
        ("Bring these papers:\n- a passport", "1. Turn it off.\n2. Wait."),  # another list
        ("tea | 2", "- a passport"),
        ("dish | price\ntea | 2", "one | two | three"),
        ("The form is sent.", "It is important to keep a copy."),
        ("The form is sent.", "Copies are kept."),
        (f"{'word ' * WORDS}list:\n- a passport", f"- {'word ' * WORDS}item"),
        ("Papers", "- a passport"),  # the heading itself, which every passage is shown with
    ],
)
def test_what_was_not_cut_or_would_be_too_long_stays_as_it_is(texts: Sequence[str]) -> None:
    hits = row(*texts)

    assert [joined(hits, place) for place in range(len(hits))] == [("", "")] * len(hits)


def test_nothing_is_joined_over_a_heading_nor_from_too_far() -> None:
    far = row("Bring these papers:\n- a", *[f"- item {n}" for n in range(LOOK_BACK)], "- z")

    assert joined(far, len(far) - 2)[0] == "Bring these papers: …"
    assert joined(far, len(far) - 1)[0] == ""
    assert joined(row("Bring these:", "- a passport", heading=["One", "Two"]), 1) == ("", "")


def test_only_whole_items_are_joined_and_no_more_than_a_few_lines() -> None:
    items = [f"- item {n} of {'many ' * 20}kinds" for n in range(9)]
    _, after = joined(row("All of them:\n- item", "\n".join(items)), 0)

    assert after == "\n".join(items[:2])
    assert len(after.split()) <= WORDS


def test_nothing_is_joined_where_the_library_has_the_passage_no_more_as_it_was_ranked() -> None:
    hits = row("Bring these papers:", "- a passport")
    there = found(hits)
    anew = {**there, Place("document-a", 1): (replace(hits[1].chunk, id="another recipe"), hits[1].document)}

    assert completed(hits[1], there).before is not None
    assert completed(hits[1], anew) == hits[1]
    assert completed(hits[1], {Place("document-a", 0): (hits[0].chunk, hits[0].document)}) == hits[1]


def test_an_approved_answer_is_left_alone() -> None:
    hit = row("Bring these papers:", "- a passport")[1]
    approved = replace(hit, document=replace(hit.document, path=f"approved/{'0' * 32}.md"))

    assert wanted(hit)
    assert wanted(approved) == []


def cut_list() -> Hit:
    hits = row(
        "Bring these 3 papers to Bonn:\n- a passport", "- the signed contract\n- a photograph", "- a letter\nEnd."
    )
    return completed(hits[1], found(hits))


def test_the_prompt_holds_it_within_the_passage_and_makes_it_harmless() -> None:
    told = messages("What do I bring?", [cut_list()], ())[1]["content"]

    assert "Bring these 3 papers to Bonn: …\n- the signed contract\n- a photograph\n- a letter\n==" in told
    hits = row("As [1] says, bring these </think>:", "- a passport")
    assert "As (1) says" in messages("What?", [completed(hits[1], found(hits))], ())[1]["content"]


def test_a_sentence_that_states_what_was_joined_is_supported_and_otherwise_not() -> None:
    said = "You bring the signed contract to Bonn [1]. You bring a letter to Bonn [1]."
    hit = cut_list()

    assert [one.support for one in resolve(said, [hit]).sentences] == [Support.SUPPORTED, Support.SUPPORTED]
    alone = resolve(said, [replace(hit, before=None, after=None)])
    assert Support.SUPPORTED not in {one.support for one in alone.sentences}


@pytest.mark.parametrize(
    ("said", "quote", "page"),
    [
        ("These 3 papers go to Bonn [1].", "Bring these 3 papers to Bonn:", 4),
        ("The signed contract is needed [1].", "- the signed contract", 5),
        ("A letter is needed [1].", "- a letter", 6),
        # Between the two stand items that are left out: no quote holds both, and the passage's own words come first.
        ("These 3 papers go to Bonn [1]. The signed contract is needed [1].", "- the signed contract", 5),
    ],
)
def test_what_is_cited_is_quoted_with_its_own_page(said: str, quote: str, page: int) -> None:
    hit = cut_list()

    citation = resolve(said, [hit]).citations[0]

    assert (citation.quote, citation.page, citation.label) == (quote, page, str(page))
    assert citation.passage == hit.chunk.text
    assert f"<mark>{quote}</mark>" in marked_passage(citation)


def test_json_and_what_is_kept_say_what_was_joined() -> None:
    hit = cut_list()
    answer = Answer("What?", "What?", Stage.DONE, hits=(hit,))

    assert (of_hit(hit)["text"], of_hit(hit)["before"]) == (hit.chunk.text, "Bring these 3 papers to Bonn: …")
    assert of_hit(hit)["after"] == "- a letter"
    assert of_hit(make_hit())["before"] is None
    assert [(one.before, one.after) for one in stored(answer).sources] == [
        ("Bring these 3 papers to Bonn: …", "- a letter")
    ]


@pytest.mark.parametrize(
    ("before", "text", "quotable"),
    [
        ("The form is short.", "It has two pages. Badges are blue.", ["The form is short. It has", "Badges are"]),
        # No list as a whole: it begins in another passage.
        ("Bring all of these:", "- one thing\n- a second\n- a third", ["Bring all of these: one thing"] * 3),
        ("The form is short.", "forms for all the staff in every office 20", ["forms for all"]),
    ],
)
def test_what_was_joined_is_quoted_only_with_what_leans_on_it(before: str, text: str, quotable: Sequence[str]) -> None:
    spans = candidates(units(f"{before}\n{text}", 0, own=len(before) + 1))

    quoted = [" ".join(unit.text for unit in span) for span in spans]
    assert len(quoted) == len(quotable)
    assert all(text.startswith(own[: len(before)]) for text, own in zip(quoted, quotable, strict=True))
    assert not any(before in judged(span) for span in spans)  # it would speak for each of them alike


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A library with a PDF whose list goes on in a second passage, on the second page."""
    made = Shelf(tmp_path_factory.mktemp("neighbours"))
    path = made.folder / "papers.pdf"
    path.write_bytes(drawn(*(lines(*page) for page in PAGES)))
    made.add(path)
    yield made
    made.index.close()


def pipeline_of(shelf: Shelf, generator: Generator | None = None) -> Pipeline:
    judge = WordReranker(threshold=0.0)
    retriever = HybridRetriever(shelf.library, shelf.index, shelf.embedder)
    quoting = Extractive(judge)
    line = Line(SameQuestion(), retriever, judge, judge, generator or quoting, quoting)
    return Pipeline(shelf.library, line, candidates=50, passages=1)


async def last(pipeline: Pipeline) -> Answer:
    return [answer async for answer in pipeline.ask(QUESTION)][-1]


@pytest.mark.slow
async def test_a_language_model_reads_the_lead_in_and_what_it_says_of_it_is_supported(shelf: Shelf) -> None:
    said = "Whoever begins on the first of March brings the photograph [1]."
    with ScriptedEndpoint((said,)) as server:
        answer = await last(pipeline_of(shelf, OpenAIChat("scripted", base_url=server.base_url, api_key="k")))

    told = server.requests[0]["messages"][1]["content"]
    used = next(hit for hit in answer.hits if hit.used)
    assert LEAD not in used.chunk.text
    assert f"page 2\n{LEAD} \N{HORIZONTAL ELLIPSIS}\n{used.chunk.text.strip()}" in told
    assert [sentence.support for sentence in answer.sentences] == [Support.SUPPORTED]
    assert all(hit.before is None and hit.after is None for hit in answer.hits if not hit.used)


@pytest.mark.slow
async def test_a_quote_of_the_lead_in_is_marked_on_its_own_page_where_it_stands_there_twice(shelf: Shelf) -> None:
    generator = ScriptedGenerator("Whoever begins on the first of March brings papers to the office [1].")

    answer = await last(pipeline_of(shelf, generator))

    citation = answer.citations[0]
    assert (citation.quote, citation.page, citation.first_page) == (LEAD, 1, 2)
    quote, near, _ = place_of(citation)
    file = shelf.library.original(shelf.library.documents()[0])
    image = page_image(file, citation.page, width=600, quote=quote, near=near)
    assert len(image.boxes) == 1
    assert 792 - image.boxes[0].bottom == pytest.approx(720 - 14 * PAGES[0].index(LEAD, 2), abs=6)


@pytest.mark.slow
async def test_an_item_is_quoted_with_its_lead_in_and_cited_where_it_stands(shelf: Shelf) -> None:
    answer = await last(pipeline_of(shelf))

    assert answer.text.startswith(f"{LEAD} [1]\n- the ")
    assert {sentence.support for sentence in answer.sentences} == {Support.SUPPORTED}
    assert [(one.marker, one.page) for one in answer.citations] == [(1, 2)]
    assert LEAD not in answer.citations[0].quote
    assert answer.citations[0].before.startswith(LEAD)


@pytest.mark.slow
async def test_what_was_put_aside_completes_nothing(shelf: Shelf) -> None:
    generator = ScriptedGenerator("Yes [1].")
    first = shelf.library.document_chunks(shelf.library.documents()[0].id)[0]

    await last(pipeline_of(shelf, generator).without([first.text]))

    assert "photograph" in generator.passages[0].chunk.text
    assert generator.passages[0].before is None


@pytest.mark.slow
async def test_the_library_is_asked_once_for_all_and_only_in_the_spaces_searched(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, generator = [], ScriptedGenerator("Yes [1].")
    joins = shelf.library.chunks_at
    monkeypatch.setattr(
        shelf.library, "chunks_at", lambda places, spaces: asked.append(tuple(spaces)) or joins(places, spaces)
    )

    answer = await last(pipeline_of(shelf, generator))

    assert len(asked) == 2  # for the candidates, and for the neighbours
    assert asked[1] == answer.spaces == ("documents",)
    assert generator.passages[0].before is not None

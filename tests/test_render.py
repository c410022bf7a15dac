import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from scripted_desk import HANDBOOK, OTHER, OWN, PASSAGE, answered, citation, hit

from ingest.records import Box, Job, JobState, PageImage
from rag_app.candidates import candidates
from rag_app.conversations import StoredTurn, TurnState, put_aside, stored
from rag_app.escape import escape, escape_name
from rag_app.records import Mode, Sentence, Stage, Support
from rag_app.suggestions import Suggestions
from rag_app.tour import TOUR
from rag_app.web.answer_text import answer_html
from rag_app.web.compared_html import compared_html
from rag_app.web.desk import Status
from rag_app.web.found_html import found_html
from rag_app.web.header_html import header_html
from rag_app.web.library_html import (
    documents_html,
    health_html,
    job_words,
    jobs_html,
    viewer_html,
    worth_showing,
)
from rag_app.web.listing import Wanted, listed
from rag_app.web.login import login_html
from rag_app.web.render import (
    evidence_html,
    marked_passage,
    match_words,
    messages,
    page_words,
    question_html,
    seconds,
    stage_words,
    top_html,
    turn_html,
)
from rag_app.web.tour_html import tour_html
from rag_app.web.welcome_html import welcome_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</div></article><h1>mine</h1>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} `x`",
    "$$\\href{javascript:alert(1)}{x}$$ \\(a\\) \\[b\\]",
    "```mermaid\ngraph TD; A-->B\n```",
    "![x](https://example.com/x.png) [y](javascript:alert(1))",
    "first\n\n# second\n\n<b>third</b>",
    "\u202egnp.exe\u202c",
    "a\u200bb\u2066c\u2069\ufeff",
    "tab\tand\x00nul\x1b[31m",
    "&lt;b&gt; &amp;amp; &#60;i&#62;",
    "x" * 10_000,
    "[1] [2] [99] <button class=cite id=cite-1-0>[1]</button>",
    "\ud800 lone surrogate",
]
ALLOWED = set(
    "a article bdi option select blockquote button div figure form h1 h2 h3 h4 i img input label li main mark nav ol "
    "p q rect section small span strong svg table tbody td th thead time tr ul html head body meta title link".split()
)
ID = "0" * 32


class Reader(HTMLParser):
    """Collects what a browser would make of a piece of HTML."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def turn_with(**given):
    state = given.pop("state", TurnState.DONE)
    question = given.pop("question", "How long?")
    return StoredTurn(
        ID, ID, "2026-11-03T09:00:00+00:00", question, state, answer=stored(answered("How long?", **given))
    )


def everything(text):
    """Every piece of HTML there is, with `text` in each place that others write."""
    document = replace(OWN, title=text, path=text, space=text, added=text)
    source = citation(document=document, passage=text, quote=text, label=text)
    answer = replace(
        stored(answered(text, mode=Mode.MODEL, model=text)),
        rewritten=text,
        text=text,
        citations=(source,),
        uncited=(source,),
        notice=text,
        sentences=(Sentence(text, (1,), Support.UNSUPPORTED),),
    )
    turn = StoredTurn(ID, ID, "2026", text, TurnState.FAILED, text, answer, excluded=(put_aside(source),))
    job = Job(1, text, text, "", JobState.REFUSED, text, None, 0, 0, 0, 0, 0.0)
    image = PageImage(b"", 595, 842, ())
    narrowed = Wanted(holding=text[:9], space=text)
    status = Status(3, 9, handbook_only=False, handbook=True, generator=text, index=text)
    return [
        question_html(turn),
        turn_html(turn, last=True),
        turn_html(replace(turn, answer=replace(answer, abstained=True))),
        evidence_html(turn, 0, last=True),
        welcome_html(status, Suggestions((text,)), [document]),
        compared_html(turn, answer, replace(answer, abstained=True)),
        found_html(turn, answer, candidates(replace(answered(text), question=text), (source,))),
        tour_html(0, replace(answered(text), hits=(hit(document, text, 1, 0.4, 1), hit(document, text, 2, 0.3, 2)))),
        header_html("Ask", status),
        jobs_html([job, replace(job, state=JobState.READING)]),
        documents_html(listed([document], narrowed), narrowed, "handbook"),
        documents_html(listed([document], replace(narrowed, holding="?")), replace(narrowed, holding=text), "handbook"),
        documents_html(listed([document], Wanted()), Wanted(), "handbook"),
        health_html(replace(document, hidden_words=4, characters=9, doubt=text)),
        viewer_html(document, 2, text, image, address="/documents/x/view", quote=text),
        login_html("/", text),
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_text_makes_no_element_and_no_attribute(text):
    reader = [Reader(piece) for piece in everything(text)]

    assert {tag for one in reader for tag in one.tags} <= ALLOWED
    assert not [name for one in reader for name, _ in one.attributes if name.startswith("on")]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_text_has_nothing_left_that_markdown_or_templates_read(text):
    pieces = everything(text)

    assert not [piece for piece in pieces if any(sign in piece for sign in ("${", "{{", "`", "$$", "\\(", "](", "\n"))]


@pytest.mark.parametrize("text", [one for one in HOSTILE if one.isprintable()], ids=lambda one: one[:20])
def test_escaped_text_reads_as_itself(text):
    assert Reader(escape(text)).text == text


def test_controls_in_names_are_shown():
    assert Reader(escape_name("a\x1bb\u202ecod.pdf\x7f")).text == "a\u241bb<202E>cod.pdf\u2421"


def test_marks_stand_after_their_sentence_and_name_their_page():
    page = turn_html(turn_with())

    assert page.count('class="cite"') == 2
    assert f'id="cite-{ID}-0"' in page
    assert "Handbook.pdf, page 12, supports this sentence" in page
    assert "Handbook.pdf, page 3, supports part of this sentence" in page


def test_a_mark_without_a_citation_is_not_drawn():
    assert Reader(answer_html(ID, "Two weeks [9].", (), (citation(),))).text == "Two weeks."


def test_support_is_said_in_words():
    page = turn_html(turn_with())

    assert '<span class="partly">During the first six months two weeks suffice.' in page
    assert '<span class="unsupported">Overtime is paid twice.' in page
    assert "Check before you rely on it" in page


def test_lists_and_strong_text_are_drawn():
    page = answer_html(ID, "Two ways:\n\n- by **post** [1]\n- by hand\n\n1. first\n# Title", (), (citation(),))

    assert "<ul><li>by <strong>post</strong>" in page
    assert "<li>by hand</li></ul><ol><li>first</li></ol><p><strong>Title</strong></p>" in page


def test_who_spoke_and_how_long_stand_under_the_answer():
    quoted, written = turn_html(turn_with()), turn_html(turn_with(mode=Mode.MODEL, model="llama3"))

    assert "Quoted from the documents, no model used" in quoted
    assert "search 27 ms \u00b7 reranking 610 ms \u00b7 writing 265 ms" in quoted
    assert "Written by llama3 from 3 passages" in written


def test_folded_stages_say_what_was_read_and_kept():
    assert "Read 50 passages, kept 3 (637 ms)" in turn_html(turn_with())


def test_abstaining_shows_the_nearest_passages_as_such():
    turn = turn_with()
    answer = replace(turn.answer, abstained=True, citations=(), uncited=(citation(),), text="", mode=Mode.ABSTAINED)

    page = turn_html(replace(turn, answer=answer))

    assert "The documents do not seem to answer this. The nearest passages are below." in page
    assert "Handbook.pdf, page 12 (sheet 18)" in page
    assert "Nearest passages" in evidence_html(replace(turn, answer=answer))


def test_what_is_missing_is_told_before_the_nearest_passages():
    turn = turn_with()
    answer = replace(turn.answer, abstained=True, citations=(), uncited=(citation(),), text="", mode=Mode.ABSTAINED)

    page = turn_html(replace(turn, answer=replace(answer, notice='None of these passages speaks of "E-1".')))

    assert page.count("speaks of &quot;E-1&quot;") == 1
    assert page.index("do not seem to answer") < page.index("speaks of") < page.index("Handbook.pdf, page 12")


def test_a_rewritten_follow_up_is_shown():
    turn = turn_with()

    page = turn_html(replace(turn, answer=replace(turn.answer, rewritten="How long is the notice?")))

    assert "searched for: <q>How long is the notice?</q>" in page
    assert "searched for" not in turn_html(turn)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Stage.REWRITING, "Reading your question"),
        (Stage.SEARCHING, "Searching 1,284 passages"),
        (Stage.RERANKING, "Reading the best 50"),
        (Stage.WRITING, "Writing"),
        (Stage.CHECKING, "Checking each sentence"),
    ],
)
def test_stages_are_said_in_the_readers_words(stage, words):
    assert stage_words(replace(turn_with().answer, stage=stage)) == words


@pytest.mark.parametrize(
    ("state", "words"), [(TurnState.STOPPED, "What was written so far is kept"), (TurnState.CUT, "Ask again")]
)
def test_an_answer_that_ended_early_says_so(state, words):
    assert words in turn_html(turn_with(state=state))


def test_a_source_shows_its_page_its_strength_and_the_marked_sentence():
    page = evidence_html(turn_with(), 1)

    assert "page 12 (sheet 18)" in page
    assert "strong match" in page
    assert "<mark>The notice period is three months from the first day of the following month.</mark>" in page
    assert 'class="source chosen" id="source-1"' in page
    assert f'data-view="/turns/{ID}/sources/0"' in page
    assert "Also read, not cited (1)" in page


def test_a_quote_is_found_although_its_spaces_differ():
    passage = "Either party\nmay  end the contract. More."

    assert "<mark>Either party&#10;may  end the contract.</mark>" in marked_passage(
        citation(passage=passage, quote="Either party may end the contract.")
    )


def test_a_quote_that_is_not_in_the_passage_marks_nothing():
    assert "<mark>" not in marked_passage(citation(passage=OTHER, quote=PASSAGE))


@pytest.mark.parametrize(("relevance", "words"), [(0.5, "strong match"), (0.2, "fair match"), (0.19, "weak match")])
def test_relevance_is_said_in_words(relevance, words):
    assert match_words(relevance) == words


def test_the_sheet_is_named_only_where_the_label_differs():
    assert page_words(citation(page=3, label="3")) == "page 3"
    assert page_words(citation(page=3, label="")) == "page 3"
    assert page_words(citation(page=3, label="iii")) == "page iii (sheet 3)"


@pytest.mark.parametrize(("given", "words"), [(0.2, "1 ms"), (999, "999 ms"), (1234, "1.2 s")])
def test_times_are_said_as_people_say_them(given, words):
    assert seconds(given) == words


def test_the_first_page_names_what_is_there():
    empty = welcome_html(Status(0, 0, handbook_only=False, handbook=False, generator="", index=""), Suggestions())
    handbook = welcome_html(
        Status(4, 90, handbook_only=True, handbook=True, generator="Quoted", index=""), Suggestions(("One?", "Two?"))
    )
    own = welcome_html(
        Status(12, 1284, handbook_only=False, handbook=False, generator="Quoted", index=""),
        Suggestions(pending=True),
        [replace(OWN, id=f"{n:032x}", title=f"Plan {n}", added=f"2026-11-{n:02}") for n in range(1, 13)],
    )

    assert "Nothing to ask about yet" in empty
    assert "Choose files" in empty
    assert "Only the handbook" in handbook
    assert handbook.count("data-example") == 2
    assert "/tour/0" in handbook
    assert "12 documents, 1,284 passages." in own
    assert 'data-pending="true"' in own
    assert "choose files" in own
    assert re.findall(r"Plan \d+", own) == ["Plan 12", "Plan 11", "Plan 10", "Plan 9"]
    assert "8 others" in own
    assert "/tour/0" not in own


def test_jobs_are_counted_while_they_go():
    job = Job(7, "documents", "in/Plan.pdf", "", JobState.READING, "", None, 31, 48, 0, 0, 2.0)
    embedding = replace(job, state=JobState.EMBEDDING, chunks_done=64, chunks=212)

    assert job_words(job) == "reading, page 31 of 48"
    assert job_words(embedding) == "embedding, passage 64 of 212"
    assert job_words(replace(embedding, state=JobState.READY)) == "ready: 48 pages, 212 passages, 2.0 s"
    assert 'data-cancel="7"' in jobs_html([job])
    assert "data-cancel" not in jobs_html([replace(job, state=JobState.REFUSED, reason="No.")])


def test_the_table_names_unread_pages_and_the_handbook():
    page = documents_html(listed([HANDBOOK, OWN], Wanted()), Wanted(), "handbook")

    assert "shipped handbook" in page
    assert "stays out of ordinary answers" in page
    assert "2 pages unread" in page
    assert f'data-piece="/documents/{OWN.id}/health"' in page
    assert "Its 212 passages" in page


def test_a_page_that_holds_the_quote_shows_its_boxes_and_one_that_does_not_says_so():
    boxes = PageImage(b"", 595, 842, (Box(60, 252, 535, 262),))

    shown = viewer_html(OWN, 18, "12", boxes, address="/x", quote="Leaving us.")
    lost = viewer_html(OWN, 18, "12", replace(boxes, boxes=()), address="/x", quote="Leaving us.")

    assert '<rect x="60.0" y="252.0" width="475.0" height="10.0"/>' in shown
    assert "could not be placed" not in shown
    assert "This passage could not be placed on the page. It is somewhere on page 18." in lost


def test_turning_ends_at_the_first_and_the_last_page():
    image = PageImage(b"", 595, 842, ())

    first = viewer_html(OWN, 1, "", image, address="/x", quote="")
    last = viewer_html(OWN, 48, "", image, address="/x", quote="")

    assert 'class="quiet previous" disabled' in first
    assert 'data-view="/x?page=2"' in first
    assert 'class="quiet next" disabled' in last


def test_the_list_of_files_shows_what_goes_on_and_the_last_that_ended():
    ended = [Job(n, "documents", f"{n}.pdf", "", JobState.READY, "", None, 1, 1, 1, 1, 1.0) for n in range(40, 20, -1)]
    shipped = replace(ended[0], id=50, space="handbook")
    refused = replace(shipped, id=51, state=JobState.REFUSED)
    going = replace(ended[0], id=7, state=JobState.READING)

    shown = worth_showing([shipped, refused, *ended, going], "handbook")

    assert [job.id for job in shown] == [51, 40, 39, 38, 37, 36, 35, 34, 7]


def test_only_the_last_turn_is_edited_or_asked_again_and_none_while_it_is_made():
    first, last = turn_with(), replace(turn_with(), id="1" * 32)

    said = [message["content"] for message in messages([first, last])]
    working = [message["content"] for message in messages([first, replace(last, state=TurnState.WORKING)])]

    assert [
        ("Edit<" in question, "Ask again<" in answer) for question, answer in zip(said[::2], said[1::2], strict=True)
    ] == [
        (False, False),
        (True, True),
    ]
    assert not any("Edit<" in text or "Ask again<" in text for text in working)


def test_what_can_be_done_with_an_answer_names_its_turn():
    page = turn_html(turn_with())

    for name in ("found", "copy", "good", "poor"):
        assert f'id="{name}-{ID}"' in page
    assert "chosen" not in page
    assert f'chosen" id="poor-{ID}"' in turn_html(replace(turn_with(), verdict="poor"))


def test_an_answer_that_was_cut_can_be_asked_again_and_not_judged():
    page = turn_html(turn_with(state=TurnState.CUT), last=True)

    assert "Ask again<" in page
    assert "judge" not in page


def test_questions_that_are_not_shown_are_counted():
    assert "Show 3 earlier questions<" in top_html(shown=20, held=23)
    assert "Show 20 earlier questions of 980<" in top_html(shown=20, held=1000)
    assert "earlier" not in top_html(shown=3, held=3)
    assert "New question" not in top_html(shown=0, held=0)


def test_sources_of_the_last_answer_can_be_put_aside_and_those_put_aside_used_again():
    turn = replace(turn_with(), excluded=(put_aside(citation()),))

    assert f'data-aside="{ID}-2"' in evidence_html(turn, last=True)
    assert "Not this one" not in evidence_html(turn)
    assert "Not this one" not in evidence_html(replace(turn, state=TurnState.WORKING), last=True)
    assert "Made without" in turn_html(turn)
    assert "Use it again" not in turn_html(turn)
    assert f'id="restore-{ID}-0"' in turn_html(turn, last=True)


def test_both_answers_stand_side_by_side_under_what_differs():
    turn = turn_with()
    other = citation(passage="Trainees are told in the second week.", relevance=0.08)
    without = replace(turn.answer, citations=(other,), uncited=(), text="In the second week [1].", sentences=())

    page = compared_html(turn, turn.answer, without)
    same = compared_html(turn, turn.answer, turn.answer)

    assert "Reranking brought 3 passages that would not have been used without it." in page
    assert "a strong match (relevance 0.94); without reranking the best is a weak match (0.08)" in page
    assert page.count("only here") == 4
    assert "In the second week." in page
    assert "the same 3 passages would have been used" in same
    assert "only here" not in same


def test_the_tour_says_what_changed_and_ends_with_ones_own_question():
    found = answered("Any?")
    ranked = tuple(replace(one, dense_rank=rank, lexical_rank=rank) for rank, one in enumerate(found.hits, 1))
    unmoved = replace(found, hits=ranked)

    changed, last = tour_html(0, found), tour_html(len(TOUR) - 1, unmoved)

    assert f"Question 1 of {len(TOUR)}" in changed
    assert "First before reranking" in changed
    assert 'data-found="/tour/1"' in changed
    assert "left it there" in last
    assert "Ask your own" in last

from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest
from hostile import hostile
from shelves import Shelf

from ingest.records import JobState
from rag_app.access import Forbidden, Role, Who
from rag_app.app_database import AppDatabase
from rag_app.blanking import BLANK, TITLE, blank
from rag_app.team.approved import (
    ApprovalError,
    Approved,
    ApprovedAnswer,
    Draft,
    NoSuchAnswer,
    Source,
    Version,
    signed,
    to_review,
)
from rag_app.team.report import to_look_at
from rag_app.team.wording import HEADING_LIMIT, heading, identifier_of, markdown, path_of
from rag_app.web.approved_html import answer_view_html, approved_html, form_html

ANNA = Who("1" * 32, "Anna", roles={"documents": Role.EDITOR})
READER = Who("2" * 32, "Rob", roles={"documents": Role.READER})
STRANGER = Who("3" * 32, "Sue", roles={"elsewhere": Role.OWNER})
DRAFT = Draft("documents", "How long is the notice period?", "Three months. In the first half year two weeks.")


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def approved(database):
    return Approved(database)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture
def publish(shelf, tmp_path):
    """Have an approved answer become a document, as the desk does, and see it to its end."""

    def put(held):
        file = tmp_path / "written.md"
        file.write_text(markdown(held.latest.question, held.latest.answer), encoding="utf-8")
        job = shelf.intake.add(file, held.space, path_of(held.id))
        shelf.worker.work_off()
        return shelf.library.jobs.get(job.id)

    return put


def documents(shelf):
    return shelf.library.documents()


def chunks(shelf):
    return [chunk for document in documents(shelf) for chunk in shelf.library.document_chunks(document.id)]


@pytest.mark.slow
def test_an_approved_answer_becomes_one_passage_under_its_question(approved, publish, shelf):
    job = publish(approved.write(ANNA, DRAFT))

    [document], [chunk] = documents(shelf), chunks(shelf)
    assert job.state == JobState.READY
    assert (document.title, document.space) == (DRAFT.question, "documents")
    assert " ".join(chunk.text.split()) == f"{DRAFT.question} {DRAFT.answer}"
    assert identifier_of(document.path)


@pytest.mark.slow
def test_a_new_version_takes_the_place_of_the_one_before(approved, publish, shelf):
    first = approved.write(ANNA, DRAFT)
    publish(first)

    second = approved.write(ANNA, replace(DRAFT, answer="Four months."), first.id)
    publish(second)

    assert [one.text.split("\n")[-1] for one in chunks(shelf)] == ["Four months."]
    assert [(one.number, one.answer) for one in second.versions] == [(1, DRAFT.answer), (2, "Four months.")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        "# Not a heading\nbut text",
        "One\n---\nTwo",
        "```\nrm -rf /\n```\nis no command here.",
        "Leave [1] and **this** as it is.",
        "First line.\n\nSecond paragraph with ünïcödé and 漢字.",
    ],
)
def test_the_signs_of_markdown_stay_text(answer, approved, publish, shelf):
    publish(approved.write(ANNA, replace(DRAFT, answer=answer)))

    [chunk] = chunks(shelf)

    assert [word for word in answer.split() if word.isalpha() and word not in chunk.text] == []
    assert chunk.heading == ""


@pytest.mark.slow
def test_a_long_question_is_the_title_in_short_and_stands_whole_before_the_answer(approved, publish, shelf):
    question = "What do I have to do " + "when it rains and " * 12 + "the roof leaks?"
    publish(approved.write(ANNA, replace(DRAFT, question=question)))

    [document], [chunk] = documents(shelf), chunks(shelf)

    assert len(document.title) <= HEADING_LIMIT
    assert question.startswith(document.title)
    assert "the roof leaks?" in chunk.text
    assert DRAFT.answer.split()[0] in chunk.text


@pytest.mark.slow
def test_an_answer_removed_in_the_library_answers_no_more_and_is_listed(approved, publish, shelf):
    held = approved.write(ANNA, DRAFT)
    publish(held)
    assert to_review(held, documents(shelf), date(2026, 1, 1)) == []

    shelf.library.remove(documents(shelf)[0].id)

    assert documents(shelf) == []
    [reason] = to_review(held, documents(shelf), date(2026, 1, 1))
    assert "was removed there" in reason
    assert to_review(held, documents(shelf), date(2026, 1, 1), {path_of(held.id)}) == []
    assert to_review(approved.withdraw(ANNA, held.id), [], date(2100, 1, 1)) == []


@pytest.mark.slow
def test_an_answer_is_to_be_looked_at_when_what_it_leans_on_goes_or_changes_and_when_its_day_comes(
    approved, publish, shelf
):
    plan = shelf.add(shelf.pdf("Notice is three months."))
    place = Source(plan.document_id, documents(shelf)[0].title, 1, "1")
    held = approved.write(ANNA, replace(DRAFT, sources=(place,), review="2030-05-01"))
    publish(held)
    assert to_review(held, documents(shelf), date(2030, 4, 30)) == []
    assert to_review(held, documents(shelf), date(2030, 5, 1)) == ["It was to be looked at again by 2030-05-01."]

    shelf.add(shelf.pdf("Notice is four months."))
    assert to_review(held, documents(shelf), date(2030, 1, 1)) == [f"{place.title}, which it leans on, has changed."]

    other = next(one for one in documents(shelf) if not identifier_of(one.path))
    shelf.library.remove(other.id)
    [reason] = to_review(held, documents(shelf), date(2030, 1, 1))
    assert reason == f"{place.title}, which it leans on, is no longer in the library."


def test_who_may_not_edit_a_space_approves_and_changes_nothing_in_it(approved):
    held = approved.write(ANNA, DRAFT)

    with pytest.raises(Forbidden, match="editor"):
        approved.write(READER, DRAFT)
    with pytest.raises(Forbidden, match="editor"):
        approved.write(READER, replace(DRAFT, answer="Mine"), held.id)
    with pytest.raises(NoSuchAnswer):
        approved.withdraw(STRANGER, held.id)
    with pytest.raises(Forbidden):
        approved.write(Who("4" * 32, roles={}), replace(DRAFT, space=""))
    assert approved.listed(STRANGER) == []
    assert [one.latest.answer for one in approved.listed(READER)] == [DRAFT.answer]


def test_another_version_stays_in_its_space_whatever_is_sent(approved):
    held = approved.write(ANNA, DRAFT)

    changed = approved.write(ANNA, replace(DRAFT, space="elsewhere", answer="Other"), held.id)

    assert changed.space == "documents"


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (replace(DRAFT, question="  "), "few words"),
        (replace(DRAFT, question="test"), "few words"),
        (replace(DRAFT, answer=" \n"), "Write the answer"),
        (replace(DRAFT, answer="x" * 5_000), "Shorten"),
        (replace(DRAFT, review="soon"), "year-month-day"),
    ],
)
def test_what_cannot_be_approved_is_said(draft, said, approved):
    with pytest.raises(ApprovalError, match=said):
        approved.write(ANNA, draft)

    assert approved.listed(ANNA) == []


def test_the_same_answer_is_not_approved_twice_unless_the_first_was_withdrawn(approved):
    held = approved.write(ANNA, DRAFT)
    with pytest.raises(ApprovalError, match="already"):
        approved.write(ANNA, DRAFT)

    approved.withdraw(ANNA, held.id)

    assert approved.write(ANNA, DRAFT).withdrawn == ""


def test_a_withdrawn_answer_comes_back_with_another_version(approved):
    held = approved.withdraw(ANNA, approved.write(ANNA, DRAFT).id)
    assert held.withdrawn

    assert approved.write(ANNA, DRAFT, held.id).withdrawn == ""


@pytest.mark.slow
def test_names_of_files_cannot_pass_for_approved_answers(shelf):
    name = path_of("a" * 32)
    shelf.intake.add_upload(shelf.pdf("Forged."), "documents", name, replace=None)
    shelf.add(shelf.pdf("Forged too."))
    shelf.worker.work_off()

    assert [identifier_of(document.path) for document in documents(shelf)] == ["", ""]
    assert identifier_of(name) == "a" * 32


def test_an_answer_is_signed_with_name_and_day(approved):
    held = approved.write(ANNA, DRAFT)

    assert signed(held) == f"Anna, {held.latest.written[:10]}"
    assert heading("How long?") == "How long?"


def test_nothing_that_people_wrote_comes_out_as_html():
    for text in hostile(150):
        version = Version(1, "2026-01-01", "1" * 32, text, text, text, "2026-02-01", (Source("d" * 32, text, 1, text),))
        held = ApprovedAnswer("a" * 32, text, "", (version, version))
        draft = Draft(text, text, text, "2026-02-01", version.sources)

        drawn = "".join(
            [
                approved_html([held], {held.id: [text]}, frozenset({text})),
                answer_view_html(held, frozenset({"d" * 32})),
                form_html(draft, [text], group="b" * 32),
            ]
        )

        for opened in (
            "<script",
            "<img",
            "<svg",
            "<iframe",
            "<a ",
            "<style",
            "<form",
            "<math",
            "<video",
            "<body",
            "<meta",
        ):
            assert opened not in drawn


def test_the_report_lists_what_is_to_be_looked_at(approved, shelf):
    held = approved.write(ANNA, replace(DRAFT, review="2020-01-01"))

    [stale] = to_look_at(approved, shelf.library.documents)()

    assert (stale.question, stale.space) == (DRAFT.question, "documents")
    assert "2020-01-01" in stale.why
    approved.withdraw(ANNA, held.id)
    assert to_look_at(approved, shelf.library.documents)() == []


@pytest.mark.slow
def test_purging_its_document_takes_an_approved_answer_with_all_versions_and_another_only_loses_the_title(
    approved, publish, shelf, database
):
    gone = approved.write(ANNA, DRAFT)
    publish(gone)
    [document] = documents(shelf)
    place = Source(document.id, document.title, 1, "1")
    other = approved.write(ANNA, replace(DRAFT, question="And for trainees?", answer="Two weeks.", sources=(place,)))

    blank(database, document.id, {"trainees"})

    assert approved.get(gone.id) is None
    left = approved.get(other.id).latest
    assert (left.question, left.answer, left.sources[0].title) == (f"And for {BLANK}?", "Two weeks.", TITLE)

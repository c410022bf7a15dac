"""The handbook: its PDFs are what its Markdown says, and its questions point at sections that exist."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from ingest.intake import files_under

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "docs_corpus"


def load(path):
    specification = importlib.util.spec_from_file_location("handbook", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["handbook"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def handbook():
    return load(ROOT / "scripts" / "handbook.py")


@pytest.fixture(scope="module")
def rebuilt(handbook, tmp_path_factory):
    folder = tmp_path_factory.mktemp("handbook")
    return folder, handbook.build_all(folder)


@pytest.fixture(scope="module")
def questions():
    lines = (ROOT / "tests" / "data" / "handbook_questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_committed_pdfs_are_the_bytes_that_the_script_makes(rebuilt):
    folder, _ = rebuilt

    committed = {path.name: path.read_bytes() for path in CORPUS.iterdir()}

    assert committed == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_handbook_has_twenty_pages_or_more(rebuilt):
    _, built = rebuilt

    assert sum(document.page_count for document in built) >= 20


def test_page_counts_of_the_script_are_those_of_a_reader(rebuilt):
    folder, built = rebuilt

    assert [document.page_count for document in built] == [len(PdfReader(folder / one.name).pages) for one in built]


def test_each_pdf_has_title_outline_and_text(rebuilt):
    folder, built = rebuilt
    readers = [PdfReader(folder / document.name) for document in built]

    assert [reader.metadata.title for reader in readers] == [
        "Administrator Guide",
        "Team Guide",
        "Troubleshooting Guide",
        "Two-Stage Retrieval",
        "User Guide",
    ]
    assert all(len(reader.outline) > 5 for reader in readers)
    assert all(len(page.extract_text()) > 60 for reader in readers for page in reader.pages)


def test_sections_stand_on_the_pages_that_were_noted(rebuilt):
    folder, built = rebuilt
    texts = {one.name: [page.extract_text() for page in PdfReader(folder / one.name).pages] for one in built}

    misplaced = [
        (document.name, words)
        for document in built
        for words, pages in document.sections.items()
        if words.split()[0] not in texts[document.name][pages[0] - 1]
    ]

    assert misplaced == []


def test_questions_are_sixty_of_which_fifteen_have_no_answer(questions):
    assert len({question["id"] for question in questions}) == 60
    assert len({question["question"] for question in questions}) == 60
    assert sum(not question["answerable"] for question in questions) == 15


def test_questions_carry_the_pages_that_the_script_writes(handbook, rebuilt, questions):
    _, built = rebuilt

    written = handbook.with_pages([json.dumps(question) for question in questions], built)

    assert [json.loads(line) for line in written] == questions


def test_unanswerable_questions_name_no_place(questions):
    places = {
        (question["document"], question["section"], question["page"])
        for question in questions
        if not question["answerable"]
    }

    assert places == {(None, None, None)}


def test_question_about_a_section_that_does_not_exist_is_refused(handbook, rebuilt):
    _, built = rebuilt
    line = json.dumps({"id": "h99", "document": "user-guide.pdf", "section": "Nowhere", "answerable": True})

    with pytest.raises(ValueError, match=r"h99: user-guide\.pdf has no section 'Nowhere'"):
        list(handbook.with_pages([line], built))


def test_same_heading_twice_in_one_document_is_refused(handbook, tmp_path):
    source = tmp_path / "twice.md"
    source.write_text("# Twice\n\n## Same\n\nOne.\n\n## Same\n\nTwo.\n", encoding="utf-8")

    with pytest.raises(ValueError, match="two sections are called 'Same'"):
        handbook.build(source, tmp_path)


def test_markdown_that_cannot_be_laid_out_is_named(handbook, tmp_path):
    source = tmp_path / "quote.md"
    source.write_text("# Quote\n\n> words\n", encoding="utf-8")

    with pytest.raises(ValueError, match="blockquote is not laid out yet"):
        handbook.build(source, tmp_path)


@pytest.fixture(scope="module")
def conversations():
    return (ROOT / "tests" / "data" / "conversations.jsonl").read_text(encoding="utf-8").splitlines()


def test_conversations_are_sixty_of_two_to_four_turns(conversations):
    held = [json.loads(line) for line in conversations]

    assert [one["id"] for one in held] == [f"c{number:02}" for number in range(1, 61)]
    assert {len(one["turns"]) for one in held} == {2, 3, 4}
    assert all(turn.get("answer") for one in held for turn in one["turns"][:-1])
    assert all(one["turns"][0]["question"] == one["turns"][0]["ideal"] for one in held)


def test_conversations_carry_the_pages_that_the_script_writes(handbook, rebuilt, conversations):
    _, built = rebuilt

    assert list(handbook.with_pages_of_turns(conversations, built)) == conversations


def test_the_handbook_is_a_data_set_of_its_answerable_questions(rebuilt, questions):
    folder, built = rebuilt
    pages = {document.name: document.page_count for document in built}
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()]

    assert [row["question"] for row in rows] == [one["question"] for one in questions if one["answerable"]]
    assert all(set(row["pages"]) <= set(range(1, pages[row["pdf"]] + 1)) and row["pages"] for row in rows)
    first = questions[0]
    pages_of_first = first.get("pages") or [first["page"]]
    assert rows[0] == {"question": first["question"], "pdf": "two-stage-retrieval.pdf", "pages": pages_of_first}


def test_questions_beside_the_pdfs_are_not_taken_for_a_document():
    assert {file.suffix for file in files_under(CORPUS)} == {".pdf"}

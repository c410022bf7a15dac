"""Labelled questions: rows of a file, and what the chat's thumbs collected."""

import json

import pytest
from evaluation_sets import lines

from ingest.errors import DatasetError
from rag_app.feedback import JudgedPassage, Judgement, Verdict
from rag_app.train.labelled import Labelled, from_feedback, from_file

QUESTION = "How long is the notice period?"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"document": "rules.pdf", "page": 3}, ("rules.pdf", (3,), "")),
        ({"document": "rules.pdf", "pages": [3, 4, 3]}, ("rules.pdf", (3, 4), "")),
        ({"pdf": "rules.pdf", "pages": [3], "answer": "Three months."}, ("rules.pdf", (3,), "")),
        ({"passage": " Three months. "}, ("", (), "Three months.")),
        ({"document": "Rules", "passage": "Three months.", "page": None}, ("Rules", (), "Three months.")),
    ],
    ids=["page", "pages", "as evaluated", "passage", "passage of a document"],
)
def test_a_row_names_pages_of_a_document_or_a_passage(tmp_path, row, expected):
    file = lines(tmp_path / "own.jsonl", [{"question": f" {QUESTION} ", **row}])

    assert from_file(file) == [Labelled("line 1", QUESTION, *expected)]


def test_empty_lines_and_a_byte_order_mark_are_no_rows(tmp_path):
    file = tmp_path / "own.jsonl"
    row = json.dumps({"question": QUESTION, "document": "rules.pdf", "page": 1})
    file.write_bytes(b"\xef\xbb\xbf" + f"{row}\n\n  \r\n{row}\n".encode())

    assert [label.origin for label in from_file(file)] == ["line 1", "line 4"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: this is no JSON"),
        ("[1]", "line 2: a JSON object was expected"),
        ('{"document": "a.pdf", "page": 1}', "line 2: 'question' must be text"),
        ('{"question": " ", "document": "a.pdf", "page": 1}', "line 2: 'question' is empty"),
        ('{"question": "Why?", "page": 1}', "line 2: it names neither a 'document' nor a 'passage'"),
        ('{"question": "Why?", "document": 7, "page": 1}', "line 2: 'document' must be text"),
        ('{"question": "Why?", "document": "a.pdf"}', "line 2: 'page' must be a page number from 1 on"),
        ('{"question": "Why?", "document": "a.pdf", "page": 0}', "line 2: 'page' must be"),
        ('{"question": "Why?", "document": "a.pdf", "page": "iv"}', "line 2: 'page' must be"),
        ('{"question": "Why?", "document": "a.pdf", "page": true}', "line 2: 'page' must be"),
        ('{"question": "Why?", "document": "a.pdf", "pages": []}', "line 2: 'page' must be"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_how_it_should_look(tmp_path, line, said):
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"question": QUESTION, "passage": "Three months."}) + f"\n{line}\n")

    with pytest.raises(DatasetError) as fault:
        from_file(file)

    assert f"{file}, {said}" in str(fault.value)
    assert '"page": 3}' in str(fault.value)


def test_the_first_five_bad_rows_are_told_and_the_others_counted(tmp_path):
    file = tmp_path / "own.jsonl"
    file.write_text("{\n" * 8)

    with pytest.raises(DatasetError) as fault:
        from_file(file)

    assert [f"line {n}:" in str(fault.value) for n in range(1, 7)] == [True] * 5 + [False]
    assert "And 3 more lines." in str(fault.value)


@pytest.mark.parametrize("made", [lambda file: None, lambda file: file.mkdir(), lambda file: file.write_bytes(b"\xff")])
def test_a_file_that_cannot_be_read_is_told(tmp_path, made):
    made(tmp_path / "own.jsonl")

    with pytest.raises(DatasetError, match="cannot be read"):
        from_file(tmp_path / "own.jsonl")


def judgement(verdict, *passages, searched="How long is the notice period of a trainee?"):
    return Judgement(
        turn="a" * 32,
        verdict=verdict,
        given="2026-11-21T10:00:00+00:00",
        question="And of a trainee?",
        searched=searched,
        answer="Two weeks [1].",
        passages=passages,
    )


def passage(text, *, cited):
    return JudgedPassage("b" * 32, "Rules", "rules.pdf", 3, "3", text, text, 0.9, cited)


def test_a_good_answer_labels_the_passages_it_cites_with_the_question_that_was_searched_for():
    good = judgement(Verdict.GOOD, passage("Two weeks.", cited=True), passage("Lunch is at noon.", cited=False))
    poor = judgement(Verdict.POOR, passage("Three months.", cited=True))

    assert from_feedback([good, poor]) == [
        Labelled("thumb of 2026-11-21", "How long is the notice period of a trainee?", "b" * 32, (), "Two weeks.")
    ]


def test_an_answer_without_a_rewritten_question_counts_with_its_own():
    (label,) = from_feedback([judgement(Verdict.GOOD, passage("Two weeks.", cited=True), searched="")])

    assert label.question == "And of a trainee?"

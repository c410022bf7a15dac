"""Codes of a question that the passages of its answer do not hold."""

from dataclasses import replace

import pytest
from examples import make_hit

from rag_app.absent_codes import AbsentCodes, absent_codes

FATAL = make_hit("When KB-ERR-2810-fatal is shown, the spooler has stopped.")


def absent(question, *texts):
    return absent_codes(question, [make_hit(text) for text in texts])


def test_a_passage_about_another_code_of_the_kind_is_about_that():
    assert absent_codes("What does KB-ERR-4310-notice mean?", [FATAL]) == AbsentCodes(
        ("KB-ERR-4310-notice",), doubtful=True, mistaken=True
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("KB-ERR-2810-fatal", "When KB-ERR-2810-fatal is shown"),
        ("kb-err-2810-FATAL", "When KB\u2010ERR\u20102810\u2010fatal is shown"),
        ("ERR-2810", "When KB-ERR-2810-fatal is shown"),
        ("KB2810", "Look at KB-2810."),
        ("KB-2810", "Look at KB 2810."),
        ("v2.3.1", "Release 2.3.1 is here."),
        ("KB-ERR-2810", "Error 2810 means a jam."),
    ],
)
def test_a_code_may_be_written_in_other_ways(code, text):
    assert absent(f"What is {code}?", text) == AbsentCodes()


@pytest.mark.parametrize(
    ("code", "other", "mistaken"),
    [
        ("0x80071592", "Status 0x8007008F is written.", True),
        ("4711068637", "Order 4711000822 was placed.", True),
        ("4711068637", "Order 47110 was placed, and 471100082255.", False),
        ("v1.2.4", "Notes of v1.0.0.", True),
        ("RAG_THEME", "RAG_PORT is the port.", True),
        ("RAG_THEME", "LLM_PORT is the port.", False),
        ("10.0.0.1", "192.168.0.1 is the gateway.", False),
        ("mp3", "PDF, Markdown and text are read.", False),
    ],
)
def test_only_what_is_written_alike_is_another_of_the_kind(code, other, mistaken):
    assert absent(f"What is {code}?", other) == AbsentCodes((code,), doubtful=True, mistaken=mistaken)


def test_where_one_of_two_codes_is_held_the_other_is_told_and_nothing_doubted():
    found = absent("How do KB-2810 and KB-4310 differ?", "KB-2810 means a jam.")

    assert found == AbsentCodes(("KB-4310",))


def test_one_passage_that_holds_it_is_enough_and_so_is_its_title():
    titled = replace(FATAL, document=replace(FATAL.document, title="KB-ERR-4310-notice"))

    assert absent_codes("What does KB-ERR-4310-notice mean?", [FATAL, titled]) == AbsentCodes()


@pytest.mark.parametrize(("question", "texts"), [("What is it?", ["KB-1 is it."]), ("What is KB-1?", [])])
def test_without_a_code_or_a_passage_nothing_is_absent(question, texts):
    assert absent(question, *texts) == AbsentCodes()


def test_letters_that_grow_when_folded_are_no_fault():
    assert absent("Was ist ßK-2810?", "KB-1 means a jam.").codes == ("ssk-2810",)

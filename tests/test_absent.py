"""Names that the passages of an answer do not speak of."""

from dataclasses import replace

import pytest
from examples import make_hit

from rag_app.absent import absent_names, names, told
from rag_app.rerank.calibration import ABSENT, ANOTHER, doubted

PORTS = make_hit("The server listens on port 7860 unless RAG_PORT says otherwise. With Ollama the port is 11434.")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Which port does the PostgreSQL database listen on?", ["PostgreSQL"]),
        ("Does the Bosch mixer's bowl fit a Kenwood?", ["Bosch", "Kenwood"]),
        ("What is Anna's extension?", ["Anna"]),
        ("Is iCloud supported?", ["iCloud"]),
        ("Does the Kenwood pump run in December or on Sundays?", ["Kenwood"]),
        ("What do KB-ERR-2847-fatal, E_OUTOFMEMORY and the setting SPOOL_LIMIT mean?", []),
        ("Which port is it?", []),
        ("It does not start. Cancel it?", []),
        ('Why does it say "Nothing was found"?', []),
        ("Can the LLM and our APIs use the GPU-2 of the U.S. office?", []),
        ("How Do I Replace The Toner Of The Printer?", []),
        ("Welche Kündigungsfrist gilt für Auszubildende?", []),
        ("", []),
    ],
)
def test_names_are_told_by_their_capitals(question, found):
    assert names(question) == found


def test_only_names_that_nothing_holds_are_absent():
    assert absent_names("Which port do Ollama and the PostgreSQL server listen on?", [PORTS]) == ["PostgreSQL"]


def test_a_title_holds_a_name_too():
    titled = replace(PORTS, document=replace(PORTS.document, title="Ports of PostgreSQL"))

    assert absent_names("Which port does PostgreSQL listen on?", [PORTS, titled]) == []


def test_a_word_of_the_same_letters_is_not_the_name():
    words = make_hit("A word may be split at the end of a line.")

    assert absent_names("Can I export it to Word?", [words]) == ["Word"]
    assert absent_names("Can I export it to Word?", [make_hit("WORD and other formats are written.")]) == []


def test_where_nothing_was_found_no_name_is_absent():
    assert absent_names("Which port does PostgreSQL listen on?", []) == []


@pytest.mark.parametrize(
    ("absent", "sentence"),
    [
        ([], ""),
        (["Bosch"], 'None of these passages speaks of "Bosch".'),
        (["Bosch", "Kenwood"], 'None of these passages speaks of "Bosch" or "Kenwood".'),
        (["A1", "B2", "C3", "D4"], 'None of these passages speaks of "A1", "B2" or "C3".'),
    ],
)
def test_what_is_absent_is_told(absent, sentence):
    assert told(absent) == sentence


def test_an_absent_name_makes_an_answer_less_likely_and_never_impossible():
    assert 0 < doubted(0.2, ABSENT) < 0.1
    assert 0.5 < doubted(0.9, ABSENT) < 0.9
    assert doubted(0.3, ABSENT) < doubted(0.4, ABSENT)
    assert doubted(0.97, ANOTHER) < 0.1

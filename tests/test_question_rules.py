import pytest

from ingest.records import Chunk
from rag_app.question_rules import mixed, proposals


def chunk(text, heading="", position=0):
    return Chunk(f"{position}", "d", position, 1, 1, 1, "1", heading, text, 0, len(text))


def asked(text, heading=""):
    return [one.question for one in proposals([chunk(text, heading)])]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("The notice period is three months.", "How long is the notice period?"),
        ("The breaks between shifts are about 20 minutes long.", "How long are the breaks between shifts?"),
        ("The inspection takes forty minutes and ends with a signature.", "How long does the inspection take?"),
        ("The lantern room is inspected every second Tuesday.", "How often is the lantern room inspected?"),
        ("Spare wicks wait. The spare key is kept in the green cabinet.", "Where is the spare key kept?"),
        ("To restart the pump, press the red button twice.", "How do I restart the pump?"),
        ("A cross-encoder is a model that reads both texts together.", "What is a cross-encoder?"),
        ("The heads of department are the only ones who may sign.", "What are the heads of department?"),
    ],
)
def test_a_statement_becomes_the_question_it_answers(text, question):
    assert asked(text) == [question]


@pytest.mark.parametrize(
    "text",
    [
        "This period is three months.",
        "The one that it is the best of all.",
        "It takes forty minutes.",
        "The result is a very good one.",
        "The first is the best.",
        "The rule by which we live is a good one.",
        "To be, or not to be, that is the question.",
        "Three months is the notice period.",
        "The " + "very " * 30 + "long name is three days.",
        "",
    ],
)
def test_what_leans_on_other_sentences_or_fits_no_rule_becomes_none(text):
    assert asked(text) == []


@pytest.mark.parametrize(
    ("heading", "questions"),
    [
        ("Guide > Can I add Word files?", ["Can I add Word files?"]),
        ("How to replace a filter", ["How do I replace a filter?"]),
        ("4.2 Sick leave", ["What is said about sick leave?"]),
        ("HTTP settings", ["What is said about HTTP settings?"]),
        ("Introduction", []),
        ("Prices, terms & conditions", []),
        ("", []),
    ],
)
def test_a_heading_becomes_a_question_where_it_names_or_asks(heading, questions):
    assert asked("Nothing of use.", heading) == questions


def test_questions_about_facts_come_before_those_about_headings_and_none_comes_twice():
    chunks = [
        chunk("Plain words.", "Staff leave", 0),
        chunk("The notice period is three months.", "Can I leave early?", 1),
        chunk("The notice period is 3 months.", "Staff leave", 2),
    ]

    assert [(one.question, one.chunk.position) for one in proposals(chunks)] == [
        ("How long is the notice period?", 1),
        ("Can I leave early?", 1),
        ("What is said about staff leave?", 0),
    ]


def test_documents_take_turns():
    first, second = (
        proposals([chunk("", f"{name} one?? is it?"), chunk("", f"{name} two is it?")]) for name in ("A", "B")
    )

    assert [one.question for one in mixed([first, second[:1]])] == ["A one?? is it?", "B one?? is it?", "A two is it?"]

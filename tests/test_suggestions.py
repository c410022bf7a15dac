import threading

import pytest
from fakes import HashEmbedder, SameQuestion, WordReranker
from shelves import new_library, put, waiting

from ingest.index.generation import Index
from ingest.records import JobState
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.retrieve import HybridRetriever
from rag_app.suggestions import Suggester

NOTICE = "The notice period is three months."
LAMP = "The lantern room is inspected every second Tuesday by two keepers."
KEY = "The spare key is kept in the green cabinet on the landing."


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


@pytest.fixture
def search(library):
    index = Index(library, HashEmbedder.name)
    judge = WordReranker()
    retriever = HybridRetriever(library, index, HashEmbedder())
    line = Line(SameQuestion(), retriever, judge, judge, Extractive(judge), Extractive(judge))
    yield Pipeline(library, line, candidates=50, passages=2).search
    index.close()


def settled(suggester):
    """What is suggested once nothing is being looked for."""
    suggester.suggestions()
    for thread in threading.enumerate():
        if thread.name == "suggestions":
            thread.join(30)
    return suggester.suggestions()


def test_questions_come_from_several_documents_and_find_their_passage(library, search):
    put(library, NOTICE, name="contract.pdf")
    put(library, LAMP, KEY, name="lighthouse.pdf")
    suggester = Suggester(library, search, handbook="handbook")

    assert suggester.suggestions().pending
    found = settled(suggester)

    assert set(found.questions) == {
        "How long is the notice period?",
        "How often is the lantern room inspected?",
        "Where is the spare key kept?",
    }
    assert not found.pending


def test_a_question_that_does_not_find_its_passage_is_not_offered(library, search):
    put(library, NOTICE, LAMP)

    def blind(question):
        return search("canteen soup" if "notice" in question else question)

    assert settled(Suggester(library, blind, handbook="handbook")).questions == (
        "How often is the lantern room inspected?",
    )


def test_the_handbook_is_left_out_and_an_empty_library_has_no_questions(library, search):
    put(library, NOTICE, space="handbook")

    assert settled(Suggester(library, search, handbook="handbook")).questions == ()


def test_questions_are_kept_until_the_library_changes(library, search):
    asked = []
    put(library, NOTICE, name="contract.pdf")
    suggester = Suggester(library, lambda question: asked.append(question) or search(question), handbook="handbook")
    settled(suggester)
    once = len(asked)

    assert settled(suggester).questions == ("How long is the notice period?",)
    assert len(asked) == once
    document = put(library, LAMP, name="lighthouse.pdf")
    assert len(settled(suggester).questions) == 2
    library.remove(document.id)
    assert settled(suggester).questions == ("How long is the notice period?",)


def test_nothing_is_looked_for_while_files_are_on_their_way(library, search):
    put(library, NOTICE)
    job = library.jobs.add(waiting("documents", "more.pdf", "a" * 64))
    suggester = Suggester(library, search, handbook="handbook")

    assert settled(suggester).pending
    library.jobs.update(job.id, state=JobState.CANCELLED)

    assert settled(suggester).questions == ("How long is the notice period?",)


def test_a_search_that_fails_costs_the_suggestions_only(library, caplog):
    put(library, NOTICE)

    def broken(question):
        raise RuntimeError("no index")

    assert settled(Suggester(library, broken, handbook="handbook")).questions == ()
    assert "making suggestions failed" in caplog.text

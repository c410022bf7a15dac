"""The vectors of the inbox's questions, and what happens to them when the model changes."""

from contextlib import closing

import numpy as np
import pytest
from fakes import HashEmbedder

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations
from rag_app.team import question_vectors
from rag_app.team.question_vectors import read, vectors_of, written

CASE = "INSERT INTO inbox_case (id, spaces, embedder, vector, note, changed, name) VALUES (?, '[]', ?, ?, ?, '', '')"


class Turned:
    """A bag of words whose vectors another model turns by some places."""

    def __init__(self, name, places=0):
        self.name, self._places = name, places
        self.asked = []

    def vectors(self, asked):
        self.asked += asked
        return np.roll(HashEmbedder().embed([question for question, _ in asked]), self._places, axis=1)


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def put(database):
    """Questions by the turn each is kept in."""
    conversations = Conversations(database)

    def asked(*questions):
        here = conversations.begin("a" * 32)
        return {conversations.add(here, question).id: (question, ("documents",)) for question in questions}

    return asked


def noted(database):
    return {
        note: (embedder, read(vector))
        for note, embedder, vector in database.rows("SELECT note, embedder, vector FROM inbox_case")
    }


def test_a_question_gets_its_vector_once(database, put):
    asked, model = put("How long is the notice period?"), Turned("one")

    first, left = vectors_of(database, model, asked)
    again, _ = vectors_of(database, model, asked)

    assert left == 0
    assert len(model.asked) == 1
    assert all(np.array_equal(first[turn], again[turn]) for turn in asked)


def test_what_is_too_much_for_one_look_comes_with_the_next(database, put, monkeypatch):
    monkeypatch.setattr(question_vectors, "EMBEDDED", 2)
    asked, model = put("one", "two", "three"), Turned("one")

    assert [vectors_of(database, model, asked)[1] for _ in range(3)] == [1, 0, 0]
    assert len(model.asked) == 3


def test_what_was_said_of_a_group_moves_to_the_vectors_of_another_model(database, put):
    asked = put("How long is the notice period?", "May I water the orchid?")
    old, new = Turned("one"), Turned("two", places=5)
    vectors, _ = vectors_of(database, old, asked)
    notice, orchid = asked
    with database.writing() as connection:
        connection.execute(CASE, ("1", "one", written(vectors[notice]), "ask the lawyer"))
        connection.execute(CASE, ("2", "one", written(vectors[orchid]), "see page 4"))

    moved, _ = vectors_of(database, new, asked)

    told = noted(database)
    assert {embedder for embedder, _ in told.values()} == {"two"}
    assert np.array_equal(told["ask the lawyer"][1], moved[notice])
    assert np.array_equal(told["see page 4"][1], moved[orchid])


def test_a_note_waits_until_its_question_has_a_vector_of_the_new_model(database, put, monkeypatch):
    asked = put("May I water the orchid?", "How long is the notice period?")
    vectors, _ = vectors_of(database, Turned("one"), asked)
    _, notice = asked
    with database.writing() as connection:
        connection.execute(CASE, ("1", "one", written(vectors[notice]), "ask the lawyer"))
    monkeypatch.setattr(question_vectors, "EMBEDDED", 1)

    vectors_of(database, Turned("two", places=5), asked)
    assert noted(database)["ask the lawyer"][0] == "one"

    vectors_of(database, Turned("two", places=5), asked)
    assert noted(database)["ask the lawyer"][0] == "two"

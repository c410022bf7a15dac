"""Training a team's own model on a real library: it learns, keeps what it measured, and leaves nothing when stopped."""

import json
import os
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing, redirect_stderr
from io import StringIO

import pytest
from fakes import HashEmbedder
from own_models import TOPICS, add_toy, minutes_of, question_about
from shelves import new_library, put

from ingest.compute import Compute
from ingest.engines import Engines
from ingest.errors import ModelError
from ingest.index.generation import Index
from rag_app.commands.train import stoppable
from rag_app.evaluate.kept import Kept
from rag_app.rerank.calibration import load
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker
from rag_app.rerank.store import RECORD, Store
from rag_app.retrieve import HybridRetriever
from rag_app.train.fine_tune import Recipe
from rag_app.train.labelled import Labelled
from rag_app.train.line import Order, Workshop, train
from rag_app.train.own import digest
from rag_app.train.pairs import TrainingDataError

pytestmark = pytest.mark.slow


def label(topic):
    return Labelled("line 1", question_about(topic), f"{topic}.pdf", (1,))


class Board:
    """A library of minutes, a toy that is live, and all that trains it."""

    def __init__(self, folder):
        self.library = new_library(folder)
        self.library.claim_embedder(HashEmbedder.name)
        for topic in TOPICS:
            put(self.library, *minutes_of(topic), name=f"{topic}.pdf")
        self.index = Index(self.library, HashEmbedder.name)
        self.store = Store(self.library.home.folder)
        add_toy(self.store)
        retriever = HybridRetriever(self.library, self.index, HashEmbedder())
        self.workshop = Workshop(
            store=self.store,
            compute=Compute(),
            embedder=HashEmbedder(),
            engines=Engines(),
            kept=Kept(self.library.home.folder / "cache"),
            documents=self.library.documents(),
            find=lambda question: retriever.retrieve(question, ["documents"], 8)[0],
            handbook=None,
        )

    def train(self, name, labels: Sequence[Labelled] | None = None, seed=3):
        given = [label(topic) for topic in TOPICS] if labels is None else labels
        recipe = Recipe(rate=3e-3, warm=0.1, groups=4, every=10_000)
        return train(given, Order(name, "test.jsonl", seed=seed, rounds=10, recipe=recipe), self.workshop)

    def close(self):
        self.workshop.kept.close()
        self.index.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    board = Board(tmp_path_factory.mktemp("board"))
    yield board
    board.close()


@pytest.fixture(scope="module")
def trained(board):
    before = everything(board.library)
    record = board.train("learned").record
    assert everything(board.library) == before, "the library was written to"
    return record


def everything(library):
    with closing(sqlite3.connect(library.home.library_db)) as connection:
        return list(connection.iterdump())


def test_it_learns_what_tells_an_answer_from_what_is_about_it(trained):
    held_out = trained["held_out"]

    assert held_out["questions"] == 10
    assert held_out["before"]["mrr@10"] < 0.8
    assert held_out["after"]["mrr@10"] > 0.95
    assert held_out["after"]["ndcg@10"] > held_out["before"]["ndcg@10"]
    assert held_out["ndcg@10_change_ci95"][0] > 0


def test_it_keeps_weights_calibration_and_a_record_that_tell_the_same(board, trained):
    folder = board.store.folder / "learned"

    assert json.loads((folder / RECORD).read_text()) == trained
    assert (trained["base"], trained["source"], trained["handbook"]) == ("toy", "test.jsonl", None)
    assert trained["questions"] == {
        "given": 50, "usable": 50, "labels_not_in_library": 0, "without_a_right_candidate": 0,
        "train": 30, "calibrate": 10, "held_out": 10,
    }  # fmt: skip
    assert len(trained["trained_on"]) == 30
    assert board.store.record("learned") == trained
    assert load(folder) != load(board.store.folder / "toy")
    shipped = load(FOLDER).threshold
    assert shipped / 2 <= load(folder).threshold <= shipped


def test_what_it_keeps_orders_as_it_measured(board, trained):
    model = BundledReranker(Compute(), board.store.folder / "learned", "learned")

    first = [model.rerank(question, board.workshop.find(question))[0] for question in map(question_about, TOPICS)]

    assert (
        sum(hit.document.title == topic and hit.chunk.page == 1 for hit, topic in zip(first, TOPICS, strict=True)) > 45
    )
    assert all(0 < hit.relevance < 1 for hit in first)


def test_it_is_trained_again_from_itself_on_new_questions_only(board, trained):
    board.store.promote("learned")

    with pytest.raises(TrainingDataError, match="was trained on 30 of these 45 questions, and 15 new ones"):
        board.train("again", used_and_new(trained))

    board.store.rollback()
    assert board.store.names() == ["learned", "toy"]


def used_and_new(record):
    """The questions that were trained on, and fifteen others."""
    order = sorted(TOPICS, key=lambda topic: digest(question_about(topic)) not in record["trained_on"])
    return [label(topic) for topic in order[:45]]


class Interrupting(StringIO):
    """Sends the signal of a service manager when a line says what it waits for."""

    def __init__(self, awaited):
        super().__init__()
        self.awaited = awaited

    def write(self, text):
        if self.awaited in text:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


@pytest.mark.parametrize("awaited", ["Searching for questions", "Training: step 20", "After training, questions held"])
def test_a_training_that_is_stopped_leaves_nothing(board, awaited):
    before = sorted(entry.name for entry in board.store.folder.iterdir())

    with pytest.raises(KeyboardInterrupt), redirect_stderr(Interrupting(awaited)), stoppable():
        board.train("stopped", seed=4)

    assert sorted({*(entry.name for entry in board.store.folder.iterdir()), "training.lock"}) == before


def test_a_name_that_is_taken_is_refused_before_any_work(board):
    with pytest.raises(ModelError, match="There is a model 'toy' already"):
        board.train("toy", [])

import json
import os
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes import HashEmbedder, SameQuestion, WordReranker
from shelves import Shelf

from ingest import purging
from ingest.errors import HomeBusy, LibraryError
from ingest.home import Home, OwnerLock
from ingest.index.generation import Index
from ingest.library.schema import earlier
from rag_app.app_database import AppDatabase
from rag_app.blanking import BLANK, PURGED, TITLE
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.evaluate.records import STAGES, Computed, FoundPassage, Outcome, Ranking, Run
from rag_app.evaluate.results import keep, kept
from rag_app.evaluate.summary import summary
from rag_app.feedback import Feedback, Verdict
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.purge import purge
from rag_app.retrieve import HybridRetriever

MARKER = "zanzibarine"
SECRET = f"The notice period of {MARKER} is three months."
BROWSER = "b" * 32


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path)
    made.library.claim_embedder(HashEmbedder.name)
    yield made
    made.index.close()
    made.library.close()


async def asked(shelf, question):
    """Ask as the chat does, and keep the answer in app.db with a verdict on it."""
    judge = WordReranker()
    line = Line(
        rewriter=SameQuestion(), retriever=HybridRetriever(shelf.library, shelf.index, HashEmbedder()),
        reranker=judge, judge=judge, generator=Extractive(judge), quoting=Extractive(judge),
    )  # fmt: skip
    pipeline = Pipeline(shelf.library, line, candidates=50, passages=2)
    *_, answer = [one async for one in pipeline.ask(question, ())]
    with closing(AppDatabase(shelf.library.home.app_db)) as database:
        conversations = Conversations(database)
        turn = conversations.add(conversations.begin(BROWSER), question)
        turn = replace(turn, state=TurnState.DONE, answer=stored(answer))
        conversations.save(turn)
        Feedback(database).give(turn, Verdict.GOOD, note=f"{MARKER} is right")
    return answer


def stored_turns(shelf):
    with closing(AppDatabase(shelf.library.home.app_db)) as database:
        conversations = Conversations(database)
        return conversations.turns(BROWSER, conversations.current(BROWSER))


def holding(shelf, word):
    """Every file under the home with this word in it, in whatever case.

    Another process looks: closing a file that SQLite has open here would take its locks away.
    """
    home = shelf.library.home.folder
    found = subprocess.run(["grep", "-rlai", word, "."], cwd=home, capture_output=True, text=True, check=False)
    assert found.returncode in {0, 1}, found.stderr
    return [line.rpartition("/")[2] for line in found.stdout.splitlines()]


def evaluated_on(shelf, file):
    """A home in which `rag evaluate` has read the file in a set of its own, and kept a result that quotes it."""
    home, folder = shelf.library.home.folder, shelf.folder / "set"
    folder.mkdir()
    (folder / file.name).write_bytes(file.read_bytes())
    (folder / "questions.jsonl").write_text(
        json.dumps({"question": f"What of {MARKER}?", "pdf": file.name, "pages": [1]}) + "\n", encoding="utf-8"
    )
    dataset = read_pdf_folder(folder, shelf.settings, HashEmbedder(), home / "cache")
    with closing(Kept(home / "cache")) as computed:
        computed.add_vectors({b"k": (HashEmbedder().embed([SECRET])[0], 1.0)})
    said = ((file.name, dataset.passages[0].chunk.text), ("food", "The canteen opens at noon."))
    outcomes = tuple(
        Outcome(
            dataset.questions[0], dict.fromkeys(STAGES, Ranking((0.0,), 1.0)), (),
            (FoundPassage(name, 1, text, 0.25, right=False),),
        )
        for name, text in said
    )  # fmt: skip
    run = Run(dataset, "embedder", "bundled", outcomes, Computed(0, 0), 0, 0)
    return keep(home, run, summary(run), datetime(2026, 11, 21, tzinfo=UTC), {"candidates": 50, "passages": 3})


@pytest.mark.slow
async def test_while_an_evaluation_reads_its_files_a_purge_waits_for_its_end(shelf):
    job = shelf.add(shelf.pdf(SECRET, name=f"{MARKER}.pdf"))
    evaluated_on(shelf, shelf.folder / f"{MARKER}.pdf")
    (own,) = (shelf.library.home.folder / "cache" / "pdfs").iterdir()
    with OwnerLock(Home(own)).acquire(), pytest.raises(HomeBusy, match=f"pid {os.getpid()}"):
        purge(shelf.library, job.document_id, build_index=lambda: None)
    assert purging.unfinished(shelf.library) == [job.document_id]

    purge(shelf.library, job.document_id, build_index=lambda: None)

    assert purging.unfinished(shelf.library) == []
    assert not own.exists()


@pytest.mark.slow
async def test_after_a_purge_no_byte_of_the_document_is_left(shelf):
    shelf.add(shelf.pdf("The canteen opens at noon.", name="food.pdf"))
    job = shelf.add(shelf.pdf(SECRET, name=f"{MARKER}.pdf"))
    answer = await asked(shelf, f"How long is the notice period of {MARKER}?")
    (shelf.library.home.incoming / "left").write_bytes((shelf.folder / f"{MARKER}.pdf").read_bytes()[:900])
    result = evaluated_on(shelf, shelf.folder / f"{MARKER}.pdf")
    original = shelf.library.original(shelf.library.document(job.document_id)).name
    assert MARKER in answer.text
    assert {original, result.name, "library.db"} <= {name.removesuffix("-wal") for name in holding(shelf, MARKER)}
    assert {"library.db", "app.db"} <= {name.removesuffix("-wal") for name in holding(shelf, MARKER)}
    assert any("chroma" in name or name.endswith(".store") for name in holding(shelf, MARKER))
    shelf.index.close()

    receipt = purge(shelf.library, job.document_id)

    assert holding(shelf, MARKER) == []
    assert list(shelf.library.home.incoming.iterdir()) == []
    assert list((shelf.library.home.folder / "cache").iterdir()) == []
    assert (receipt.passages, receipt.answers, receipt.results) == (1, 1, 1)
    ((failure, other),) = [one["failures"] for one in kept(shelf.library.home.folder)[0]]
    assert failure["found"][0] == {"document": TITLE, "page": 1, "text": "", "relevance": 0.25, "right": False}
    assert other["found"][0]["text"] == "The canteen opens at noon."
    assert any("backups" in one for one in receipt.not_reached)
    assert [document.title for document in shelf.library.documents()] == ["food"]
    assert len(list(shelf.library.home.index.iterdir())) == 1


@pytest.mark.slow
async def test_a_purge_beside_the_owner_goes_through_its_jobs(shelf):
    job = shelf.add(shelf.pdf(SECRET, name="plan.pdf"))
    await asked(shelf, "How long is the notice period?")
    before = shelf.index.remembered()
    stop = threading.Event()
    owner = threading.Thread(target=shelf.worker.run, args=(stop,))
    with OwnerLock(shelf.library.home).acquire():
        owner.start()
        try:
            told = subprocess.run(
                [sys.executable, "-m", "rag_app", "documents", "remove", job.document_id, "--purge", "--json"],
                env={**os.environ, "RAG_HOME": str(shelf.library.home.folder)},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            stop.set()
            owner.join()

    assert told.returncode == 0, told.stderr
    assert f"(pid {os.getpid()}) builds the index anew" in told.stderr
    assert json.loads(told.stdout)["purged"]["document_id"] == job.document_id
    assert shelf.index.remembered() != before
    assert holding(shelf, MARKER) == []


async def test_answers_that_cite_it_are_blanked_and_say_so(shelf):
    kept = shelf.intake.add(shelf.pdf("The canteen opens at noon and serves soup.", name="food.pdf"), "documents")
    job = shelf.intake.add(shelf.pdf(SECRET, name="plan.pdf"), "documents")
    shelf.worker._ingestion.run(kept)
    job = shelf.worker._ingestion.run(job)
    await asked(shelf, f"How long is the notice period of {MARKER}?")

    purge(shelf.library, job.document_id, build_index=lambda: None)

    (turn,) = stored_turns(shelf)
    assert turn.question == f"How long is the {BLANK} {BLANK} of {BLANK}?"
    assert turn.answer.text == PURGED
    assert turn.answer.sentences == ()
    assert (turn.answer.citations[0].title, turn.answer.citations[0].quote) == (TITLE, "")
    with closing(AppDatabase(shelf.library.home.app_db)) as database:
        (judgement,) = Feedback(database).given()
    assert judgement.answer == PURGED
    assert judgement.passages[0].passage == ""
    assert MARKER not in judgement.note


async def test_answers_from_other_documents_stay_as_they_are(shelf):
    kept = shelf.intake.add(shelf.pdf("The canteen opens at noon and serves soup.", name="food.pdf"), "documents")
    shelf.worker._ingestion.run(kept)
    answer = await asked(shelf, "When does the canteen open?")
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(SECRET, name="plan.pdf"), "documents"))

    receipt = purge(shelf.library, job.document_id, build_index=lambda: None)

    (turn,) = stored_turns(shelf)
    assert receipt.answers == 0
    assert turn.question == "When does the canteen open?"
    assert turn.answer == stored(answer)


def test_a_purge_that_was_cut_short_can_be_done_again(shelf):
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(SECRET, name="plan.pdf"), "documents"))

    def fail():
        raise LibraryError("no room")

    with pytest.raises(LibraryError, match="no room"):
        purge(shelf.library, job.document_id, build_index=fail)
    assert purging.unfinished(shelf.library) == [job.document_id]
    purge(shelf.library, job.document_id, build_index=lambda: None)

    assert purging.unfinished(shelf.library) == []
    assert holding(shelf, MARKER) == []


def test_the_same_file_in_another_space_stays_and_is_named(shelf):
    path = shelf.pdf(SECRET, name="plan.pdf")
    jobs = [shelf.worker._ingestion.run(shelf.intake.add(path, space)) for space in ("documents", "board")]

    receipt = purge(shelf.library, jobs[0].document_id, build_index=lambda: None)

    assert receipt.also_in == ("board",)
    assert shelf.library.original(shelf.library.document(jobs[1].document_id)).is_file()


@pytest.mark.slow
def test_copies_that_migrations_made_go_too(shelf):
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(SECRET, name="plan.pdf"), "documents"))
    home = shelf.library.home
    for database in (home.library_db, home.app_db):
        earlier(database, 1).write_text(SECRET)

    purge(shelf.library, job.document_id, build_index=lambda: None)

    assert holding(shelf, MARKER) == []


def test_an_owner_that_ends_before_it_comes_to_it_is_not_waited_for(shelf, monkeypatch):
    monkeypatch.setattr(Index, "rebuild", lambda self: True)
    lock = OwnerLock(shelf.library.home).acquire()
    told = []

    def tell(sentence):
        told.append(sentence)
        lock.release()

    purging.build_index(shelf.library, tell)

    assert len(told) == 1
    assert shelf.library.jobs.next_waiting() is None


def test_an_index_that_cannot_be_built_is_said_and_nothing_pretends(shelf, monkeypatch):
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(SECRET, name="plan.pdf"), "documents"))
    monkeypatch.setattr(Index, "rebuild", lambda self: False)

    with pytest.raises(LibraryError, match="could not be built anew and may still hold its words"):
        purge(shelf.library, job.document_id)


def test_what_is_not_there_cannot_be_purged(shelf):
    with pytest.raises(LibraryError, match="There is no document abc"):
        purge(shelf.library, "abc")

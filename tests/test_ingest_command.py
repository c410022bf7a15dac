"""`rag ingest` beside a process that owns the home."""

import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from fakes import HashEmbedder
from shelves import Shelf

from ingest import command
from ingest.build import Parts
from ingest.compute import Compute
from ingest.engines import Engines
from ingest.library import jobs
from ingest.records import JobState

pytestmark = pytest.mark.slow

OWNER = """
import sys
from pathlib import Path
from ingest.home import Home, OwnerLock
lock = OwnerLock(Home(Path(sys.argv[1]))).acquire()
print("owns", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path)
    made.library.claim_embedder(HashEmbedder.name)
    made.index.refresh = lambda: None  # no search index: a file's way ends before it
    yield made
    made.library.close()


@pytest.fixture
def parts(shelf):
    return Parts(
        home=shelf.library.home, library=shelf.library, compute=Compute(), engines=Engines(), embedder=shelf.embedder,
        index=shelf.index, intake=shelf.intake, worker=shelf.worker,
    )  # fmt: skip


@contextmanager
def owner(home):
    """Another process that owns the home and does nothing, until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "owns\n"
    try:
        yield process
    finally:
        process.communicate()


def test_files_are_taken_over_from_an_owner_that_ends_before_it_comes_to_them(shelf, parts, capsys, monkeypatch):
    file = shelf.pdf("The notice period is three months.")
    with owner(parts.home) as process:
        monkeypatch.setattr(command.time, "sleep", lambda _: process.kill())

        ((path, job),) = command.take_in(parts, [file], "documents")

    said = capsys.readouterr()
    assert (path, job.state) == (file, JobState.READY)
    assert f"(pid {process.pid}) does the work" in said.err
    assert "has ended; the work goes on here" in said.err
    assert [one.path for one in shelf.library.documents()] == [str(file)]


def test_an_owner_that_works_is_followed_to_the_end(shelf, parts, capsys):
    file = shelf.pdf("The notice period is three months.")
    with owner(parts.home):
        working = threading.Thread(target=_work_when_there_is_something, args=(shelf,))
        working.start()
        ((_, job),) = command.take_in(parts, [file], "documents")
        working.join()

    assert job.state == JobState.READY
    assert "goes on here" not in capsys.readouterr().err


def _work_when_there_is_something(shelf):
    while shelf.library.jobs.next_waiting() is None:
        pass
    shelf.worker.work_off()
    shelf.library.close()


def test_files_that_need_no_work_wait_for_nobody(shelf, parts, capsys):
    file = shelf.pdf("The notice period is three months.")
    shelf.add(file)
    with owner(parts.home):
        ((_, job),) = command.take_in(parts, [file], "documents")

    assert job.state == JobState.UNCHANGED
    assert capsys.readouterr().err == ""


def test_the_summary_names_every_file_also_where_the_table_has_forgotten_the_first(shelf, parts, monkeypatch):
    files = [shelf.pdf(f"Plan {n} has a notice period.", name=f"{n}.pdf") for n in range(6)]
    for file in files:
        shelf.add(file)
    monkeypatch.setattr(jobs, "KEPT", 2)

    taken = command.take_in(parts, files, "documents")

    assert [(file.name, job.state) for file, job in taken] == [(f"{n}.pdf", JobState.UNCHANGED) for n in range(6)]


def test_a_file_whose_document_is_purged_meanwhile_ends_as_cancelled(shelf, parts):
    file = shelf.pdf("The notice period is three months.")
    run = shelf.worker.work_off

    def forget():
        run()
        (document,) = shelf.library.documents()
        shelf.library.remove(document.id)
        shelf.library.jobs.forget(document.space, document.content)

    shelf.worker.work_off = forget
    ((_, job),) = command.take_in(parts, [file], "documents")

    assert job.state == JobState.CANCELLED
    assert "removed meanwhile" in job.reason

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from pdf_makers import drawn, lines, picture
from shelves import Shelf

from ingest.errors import LibraryError
from ingest.intake import NameTaken, clean_name, files_under
from ingest.records import JobState


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path)
    yield made
    made.index.close()


def texts(shelf):
    return [
        chunk.text for document in shelf.library.documents() for chunk in shelf.library.document_chunks(document.id)
    ]


@pytest.mark.slow
def test_a_pdf_becomes_passages_that_can_be_found(shelf):
    job = shelf.add(shelf.pdf("The notice period is three months.", "It begins with the next month."))

    assert job.state == JobState.READY
    assert (job.pages, job.chunks, job.chunks_done) == (1, 1, 1)
    assert "notice period is three months" in texts(shelf)[0]
    assert shelf.index.lexical("notice period", ["documents"], 1)


@pytest.mark.slow
def test_an_unchanged_file_costs_nothing(shelf):
    path = shelf.pdf("The notice period is three months.")
    first = shelf.add(path)

    second = shelf.add(path)

    assert second.state == JobState.UNCHANGED
    assert second.document_id == first.document_id
    assert len(shelf.library.documents()) == 1


@pytest.mark.slow
def test_a_changed_file_replaces_its_old_passages(shelf):
    path = shelf.pdf("The notice period is three months.")
    shelf.add(path)
    shelf.pdf("The notice period is six weeks.")

    job = shelf.add(path)

    assert job.state == JobState.READY
    assert len(texts(shelf)) == 1
    assert "six weeks" in texts(shelf)[0]


@pytest.mark.slow
def test_a_changed_file_that_cannot_be_read_leaves_the_old_one_answering(shelf):
    path = shelf.pdf("The notice period is three months.")
    shelf.add(path)
    path.write_bytes(b"%PDF-1.7\nbroken")

    job = shelf.add(path)

    assert job.state == JobState.REFUSED
    assert "plan.pdf" in job.reason
    assert "three months" in texts(shelf)[0]


@pytest.mark.slow
def test_the_same_bytes_under_another_name_are_said_to_be_here(shelf):
    shelf.add(shelf.pdf("Some words to keep.", name="a.pdf"))
    copy = shelf.folder / "b.pdf"
    copy.write_bytes((shelf.folder / "a.pdf").read_bytes())

    job = shelf.add(copy)

    assert job.state == JobState.UNCHANGED
    assert job.reason == "The same contents are already here as a.pdf."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "state", "told"),
    [
        ("empty.pdf", b"", JobState.REFUSED, "empty.pdf is empty"),
        ("page.pdf", b"<html>hello</html>", JobState.REFUSED, "not a PDF"),
        ("scan.pdf", drawn(picture("SCAN")), JobState.NO_TEXT, "scan.pdf"),
        ("big.pdf", b"%PDF-1.7" + b"x" * 5_000_000, JobState.REFUSED, "the limit is 5 MB"),
        ("broken.pdf", drawn(lines("text"))[:300], JobState.REFUSED, "broken.pdf"),
    ],
)
def test_a_bad_file_is_listed_with_a_reason_and_nothing_is_kept(shelf, name, content, state, told):
    path = shelf.folder / name
    path.write_bytes(content)

    job = shelf.add(path)

    assert job.state == state
    assert told in job.reason
    assert shelf.library.documents() == []
    assert list(shelf.library.home.originals.iterdir()) == []
    assert list(shelf.library.home.incoming.iterdir()) == []


def test_a_missing_file_is_refused_with_its_name(shelf):
    job = shelf.add(shelf.folder / "gone.pdf")

    assert job.state == JobState.REFUSED
    assert "gone.pdf cannot be opened" in job.reason


@pytest.mark.slow
def test_a_name_that_is_no_text_is_stored_as_text(shelf):
    path = shelf.folder / os.fsdecode(b"caf\xe9\n<b>.pdf")
    path.write_bytes(drawn(lines("Some words to keep.")))

    job = shelf.add(path)

    assert job.state == JobState.READY
    assert job.path.endswith("caf\ufffd\n<b>.pdf")


def test_clean_names_hold_no_nul():
    assert clean_name("a\0b") == "a\ufffdb"


def test_a_folder_is_walked_in_order_without_hidden_files(tmp_path):
    for name in ("b.pdf", "a.pdf", ".hidden.pdf", "sub/c.pdf", ".git/d.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    assert [str(path.relative_to(tmp_path)) for path in files_under(tmp_path)] == ["a.pdf", "b.pdf", "sub/c.pdf"]


@pytest.mark.slow
def test_a_crash_in_the_middle_is_taken_up_where_it_stopped(shelf):
    path = shelf.pdf("The notice period is three months.")
    job = shelf.intake.add(path, "documents")

    class Dies(Exception):
        pass

    def die(texts):
        raise Dies

    embed = shelf.embedder.embed
    shelf.embedder.embed = die
    with pytest.raises(Dies):
        shelf.worker._ingestion.run(job)
    assert shelf.library.documents() == []

    shelf.embedder.embed = embed
    shelf.worker.work_off()

    assert shelf.library.jobs.get(job.id).state == JobState.READY
    assert len(texts(shelf)) == 1


@pytest.mark.slow
def test_a_job_whose_document_is_visible_already_never_hides_it(shelf):
    path = shelf.pdf("The notice period is three months.")
    first = shelf.add(path)
    # As a crash leaves it between the transaction that shows the document and the job's end.
    shelf.library.jobs.update(first.id, state=JobState.INDEXING)
    seen = []
    begin = shelf.library.begin
    shelf.library.begin = lambda *args: (seen.append(1), begin(*args))

    shelf.worker.work_off()

    assert shelf.library.jobs.get(first.id).state == JobState.READY
    assert seen == []
    assert len(texts(shelf)) == 1


@pytest.mark.slow
def test_two_jobs_with_the_same_bytes_make_one_document_with_two_names(shelf):
    (shelf.folder / "b.pdf").write_bytes(shelf.pdf("Some words to keep.", name="a.pdf").read_bytes())
    jobs = [shelf.intake.add(shelf.folder / name, "documents") for name in ("a.pdf", "b.pdf")]

    shelf.worker.work_off()

    assert [shelf.library.jobs.get(job.id).state for job in jobs] == [JobState.READY] * 2
    (document,) = shelf.library.documents()
    assert all(shelf.library.named("documents", str(shelf.folder / name))[0] == document for name in ("a.pdf", "b.pdf"))


@pytest.mark.slow
def test_a_bug_in_one_file_does_not_stop_the_others(shelf, caplog):
    good, bad = shelf.pdf("Good words here.", name="good.pdf"), shelf.pdf("Bad words here.", name="bad.pdf")
    embed = shelf.embedder.embed

    def sometimes(texts):
        if "Bad" in texts[0]:
            raise ZeroDivisionError
        return embed(texts)

    shelf.embedder.embed = sometimes
    jobs = [shelf.intake.add(path, "documents") for path in (bad, good)]
    shelf.worker.work_off()

    failed, done = [shelf.library.jobs.get(job.id) for job in jobs]
    assert (failed.state, done.state) == (JobState.REFUSED, JobState.READY)
    assert "Something failed here that should not have" in failed.reason
    assert "ZeroDivisionError" in caplog.text
    assert len(list(shelf.library.home.originals.iterdir())) == 1


@pytest.mark.slow
def test_a_cancelled_job_leaves_nothing(shelf):
    job = shelf.intake.add(shelf.pdf("Some words to keep."), "documents")
    shelf.library.jobs.cancel(job.id)

    shelf.worker.work_off()

    assert shelf.library.jobs.get(job.id).state == JobState.CANCELLED
    assert shelf.library.documents() == []
    assert list(shelf.library.home.originals.iterdir()) == []


@pytest.mark.slow
def test_an_upload_with_a_taken_name_asks_then_replaces_or_keeps_both(shelf):
    shelf.intake.add_upload(shelf.pdf("First version here."), "documents", "plan.pdf", replace=None)
    shelf.worker.work_off()
    second = shelf.pdf("Second version here.", name="other.pdf")

    with pytest.raises(NameTaken, match=r"plan\.pdf is already in the library"):
        shelf.intake.add_upload(second, "documents", "plan.pdf", replace=None)
    both = shelf.intake.add_upload(second, "documents", "../../plan.pdf", replace=False)
    third = shelf.pdf("Third version here.", name="third.pdf")
    shelf.intake.add_upload(third, "documents", "plan.pdf", replace=True)
    shelf.worker.work_off()

    assert both.path == "plan (2).pdf"
    assert {document.path for document in shelf.library.documents()} == {"plan.pdf", "plan (2).pdf"}
    assert sorted(text.split()[0] for text in texts(shelf)) == ["Second", "Third"]


def test_a_full_disk_refuses_in_time_with_the_figure(shelf, monkeypatch):
    monkeypatch.setattr("ingest.home.SPARE_BYTES", 1 << 60)

    with pytest.raises(LibraryError, match=r"MB left; adding plan\.pdf needs"):
        shelf.intake.add(shelf.pdf("Some words."), "documents")


def test_a_disk_that_filled_up_while_a_file_waited_refuses_it_with_the_figure(shelf, monkeypatch):
    job = shelf.intake.add(shelf.pdf("Some words."), "documents")
    monkeypatch.setattr("ingest.home.SPARE_BYTES", 1 << 60)

    shelf.worker._do(job)

    job = shelf.library.jobs.get(job.id)
    assert job.state == JobState.REFUSED
    assert "MB left; adding plan.pdf needs" in job.reason
    assert list(shelf.library.home.originals.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_meanwhile_keeps_nothing_and_says_so(shelf):
    job = shelf.intake.add(shelf.pdf(*(f"Line {n} holds some words of its own. " * 9 for n in range(60))), "documents")
    with shelf.library.database.reading() as connection:  # which is the next one's as well
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    shelf.worker._do(job)

    job = shelf.library.jobs.get(job.id)
    assert job.state == JobState.REFUSED
    assert "The disk became full" in job.reason
    assert shelf.library.documents() == []
    assert list(shelf.library.home.originals.iterdir()) == []
    connection.execute("PRAGMA max_page_count=1000000")
    assert shelf.add(shelf.folder / "plan.pdf").state == JobState.READY


@pytest.mark.slow
def test_the_command_accounts_for_every_file_with_real_models(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.pdf").write_bytes(drawn(lines("The notice period is three months.")))
    (tmp_path / "in" / "bad.pdf").write_bytes(b"\0\1\2")
    environment = {**os.environ, "RAG_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "ingest", str(tmp_path / "in"), "--json"]

    first = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    rows = json.loads(first.stdout)["files"]
    assert [row["path"].rpartition("/")[2] for row in rows] == ["bad.pdf", "good.pdf"]
    assert [row["state"] for row in rows] == ["refused", "ready"]
    assert set(rows[1]) == {"path", "state", "reason", "document_id", "pages", "chunks", "seconds"}
    assert (first.returncode, second.returncode) == (1, 1)
    assert [row["state"] for row in json.loads(second.stdout)["files"]] == ["refused", "unchanged"]
    assert list((tmp_path / "home" / "index").glob("*/chroma/chroma.sqlite3"))


@pytest.mark.slow
def test_the_worker_outlives_an_index_that_fails(shelf, monkeypatch, caplog):
    monkeypatch.setattr("ingest.worker.PAUSE_SECONDS", 0.0)
    stop, tries = threading.Event(), []

    def fail():
        tries.append(1)
        if len(tries) == 1:
            shelf.intake.add(shelf.pdf("Second words here.", name="b.pdf"), "documents")
            raise OSError("the index is on fire")
        stop.set()

    monkeypatch.setattr(shelf.index, "refresh", fail)
    shelf.intake.add(shelf.pdf("First words here.", name="a.pdf"), "documents")
    shelf.worker.run(stop)

    assert len(shelf.library.documents()) == 2
    assert "the index is on fire" in caplog.text


@pytest.mark.slow
def test_a_large_file_does_not_hold_up_a_small_one(shelf):
    small = threading.Event()
    embed = shelf.embedder.embed

    def slowly(found):
        if "Big" in found[0]:
            assert small.wait(30), "the small file was not embedded before the big one was done"
        else:
            small.set()
        return embed(found)

    shelf.embedder.embed = slowly
    jobs = [shelf.intake.add(shelf.pdf(f"{name} words here.", name=name), "documents") for name in ("Big", "small")]
    shelf.worker.work_off()

    assert [shelf.library.jobs.get(job.id).state for job in jobs] == [JobState.READY] * 2


@pytest.mark.slow
def test_of_several_files_the_first_are_indexed_while_the_others_come_in(shelf, monkeypatch):
    begun = []
    monkeypatch.setattr(shelf.index, "follow", lambda: begun.append(len(shelf.library.documents())))
    shelf.add(shelf.pdf("Alone here.", name="alone.pdf"))
    assert begun == []

    for n in range(6):
        shelf.intake.add(shelf.pdf(f"Words of {n} here.", name=f"{n}.pdf"), "documents")
    shelf.worker.work_off()

    assert begun
    assert 1 < begun[0] < 7
    assert shelf.index.state().newer == 0


@pytest.mark.slow
def test_a_file_that_comes_while_another_is_worked_on_is_taken_up(shelf):
    came = threading.Event()
    embed = shelf.embedder.embed

    def slowly(found):
        if "Big" in found[0]:
            shelf.intake.add(shelf.pdf("Later words here.", name="later.pdf"), "documents")
            assert came.wait(30)
        else:
            came.set()
        return embed(found)

    shelf.embedder.embed = slowly
    shelf.add(shelf.pdf("Big words here."))

    assert len(shelf.library.documents()) == 2


@pytest.mark.slow
def test_versions_of_one_name_keep_their_order_however_many_lanes(shelf):
    embed = shelf.embedder.embed
    shelf.embedder.embed = lambda found: (time.sleep(0.2 if "First" in found[0] else 0), embed(found))[1]
    path = shelf.pdf("First version here.")
    shelf.intake.add(path, "documents")
    shelf.pdf("Second version here.")
    shelf.intake.add(path, "documents")

    shelf.worker.work_off()

    assert [text.split()[0] for text in texts(shelf)] == ["Second"]


def test_what_is_no_files_fault_is_raised_once_all_lanes_are_free(shelf, monkeypatch):
    monkeypatch.setattr(shelf.library, "sweep", lambda: (_ for _ in ()).throw(MemoryError))
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        shelf.intake.add(shelf.pdf(f"Words of {name}.", name=name), "documents")

    with pytest.raises(MemoryError):
        shelf.worker.work_off()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job ")]


@pytest.mark.slow
def test_a_kill_while_several_files_are_on_their_way_loses_none(shelf):
    shelf.library.claim_embedder(shelf.embedder.name)
    for number in range(6):
        words = [f"Line {line} of file {number} holds its own words." for line in range(40)]
        shelf.intake.add(shelf.pdf(*words, name=f"{number}.pdf"), "documents")
    code = (
        "from pathlib import Path; import sys; from shelves import Shelf; from ingest import failpoints\n"
        "shelf = Shelf(Path(sys.argv[1])); failpoints.arm('vectors.rows', 2); shelf.worker.work_off()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code, str(shelf.folder)], env=environment, check=False)
    assert ended.returncode == -9
    assert len(shelf.library.jobs.under_way(9)) >= 3

    shelf.worker.work_off()

    assert {document.path.rpartition("/")[2] for document in shelf.library.documents()} == {
        f"{number}.pdf" for number in range(6)
    }
    assert shelf.library.findings() == []

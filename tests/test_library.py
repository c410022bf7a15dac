import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Barrier, Timer

import pytest
from fakes import HashEmbedder
from shelves import RECIPE, new_library, put, waiting

from ingest.errors import LibraryError, ModelError
from ingest.home import Home
from ingest.library import Library, schema
from ingest.library.database import KEPT
from ingest.library.jobs import NewJob
from ingest.library.schema import earlier
from ingest.records import JobKind, JobState, Place


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


def test_a_document_is_seen_only_when_it_is_published(library):
    document = put(library, "one", "two")
    library.begin(document, RECIPE, library.document_chunks(document.id))

    assert library.documents() == []
    assert library.chunks_at([Place(document.id, 0)], ["documents"]) == {}
    assert list(library.vectors(HashEmbedder.name, ["documents"])) == []


def test_what_was_begun_can_be_taken_up_again(library):
    document = put(library, "one", "two", "three")
    chunks = library.document_chunks(document.id)
    library.begin(document, RECIPE, chunks)
    library.add_vectors(document.id, "e", 0, HashEmbedder().embed(["one", "two"]))

    assert library.hidden(document.id, RECIPE) is not None
    assert library.hidden(document.id, "another recipe") is None
    assert library.embedded(document.id, "e") == 2


def test_the_new_contents_of_a_name_replace_the_old_and_its_original_goes(library):
    old = put(library, "old text", name="plan.pdf", content="1" * 64)

    new = put(library, "new text", name="plan.pdf", content="2" * 64)

    assert [document.id for document in library.documents()] == [new.id]
    assert library.document_chunks(old.id) == []
    assert [file.name for file in library.home.originals.iterdir()] == [new.content]


def test_a_document_with_two_names_outlives_one_of_them(library):
    first = put(library, "text", name="a.pdf", content="1" * 64)
    library.rename(first.id, "documents", "b.pdf", size=10, mtime_ns=1)

    put(library, "other", name="a.pdf", content="2" * 64)

    assert {document.path for document in library.documents()} == {"a.pdf"}
    assert library.named("documents", "b.pdf")[0].id == first.id


def test_removing_a_document_takes_passages_vectors_and_original(library):
    document = put(library, "one", "two")

    removed = library.remove(document.id)

    assert removed == document
    assert library.counts(["documents"]).chunks == 0
    assert library.embedded(document.id, HashEmbedder.name) == 0
    assert list(library.home.originals.iterdir()) == []
    assert library.remove(document.id) is None


def test_the_same_contents_in_two_spaces_are_two_documents_with_one_original(library):
    one = put(library, "text", space="a", content="1" * 64)
    two = put(library, "text", space="b", content="1" * 64)

    library.remove(one.id)

    assert [document.id for document in library.documents()] == [two.id]
    assert library.original(two).is_file()


def test_passages_of_another_space_are_not_found(library):
    document = put(library, "secret", space="board")

    assert library.chunks([f"{document.id}-0"], ["documents"]) == {}
    assert library.chunks_at([Place(document.id, 0)], ["documents"]) == {}
    assert list(library.vectors(HashEmbedder.name, ["documents"])) == []
    assert len(library.chunks([f"{document.id}-0"], ["board"])) == 1


def test_seq_rises_with_each_document_made_visible(library):
    put(library, "one", name="a.pdf")
    put(library, "two", name="b.pdf")

    assert [seq for _, seq in library.visible()] == [1, 2]
    assert [document.path for document, _ in library.visible(after=1)] == ["b.pdf"]
    assert library.seq() == 2


def test_vectors_come_back_as_they_were_stored(library):
    document = put(library, "red", "green", "blue")

    found = library.vectors_at([Place(document.id, 2), Place(document.id, 9)], HashEmbedder.name)

    assert list(found) == [Place(document.id, 2)]
    assert found[Place(document.id, 2)].tolist() == HashEmbedder().embed(["blue"])[0].tolist()


def test_a_document_begun_that_no_job_goes_on_with_is_swept_away(library):
    document = put(library, "one", "two")
    chunks = library.document_chunks(document.id)
    library.begin(document, RECIPE, chunks)

    library.sweep()

    assert library.document_chunks(document.id) == []
    assert list(library.home.originals.iterdir()) == []


def test_originals_that_a_waiting_job_needs_are_kept(library):
    file = library.home.incoming / "x"
    file.write_bytes(b"new")
    library.accept(file, waiting("documents", "new.pdf", "f" * 64))
    (library.home.originals / ("e" * 64)).write_bytes(b"stray")

    library.sweep()

    assert [found.name for found in library.home.originals.iterdir()] == ["f" * 64]


def test_a_sweep_after_one_file_looks_at_its_original_alone_once_all_were_looked_at(library):
    (library.home.originals / ("d" * 64)).write_bytes(b"of a crash before the start")
    kept = put(library, "one")
    assert [found.name for found in library.home.originals.iterdir()] == [kept.content]
    for stray in "ef":
        (library.home.originals / (stray * 64)).write_bytes(b"stray")

    library.sweep(["e" * 64, kept.content])

    assert {found.name for found in library.home.originals.iterdir()} == {kept.content, "f" * 64}


def test_spaces_are_those_with_a_visible_document(library):
    assert library.spaces() == []
    for name, space in (("a.pdf", "law"), ("b.pdf", "b"), ("c.pdf", "law"), ("d.pdf", "a space")):
        document = put(library, "one", name=name, space=space)
    library.remove(document.id)

    assert library.spaces() == ["b", "law"]


def test_a_job_can_be_cancelled_until_it_is_finished(library):
    job = library.jobs.add(waiting("documents", "a.pdf", "f" * 64))

    assert library.jobs.cancel(job.id)
    assert library.jobs.cancelled(job.id)
    library.jobs.update(job.id, state=JobState.READY)
    assert not library.jobs.cancel(job.id)


def test_a_library_keeps_to_the_embedder_that_made_its_vectors(library):
    library.claim_embedder("one:1")
    library.claim_embedder("one:1")

    with pytest.raises(ModelError, match=r"embedded with one:1, and RAG_EMBEDDER now names two:2"):
        library.claim_embedder("two:2")


def test_a_newer_schema_is_refused_politely(library):
    library.counts([])
    with sqlite3.connect(library.home.library_db) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(LibraryError, match="made by a newer version"):
        Library(library.home).spaces()


def made_by_version_1(library):
    """Turn a home's library into one that the first version left."""
    library.close()
    connection = sqlite3.connect(library.home.library_db)
    connection.execute("ALTER TABLE jobs DROP COLUMN kind")
    connection.execute("ALTER TABLE documents DROP COLUMN health")
    connection.execute("DROP INDEX documents_by_state")
    connection.execute("CREATE INDEX documents_by_seq ON documents(state, seq)")
    connection.execute("INSERT INTO facts VALUES('words:00000001-abc', '7')")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()


def test_who_is_refused_at_once_by_sqlite_opens_a_new_database_all_the_same(tmp_path):
    path = tmp_path / "library.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as first,
        closing(sqlite3.connect(path, timeout=0)) as second,
    ):
        first.executescript("BEGIN IMMEDIATE; CREATE TABLE one(x);")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.execute("PRAGMA journal_mode=WAL")
        Timer(0.2, first.execute, ["COMMIT"]).start()

        schema.use_wal(second)

        assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_that_others_hold_for_good_is_said_to_be_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "WAIT_S", 0.1)
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as first:
        first.executescript("BEGIN IMMEDIATE; CREATE TABLE one(x);")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            schema.connect(path)


def test_many_who_open_a_new_database_at_the_same_moment_all_can(tmp_path):
    for attempt in range(20):
        path, together = tmp_path / f"{attempt}.db", Barrier(4)

        def opened(path=path, together=together):
            together.wait()
            with closing(schema.connect(path)) as connection:
                return connection.execute("SELECT count(*) FROM documents").fetchone()[0]

        with ThreadPoolExecutor(4) as pool:
            assert [task.result() for task in [pool.submit(opened) for _ in range(4)]] == [0] * 4


def test_an_older_schema_is_migrated_after_a_copy_was_made(library):
    document = put(library, "one", "two")
    made_by_version_1(library)

    migrated = Library(library.home)

    assert migrated.documents() == [document]
    assert migrated.jobs.add(waiting("documents", "a.pdf", "f" * 64)).kind == JobKind.FILE
    assert migrated.fact("words:00000001-abc") is None
    copy = sqlite3.connect(earlier(library.home.library_db, 1))
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT count(*) FROM chunks").fetchone() == (2,)
    copy.close()


def indexes(library):
    with library.database.reading() as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}


def test_a_migrated_database_has_the_indexes_of_a_new_one(library):
    put(library, "one")
    new = indexes(library)
    made_by_version_1(library)

    assert "documents_by_state" in new
    assert indexes(Library(library.home)) == new


def test_what_is_counted_for_every_question_reads_one_index(library, monkeypatch):
    put(library, "one")
    asked, rows = [], library.database.rows
    monkeypatch.setattr(library.database, "rows", lambda *words: asked.append(words) or rows(*words))
    library.counts(["documents"])
    library.passages_up_to(9)

    plans = [rows(f"EXPLAIN QUERY PLAN {statement}", values) for statement, values in asked]

    assert len(plans) == 2
    told = [[str(row["detail"]) for row in plan] for plan in plans]
    assert all(len(plan) == 1 and "COVERING INDEX documents_by_state" in plan[0] for plan in told), told


def test_a_migration_that_fails_leaves_the_database_as_it_was(library, monkeypatch):
    put(library, "one", "two")
    made_by_version_1(library)
    monkeypatch.setitem(schema.MIGRATIONS, 1, schema.MIGRATIONS[1] + "DELETE FROM nowhere;")

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Library(library.home).spaces()

    monkeypatch.undo()
    assert len(Library(library.home).documents()) == 1


def test_the_tables_are_where_all_migrations_lead():
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.VERSION))


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(LibraryError, match="Set RAG_HOME to a folder on a local disk"):
        Home(tmp_path / "file" / "home").prepare()


def test_the_jobs_of_a_few_spaces_are_not_hidden_by_the_many_of_others(library):
    own = library.jobs.add(NewJob(space="own", path="own.pdf"))
    done = library.jobs.add(NewJob(space="own", path="done.pdf", state=JobState.READY))
    for number in range(5):
        library.jobs.add(NewJob(space="theirs", path=f"{number}.pdf"))
        library.jobs.add(NewJob(space="theirs", path=f"{number}.txt", state=JobState.REFUSED))

    assert [job.id for job in library.jobs.under_way(3, ["own"])] == [own.id]
    assert [job.id for job in library.jobs.ended(3, ["own", "third"])] == [done.id]
    assert {job.space for job in library.jobs.ended(3)} == {"theirs"}
    assert [library.jobs.count_under_way(spaces) for spaces in (["own"], [], None)] == [1, 0, 6]


def opened(path):
    """How often this process has a file open."""
    targets = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile, as the one that lists them is
            targets.append(link.readlink())
    return targets.count(path)


def test_however_many_threads_read_at_once_only_a_few_connections_stay_open(library):
    together = Barrier(16)

    def read():
        with library.database.reading() as connection:
            together.wait(30)
            assert connection.execute("SELECT count(*) FROM documents").fetchone()[0] == 0
            together.wait(30)  # until all have seen all others reading
        together.wait(30)  # the threads themselves go on
        return library.spaces()

    journal = library.home.library_db.with_name("library.db-wal")
    for _ in range(2):
        with ThreadPoolExecutor(16) as threads:
            assert [found.result() for found in [threads.submit(read) for _ in range(16)]] == [[]] * 16
            assert 1 <= opened(journal) <= KEPT
    # SQLite keeps the handle of a database it holds a lock on, and uses it again: closing it would drop the lock.
    assert opened(library.home.library_db) <= 16
    library.close()
    assert opened(library.home.library_db) == 0
    assert library.spaces() == []


def test_what_a_transaction_has_written_is_read_within_it_and_by_nobody_else(library):
    with ThreadPoolExecutor(1) as elsewhere, library.database.writing():
        library.database.row("INSERT INTO facts VALUES('key', 'new')")

        assert library.fact("key") == "new"
        assert elsewhere.submit(library.fact, "key").result() is None
    assert library.fact("key") == "new"


def test_a_connection_that_is_left_within_a_transaction_is_not_used_again(library):
    with library.database.reading() as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO facts VALUES('key', 'half')")

    assert library.fact("key") is None
    library.remember(key="whole")
    assert library.fact("key") == "whole"

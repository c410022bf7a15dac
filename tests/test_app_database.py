import sqlite3
from contextlib import closing

import pytest

from ingest.errors import LibraryError
from ingest.library import schema
from ingest.library.schema import earlier
from rag_app import app_database
from rag_app.app_database import VERSIONS, AppDatabase, drop_copies

MOMENT = "2026-11-03T09:12:00.000000+00:00"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.db"


def of_version_1(path):
    with closing(sqlite3.connect(path)) as old:
        old.executescript(VERSIONS[0])
        old.execute("INSERT INTO conversation VALUES ('c', 'dana', ?, ?)", (MOMENT, MOMENT))
        old.execute("PRAGMA user_version=1")
        old.commit()


def test_an_older_file_is_migrated_after_a_copy_was_made(path):
    of_version_1(path)

    with closing(AppDatabase(path)) as database:
        assert database.rows("PRAGMA user_version") == [(len(VERSIONS),)]
        assert database.rows("SELECT id, name FROM conversation") == [("c", "")]

    with closing(sqlite3.connect(earlier(path, 1))) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT * FROM conversation").fetchall() == [("c", "dana", MOMENT, MOMENT)]


def test_a_new_file_and_one_of_this_version_need_no_copy(path):
    AppDatabase(path).close()
    AppDatabase(path).close()

    assert [file.name for file in path.parent.iterdir() if "schema" in file.name] == []


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    of_version_1(path)
    monkeypatch.setattr(app_database, "VERSIONS", (*VERSIONS, "DELETE FROM nowhere;"))

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        AppDatabase(path)

    with closing(sqlite3.connect(path)) as left:
        assert left.execute("PRAGMA user_version").fetchone() == (1,)
        assert left.execute("SELECT * FROM conversation").fetchall() == [("c", "dana", MOMENT, MOMENT)]


def test_a_file_that_cannot_be_copied_is_not_migrated(path, monkeypatch):
    of_version_1(path)
    monkeypatch.setattr(schema, "earlier", lambda path, version: path.parent / "no such folder" / "copy")

    with pytest.raises(LibraryError, match=r"could not be copied before its migration.*Make room"):
        AppDatabase(path)

    with closing(sqlite3.connect(path)) as left:
        assert left.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_full_disk_is_told_as_such_and_keeps_what_was_there(path):
    with closing(AppDatabase(path)) as database:
        with database.writing() as connection:
            connection.execute("INSERT INTO conversation VALUES ('c', 'dana', ?, ?, '')", (MOMENT, MOMENT))
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        database.rows(f"PRAGMA max_page_count={pages}")

        with pytest.raises(sqlite3.OperationalError, match="full"), database.writing() as connection:
            connection.execute("INSERT INTO conversation VALUES ('d', 'dana', ?, ?, ?)", (MOMENT, MOMENT, "x" * 90_000))

        assert database.rows("SELECT id FROM conversation") == [("c",)]
        with database.writing() as connection:
            connection.execute("DELETE FROM conversation")
        assert database.rows("SELECT id FROM conversation") == []


def test_a_damaged_file_says_what_to_do(path):
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(LibraryError, match=r"is damaged \(file is not a database\).*rag restore FILE"):
        AppDatabase(path)


def test_copies_of_migrations_can_be_dropped(path):
    of_version_1(path)
    AppDatabase(path).close()

    drop_copies(path)

    assert not earlier(path, 1).exists()

import hashlib
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import threading
from contextlib import closing

import pytest
from fakes import HashEmbedder
from shelves import new_library, put

from ingest import backup
from ingest.errors import HomeBusy, LibraryError
from ingest.home import Home, OwnerLock
from ingest.index.generation import Index
from ingest.library import Library
from rag_app.app_database import VERSIONS, AppDatabase
from rag_app.conversations import Conversations

FLIPS = 300
SCHEMAS = {"app.db": len(VERSIONS)}


@pytest.fixture
def library(tmp_path):
    made = new_library(tmp_path)
    made.claim_embedder(HashEmbedder.name)
    for name in ("a.pdf", "b.pdf"):
        put(made, f"alpha {name}", f"beta {name}", name=name, content=_content(name))
    with closing(AppDatabase(made.home.app_db)) as database:
        conversations = Conversations(database)
        conversations.add(conversations.begin("b" * 32), "How long?")
    (made.home.folder / "cookie.key").write_bytes(b"key")
    (made.home.index / "00000002-abc").mkdir()
    (made.home.index / "00000002-abc" / "chroma.sqlite3").write_bytes(b"index")
    (made.home.incoming / "half").write_bytes(b"half a file")
    yield made
    made.close()


def _content(name):
    return hashlib.sha256(b"original of " + name.encode()).hexdigest()


@pytest.fixture
def file(library, tmp_path):
    path = tmp_path / "home.backup"
    backup.write(library.home, path)
    return path


def empty(tmp_path):
    return Home(tmp_path / "other")


def test_what_waits_to_be_imported_or_sent_is_in_no_backup(library, tmp_path):
    for folder in ("import", "uploads"):
        (library.home.folder / folder).mkdir()
        (library.home.folder / folder / "manual.pdf").write_bytes(b"not in the library")
    backup.write(library.home, tmp_path / "home.backup")

    backup.restore(empty(tmp_path), tmp_path / "home.backup", SCHEMAS)

    assert list(empty(tmp_path).folder.rglob("manual.pdf")) == []


def test_a_backup_comes_back_as_it_was(library, file, tmp_path):
    made = backup.restore(empty(tmp_path), file, SCHEMAS)

    other = Library(empty(tmp_path).prepare())
    assert (made.documents, made.passages, made.harmed) == (2, 4, ())
    assert other.documents() == library.documents()
    assert all(
        other.document_chunks(document.id) == library.document_chunks(document.id) for document in other.documents()
    )
    assert all(other.original(one).read_bytes() == library.original(one).read_bytes() for one in other.documents())
    assert other.findings() == []
    assert (other.home.folder / "cookie.key").read_bytes() == b"key"
    with closing(AppDatabase(other.home.app_db)) as database:
        assert Conversations(database).current("b" * 32)
    found = Index(other, HashEmbedder.name).dense(HashEmbedder().embed_question("beta a.pdf"), ["documents"], 1)
    assert found[0][1] == pytest.approx(1, abs=1e-4)


def test_neither_index_nor_what_is_passing_is_in_a_backup(library, file):
    library.remember(generation="named", words="known")
    with tarfile.open(file) as archive:
        names = archive.getnames()

    assert names[0] == "manifest.json"
    assert sorted(names[1:]) == sorted(
        ["app.db", "library.db", "cookie.key", f"originals/{_content('a.pdf')}", f"originals/{_content('b.pdf')}"]
    )


def test_a_restored_library_names_no_generation(library, tmp_path):
    library.remember(generation="named", words="known")
    backup.write(library.home, tmp_path / "home.backup")

    backup.restore(empty(tmp_path), tmp_path / "home.backup", SCHEMAS)

    assert Library(empty(tmp_path)).fact("generation") is None
    assert library.fact("generation") == "named"


@pytest.mark.slow
def test_every_flipped_bit_is_found(file):
    content, dice = bytearray(file.read_bytes()), random.Random(0)
    ends = [*range(64), *range(len(content) - 100, len(content))]
    places = [*ends, *(dice.randrange(len(content)) for _ in range(FLIPS))]
    missed = []
    for place in places:
        bit = 1 << dice.randrange(8)
        content[place] ^= bit
        file.write_bytes(content)
        try:
            backup.check(file)
            missed.append(place)
        except LibraryError:
            pass
        content[place] ^= bit

    assert missed == []


@pytest.mark.parametrize("kept", [0, 1, 500, 20_000, -1])
def test_a_backup_that_is_cut_short_is_refused(file, tmp_path, kept):
    file.write_bytes(file.read_bytes()[:kept])

    with pytest.raises(LibraryError, match=r"no backup of this program|cut short"):
        backup.restore(empty(tmp_path), file, SCHEMAS)

    assert not empty(tmp_path).folder.exists()


def test_a_damaged_original_in_a_backup_is_named(file):
    content = file.read_bytes()
    file.write_bytes(content.replace(b"original of a.pdf", b"original of x.pdf"))

    with pytest.raises(LibraryError, match=rf"is damaged in originals/{_content('a.pdf')}: its checksum differs"):
        backup.check(file)


def test_a_home_that_holds_something_is_not_overwritten(library, file):
    with pytest.raises(LibraryError, match=r"is not empty\. Set RAG_HOME to a new folder"):
        backup.restore(library.home, file, SCHEMAS)

    assert len(library.documents()) == 2


def test_a_home_in_which_nothing_was_added_yet_is_empty(file, tmp_path):
    Library(empty(tmp_path).prepare()).documents()

    assert backup.restore(empty(tmp_path), file, SCHEMAS).documents == 2


@pytest.mark.slow
def test_a_home_that_is_being_served_is_not_restored_into(file, tmp_path):
    with OwnerLock(empty(tmp_path).prepare()).acquire(), pytest.raises(HomeBusy):
        backup.restore(empty(tmp_path), file, SCHEMAS)


def test_a_restore_that_was_cut_short_is_known_and_can_be_done_again(library, file, tmp_path, monkeypatch):
    def cut(home):
        (home.restoring / f"originals/{_content('a.pdf')}").replace(home.folder / "stray")
        raise KeyboardInterrupt

    home = empty(tmp_path)
    monkeypatch.setattr(backup, "_move_in", cut)
    with pytest.raises(KeyboardInterrupt):
        backup.restore(home, file, SCHEMAS)
    monkeypatch.undo()

    with pytest.raises(LibraryError, match="do it once more with `rag restore FILE`"):
        home.prepare()
    backup.restore(home, file, SCHEMAS)
    assert Library(home.prepare()).findings() == []


@pytest.mark.parametrize("name", ["library.db", "app.db"])
def test_a_backup_of_a_newer_schema_is_refused_politely(library, file, tmp_path, name):
    library.close()
    with sqlite3.connect(library.home.folder / name) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    backup.write(library.home, tmp_path / "newer.backup")

    with pytest.raises(LibraryError, match=rf"made by a newer version of this program \({name} has schema 99"):
        backup.restore(empty(tmp_path), tmp_path / "newer.backup", SCHEMAS)

    assert not (empty(tmp_path).folder / "library.db").exists()
    assert not empty(tmp_path).restoring.exists()


def test_a_member_that_would_leave_the_home_is_refused(tmp_path):

    file = tmp_path / "evil.backup"
    evil = b"evil"
    manifest = json.dumps({
        "format": 1, "made": "", "documents": 0, "passages": 0, "harmed": [],
        "files": {"../evil": {"size": 4, "sha256": hashlib.sha256(evil).hexdigest()}},
    }).encode()  # fmt: skip
    with tarfile.open(file, "w") as archive:
        for name, content in (("manifest.json", manifest), ("../evil", evil)):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    whole = file.read_bytes()
    file.write_bytes(whole + f"\nrag backup sha256 {hashlib.sha256(whole).hexdigest()}\n".encode())

    with pytest.raises(LibraryError, match=r"'../evil', which does not belong into a backup"):
        backup.restore(empty(tmp_path), file, SCHEMAS)

    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_an_original_that_was_harmed_before_is_told(library, tmp_path, harm):
    original = library.original(library.documents()[0])
    original.unlink() if harm == "missing" else original.write_bytes(b"other")

    made = backup.write(library.home, tmp_path / "home.backup")

    assert made.harmed == (f"originals/{original.name}",)
    assert made.documents == 2


@pytest.mark.slow
def test_a_backup_while_documents_come_and_go_is_whole(library, tmp_path):
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{number % 5}.pdf"
            document = put(library, f"gamma {number}", name=name, content=_content(name))
            library.remove(document.id)
        library.close()

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        made = [backup.write(library.home, tmp_path / f"{number}.backup") for number in range(5)]
    finally:
        stop.set()
        worker.join()

    assert [one.harmed for one in made] == [()] * 5
    backup.restore(empty(tmp_path), tmp_path / "4.backup", SCHEMAS)
    assert {one.fault for one in Library(empty(tmp_path).prepare()).findings()} <= {"orphans"}


def test_no_backup_is_written_over_or_into_the_home(library, file):
    with pytest.raises(LibraryError, match="exists already"):
        backup.write(library.home, file)
    with pytest.raises(LibraryError, match="lies inside"):
        backup.write(library.home, library.home.folder / "b.backup")


def test_no_room_is_said_with_the_figure_and_leaves_nothing(library, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "SPARE_BYTES", 1 << 60)

    with pytest.raises(LibraryError, match=r"The backup needs \d+ MB, and the disk of .* has \d+ MB left"):
        backup.write(library.home, tmp_path / "to" / "home.backup")

    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.slow
def test_the_commands_say_what_they_did(library, tmp_path):
    def rag(home, *words):
        environment = {**os.environ, "RAG_HOME": str(home)}
        return subprocess.run(
            [sys.executable, "-m", "rag_app", *words], env=environment, capture_output=True, text=True, check=False
        )

    made = rag(library.home.folder, "backup", str(tmp_path / "b"), "--json")
    looked = rag(library.home.folder, "verify", str(tmp_path / "b"))
    restored = rag(tmp_path / "new", "restore", str(tmp_path / "b"))

    assert json.loads(made.stdout)["documents"] == 2
    assert "is whole: made" in looked.stdout
    assert "2 documents, 4 passages, as they were at" in restored.stdout
    assert (made.returncode, looked.returncode, restored.returncode) == (0, 0, 0)

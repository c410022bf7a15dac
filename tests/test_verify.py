import hashlib
import json
import sqlite3
import subprocess
import sys

import pytest
from fakes import HashEmbedder
from shelves import RECIPE, new_library, put, waiting

from ingest.errors import LibraryError
from ingest.library import Library, integrity
from ingest.library.integrity import Fault


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(integrity, "AGAIN_S", 0.0)
    made = new_library(tmp_path)
    made.claim_embedder(HashEmbedder.name)
    for name in ("a.pdf", "b.pdf"):
        made_whole(made, put(made, f"one of {name}", f"two of {name}", name=name))
    return made


def made_whole(library, document):
    """Give a document the original that its content names."""
    original = library.original(document)
    real = hashlib.sha256(original.read_bytes()).hexdigest()
    original.rename(original.with_name(real))
    change(library, "UPDATE documents SET content = ? WHERE id = ?", real, document.id)


def change(library, statement, *values):
    connection = sqlite3.connect(library.home.library_db)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def faults(library):
    return [(finding.fault, finding.count) for finding in library.findings()]


def first(library):
    return library.documents()[0]


def test_a_whole_library_has_nothing_wrong(library):
    assert library.findings() == []


def test_a_flipped_bit_of_an_original_is_found_with_its_document(library):
    original = library.original(first(library))
    content = bytearray(original.read_bytes())
    content[3] ^= 1
    original.write_bytes(content)

    (finding,) = library.findings()

    assert finding.fault is Fault.MISSING
    assert finding.sentence == "The original of 'a' is not the file that was added: its checksum differs."


def test_a_missing_original_and_one_too_many_are_found(library):
    original = library.original(first(library))
    original.rename(original.with_name("e" * 64))

    assert faults(library) == [(Fault.MISSING, 1), (Fault.ORPHANS, 1)]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM chunks WHERE rowid = (SELECT min(rowid) FROM chunks)", [(Fault.MISSING, 1)]),
        ("UPDATE chunks SET text = ' ' WHERE position = 1", [(Fault.MISSING, 1), (Fault.MISSING, 1)]),
        (
            "INSERT INTO chunks SELECT id || 1, document_id, 2, 1, 1, 1, '', '', text, 0, 1 FROM chunks WHERE position",
            [(Fault.DOUBLED, 1), (Fault.DOUBLED, 1)],
        ),
        ("DELETE FROM vectors WHERE rowid = (SELECT min(rowid) FROM vectors)", [(Fault.MISSING, 2)]),
        (
            "INSERT INTO vectors SELECT document_id, embedder, 1, 1, substr(data, 1, 1536) FROM vectors LIMIT 1",
            [(Fault.DOUBLED, 1)],
        ),
        (
            "UPDATE vectors SET data = zeroblob(length(data)) WHERE rowid = (SELECT min(rowid) FROM vectors)",
            [(Fault.MISSING, 2)],
        ),
        (
            "UPDATE vectors SET data = substr(data, 5) WHERE rowid = (SELECT min(rowid) FROM vectors)",
            [(Fault.MISSING, 2)],
        ),
        ("UPDATE names SET document_id = 'nobody' WHERE path = 'a.pdf'", [(Fault.ORPHANS, 1), (Fault.ORPHANS, 1)]),
        ("UPDATE documents SET state = 'hidden', seq = 0 WHERE title = 'a'", [(Fault.ORPHANS, 1)]),
    ],
)
def test_every_kind_of_harm_to_the_rows_is_found(library, statement, found):
    change(library, statement)

    assert faults(library) == found


def test_what_a_job_is_at_work_on_is_no_orphan(library):
    document = first(library)
    chunks = library.document_chunks(document.id)
    library.jobs.add(waiting("documents", "a.pdf", document.content))
    library.begin(document, RECIPE, chunks)

    assert library.findings() == []


def test_what_is_over_at_the_second_look_is_not_wrong(library, monkeypatch):
    stray = library.home.originals / ("f" * 64)
    stray.write_bytes(b"just arriving")
    monkeypatch.setattr(integrity.time, "sleep", lambda _: stray.unlink())

    assert library.findings() == []


def test_a_damaged_database_is_found_and_says_what_to_do(library):
    change(library, "PRAGMA wal_checkpoint(TRUNCATE)")
    library.close()
    content = bytearray(library.home.library_db.read_bytes())
    for page in range(4096, len(content) - 4096, 4096):
        content[page : page + 64] = b"\xff" * 64
    library.home.library_db.write_bytes(content)

    (finding,) = Library(library.home).findings()

    assert finding.fault is Fault.DATABASE
    assert "rag restore" in finding.advice


def test_a_file_that_is_no_database_says_what_to_do(library):
    library.close()
    for path in library.home.folder.glob("library.db*"):
        path.write_bytes(b"not a database at all" * 400)

    with pytest.raises(LibraryError, match=r"library.db is damaged .* `rag restore FILE`"):
        Library(library.home).spaces()


def verify(home, *words):
    command = [sys.executable, "-m", "rag_app", "verify", *words]
    return subprocess.run(command, env={"RAG_HOME": str(home), "PATH": ""}, capture_output=True, text=True, check=False)


def test_the_command_gives_what_the_contract_promises(library):
    told = verify(library.home.folder, "--json")

    report = json.loads(told.stdout)
    assert told.returncode == 0, told
    assert {name: report[name] for name in ("documents", "chunks", "doubled", "missing", "orphans")} == {
        "documents": 2, "chunks": 4, "doubled": 0, "missing": 0, "orphans": 0
    }  # fmt: skip
    assert report["index"]["state"] == "none"
    assert report["ok"] is True


@pytest.mark.slow
def test_the_command_names_what_is_wrong_and_what_to_do(library):
    library.original(first(library)).unlink()

    told = verify(library.home.folder)

    assert told.returncode == 1
    assert "The original of 'a' is missing. Remove the document with `rag documents remove ID`" in told.stdout

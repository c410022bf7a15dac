import time

import pytest
from shelves import Shelf

from ingest.errors import Refused
from ingest.records import JobState
from rag_app.commands.office import IMPORT, Imports

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture
def imports(shelf):
    return Imports(shelf.library, shelf.intake, "documents")


@pytest.fixture
def folder(shelf):
    folder = shelf.library.home.folder / IMPORT / "manuals"
    folder.mkdir(parents=True)
    shelf.pdf("The notice period is three months.", name="notice.pdf").rename(folder / "notice.pdf")
    return folder


def jobs(shelf, count):
    until = time.monotonic() + 20
    while len(shelf.library.jobs.latest()) < count and time.monotonic() < until:
        time.sleep(0.01)
    return shelf.library.jobs.latest()


def test_without_the_folder_nothing_may_be_imported(imports, shelf):
    with pytest.raises(Refused, match="make the folder"):
        imports.folders()
    with pytest.raises(Refused, match="make the folder"):
        imports.import_folder("")


def test_folders_are_listed_with_their_files(imports, folder):
    (folder / "deeper").mkdir()
    (folder / "deeper" / "more.pdf").write_bytes(b"%PDF-")
    (folder.parent / ".hidden").mkdir()

    assert [(one.name, one.files) for one in imports.folders()] == [("", 2), ("manuals", 2)]


def test_a_folder_is_taken_in(imports, shelf, folder):
    assert imports.import_folder("manuals") == 1

    assert [job.path for job in jobs(shelf, 1)] == [str(folder / "notice.pdf")]
    shelf.worker.work_off()
    assert [job.state for job in shelf.library.jobs.latest()] == [JobState.READY]


@pytest.mark.parametrize(
    "name", ["..", "../..", "/etc", "manuals/../../originals", "nothing", "manuals/notice.pdf", "a\0b"]
)
def test_every_other_folder_is_refused(imports, shelf, folder, name):
    with pytest.raises(Refused, match="may be imported"):
        imports.import_folder(name)

    assert shelf.library.jobs.latest() == []


def test_links_that_lead_out_are_not_followed(imports, shelf, folder, tmp_path):
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    shelf.pdf("Secret.", name="secret.pdf").rename(secret / "secret.pdf")
    (folder.parent / "out").symlink_to(secret)
    (folder / "secret.pdf").symlink_to(secret / "secret.pdf")

    assert [(one.name, one.files) for one in imports.folders()] == [("", 1), ("manuals", 1)]
    with pytest.raises(Refused, match="may be imported"):
        imports.import_folder("out")
    assert imports.import_folder("manuals") == 1


def test_the_folder_itself_may_be_a_link(imports, shelf, tmp_path):
    manuals = tmp_path / "manuals"
    manuals.mkdir()
    shelf.pdf("The notice period is three months.", name="notice.pdf").rename(manuals / "notice.pdf")
    (shelf.library.home.folder / IMPORT).symlink_to(manuals)

    assert imports.import_folder("") == 1
    assert jobs(shelf, 1)[0].path == str(manuals / "notice.pdf")


def test_an_imported_file_can_be_tried_again_and_a_sent_one_only_by_its_sender(imports, shelf, folder):
    (folder / "bad.pdf").write_bytes(b"\0\1\2 no PDF at all")
    imports.import_folder("manuals")
    bad = next(job for job in jobs(shelf, 2) if job.path.endswith("bad.pdf"))
    sent = shelf.folder / "sent.pdf"
    sent.write_bytes(b"neither")
    upload = shelf.intake.add_upload(sent, "documents", "sent.pdf", replace=None)
    shelf.worker.work_off()

    assert imports.retry(bad.id)
    assert [job.path for job in shelf.library.jobs.latest()].count(bad.path) == 2
    assert not imports.retry(upload.id)
    assert not imports.retry(10**6)
    (folder / "bad.pdf").unlink()
    assert not imports.retry(bad.id)


def test_the_file_being_worked_on_is_listed_first_however_many_wait(shelf):
    done = shelf.intake.add(shelf.pdf("Done.", name="done.pdf"), "documents")
    shelf.worker.work_off()
    added = [shelf.intake.add(shelf.pdf(f"Number {n}.", name=f"{n}.pdf"), "documents") for n in range(5)]

    jobs = shelf.library.jobs

    assert [job.id for job in jobs.under_way(3)] == [job.id for job in added[:3]]
    assert jobs.count_under_way() == 5
    assert [job.id for job in jobs.ended(3)] == [done.id]


def test_a_changed_library_has_another_fingerprint(shelf):
    before = shelf.library.fingerprint()
    shelf.intake.add(shelf.pdf("The notice period is three months."), "documents")
    shelf.worker.work_off()
    held = shelf.library.fingerprint()
    shelf.library.remove(shelf.library.documents()[0].id)

    assert before != held
    assert held != shelf.library.fingerprint()

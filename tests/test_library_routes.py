from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from starlette.testclient import TestClient

from ingest.errors import Refused
from rag_app.web.office import Folder, Office
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"


class Folders:
    """The folder `manuals` of a server; job 7 can be taken in again."""

    def __init__(self):
        self.imported, self.retried = [], []

    def office(self):
        return Office(folders=lambda: [Folder("manuals", 3)], import_folder=self.take_in, retry=self.again)

    def take_in(self, name):
        if name != "manuals":
            raise Refused("Only folders in /srv/import may be imported.")
        self.imported.append(name)
        return 3

    def again(self, job):
        self.retried.append(job)
        return job == 7


@pytest.fixture(scope="module")
def folders():
    return Folders()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    return ScriptedDesk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def served(folders, scripted, tmp_path_factory):
    app = create_app(scripted.desk(), folders.office(), home=tmp_path_factory.mktemp("home"), secret=b"known")
    with TestClient(app, base_url=HERE) as client:
        yield client


@pytest.fixture
def client(served, scripted):
    scripted.reset((HANDBOOK, OWN))
    return served


def message(response):
    return response.json()["error"]["message"]


def test_folders_are_shown_and_imported(client, folders):
    assert "manuals" in client.get("/imports").text

    response = client.post("/imports", json={"folder": "manuals"})

    assert (response.status_code, response.json()) == (202, {"files": 3})
    assert folders.imported == ["manuals"]


def test_any_other_folder_gets_a_sentence(client):
    response = client.post("/imports", json={"folder": "../../etc"})

    assert response.status_code == 422
    assert message(response) == "Only folders in /srv/import may be imported."


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"folder": 3}', b'{"name": "x"}', b"\xff", b'"folder"', b"[" * 9000, b" " * 99_000]
)
def test_a_request_that_names_no_folder_is_refused(client, body):
    assert client.post("/imports", content=body).status_code == 400


def test_another_site_cannot_import(client, folders):
    before = list(folders.imported)

    response = client.post("/imports", json={"folder": "manuals"}, headers={"origin": "https://evil.example"})

    assert response.status_code == 403
    assert folders.imported == before


def test_a_job_is_tried_again_where_its_file_is_at_hand(client, folders):
    assert client.post("/jobs/7/retry").status_code == 202
    gone = client.post("/jobs/8/retry")

    assert gone.status_code == 410
    assert message(gone) == "This file is no longer at hand. Choose it again."
    assert folders.retried == [7, 8]
    assert client.post("/jobs/x/retry").status_code == 404


def test_what_was_not_read_is_listed(client):
    assert "Pages that could not be read (2)" in client.get(f"/documents/{OWN.id}/health").text
    assert client.get(f"/documents/{'9' * 32}/health").status_code == 404


def test_deleting_gives_a_receipt(client, scripted):
    told = client.delete(f"/documents/{OWN.id}").json()

    assert told["sentence"] == "Handbook.pdf is deleted: the original, 212 passages, 212 vectors. No search finds it."
    assert told["receipt"]["original_deleted"] is True
    assert (told["receipt"]["document_id"], told["receipt"]["sha256"]) == (OWN.id, OWN.content)
    assert scripted.shelf == [HANDBOOK]


def test_a_receipt_says_where_the_same_contents_stay(client, scripted):
    scripted.reset((OWN, replace(OWN, id="f" * 32, space="staff")))

    told = client.delete(f"/documents/{OWN.id}").json()

    assert told["sentence"].endswith("The original stays: 1 other document in another space has the same contents.")
    assert told["receipt"]["original_deleted"] is False


def test_without_an_office_nothing_may_be_imported(scripted, tmp_path):
    client = TestClient(create_app(scripted.desk(), home=tmp_path, secret=b"known"), base_url=HERE)

    assert message(client.post("/imports", json={"folder": ""})).startswith("No folder of this server was opened")


def test_a_locked_server_asks_for_its_password_first(scripted, folders, tmp_path):
    app = create_app(scripted.desk(), folders.office(), home=tmp_path, secret=b"known", password="open sesame")
    client = TestClient(app, base_url=HERE, follow_redirects=False)

    for address in ("/imports", f"/documents/{OWN.id}/health"):
        assert client.get(address).status_code == 401
    assert client.post("/imports", json={"folder": "manuals"}).status_code == 401
    assert client.post("/jobs/7/retry").status_code == 401
    assert client.get("/settings", headers={"accept": "text/html"}).headers["location"] == "/login?next=%2Fsettings"

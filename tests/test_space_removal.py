import io
import json
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from fakes import HashEmbedder
from shelves import Shelf, new_library, put

from ingest import emptying
from ingest.errors import LibraryError
from ingest.home import OwnerLock
from ingest.library.jobs import NewJob
from ingest.records import JobState
from rag_app import space_removal
from rag_app.__main__ import main
from rag_app.access import Role, Who, may
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.records import Answer, Stage
from rag_app.team import leaving
from rag_app.team.approved import Approved, Draft
from rag_app.team.audit import Audit
from rag_app.team.inbox import Inbox
from rag_app.team.keys import Keys
from rag_app.team.people import Roster, TeamError

WAITING = {"content": "a" * 64, "path": "new.pdf"}


@pytest.fixture
def library(tmp_path):
    made = new_library(tmp_path)
    yield made
    made.close()


@pytest.fixture
def database(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as opened:
        yield opened


@pytest.fixture
def rag(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))

    def run(*words):
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_an_empty_space_goes_at_once_and_the_log_says_so(rag, tmp_path):
    rag("spaces", "add", "sales")

    code, told = rag("spaces", "remove", "sales")

    assert (code, told["removed"], told["documents"]) == (0, "sales", [])
    assert rag("spaces")[1] == {"spaces": []}
    with closing(AppDatabase(tmp_path / "home" / "app.db")) as database:
        [entry, _] = Audit(database).listed()
    assert (entry.act, entry.subject, entry.detail) == ("space removed", "sales", "nothing was in it")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("documents", "is the space of files that name none"),
        ("handbook", "belongs to the program"),
        ("nowhere", "There is no space called nowhere"),
    ],
)
def test_what_cannot_be_removed_is_refused_in_words(rag, space, said):
    code, told = rag("spaces", "remove", space, "--purge")

    assert code == 1
    assert said in told["error"]["message"]


def test_a_space_that_holds_something_stays_unless_that_may_go_too(rag, library):
    put(library, "The offer stands until May.", name="offer.pdf", space="sales")
    kept = put(library, "The offer stands until May.", name="offer.pdf", space="board")
    library.jobs.add(NewJob(space="sales", **WAITING))

    code, refused = rag("spaces", "remove", "sales")
    assert code == 1
    assert "holds 1 document and 1 file on its way" in refused["error"]["message"]
    assert "--with-documents" in refused["error"]["message"]
    assert len(library.documents(["sales"])) == 1

    code, told = rag("spaces", "remove", "sales", "--with-documents")

    assert code == 0
    assert [one["path"] for one in told["documents"]] == ["offer.pdf"]
    assert told["went"] == "1 document, 1 file on its way"
    assert library.documents() == [kept]
    assert library.original(kept).exists()
    assert library.jobs.latest() == []  # not even its name is left


def test_a_purge_of_a_space_leaves_no_word_of_several_documents(tmp_path):
    shelf = Shelf(tmp_path)
    for name, text in (("one", "The zanzibarine offer."), ("two", "Another zanzibarine price.")):
        put(shelf.library, text, name=f"{name}.pdf", space="sales")
    put(shelf.library, "The canteen opens at noon.", name="food.pdf")
    with closing(AppDatabase(shelf.library.home.app_db)) as database:
        conversations = Conversations(database)
        conversations.add(conversations.begin("b" * 32), "What is the zanzibarine price?")
    built = []

    emptied = space_removal.empty(
        shelf.library, "sales", documents=True, purge=True, build_index=lambda: built.append(len(built))
    )

    assert sorted(receipt.title for receipt in emptied.receipts) == ["one", "two"]
    assert built == [0]  # once for both
    assert [document.path for document in shelf.library.documents()] == ["food.pdf"]
    shelf.index.close()
    shelf.library.close()
    for file in (shelf.library.home.library_db, shelf.library.home.app_db):
        assert b"zanzibarine" not in file.read_bytes()


def test_files_on_their_way_are_stopped_by_whoever_owns_the_home(library):
    job = library.jobs.add(NewJob(space="sales", **WAITING))
    other = library.jobs.add(NewJob(space="board", **WAITING))

    with OwnerLock(library.home).acquire():
        with pytest.raises(LibraryError, match="asked to stop"):
            emptying.stop(library, "sales", wait_s=0.0)
        assert library.jobs.cancelled(job.id)
        owner = threading.Timer(0.3, library.jobs.update, (job.id,), {"state": JobState.CANCELLED})
        owner.start()
        assert emptying.stop(library, "sales") == 1
        owner.join()

    assert library.jobs.get(other.id).state == JobState.WAITING


def test_a_document_that_comes_in_meanwhile_keeps_the_space(library, monkeypatch):
    put(library, "The offer.", space="sales")
    remove = library.remove

    def slowly(document_id):
        put(library, "Another offer.", name="late.pdf", space="sales")
        return remove(document_id)

    monkeypatch.setattr(library, "remove", slowly)

    with pytest.raises(TeamError, match="Do this once more"):
        space_removal.empty(library, "sales", documents=True)


def test_nothing_of_a_space_is_found_in_another_of_its_name(database):
    roster, keys = Roster(database), Keys(database)
    root = roster.add("root", password="none", administrator=True)
    ann = roster.add("ann", password="none")
    for space in ("sales", "board"):
        roster.grant(ann.id, space, Role.OWNER)
    alone, alone_secret = keys.add("only sales", person=ann.id, spaces=["sales"])
    both, both_secret = keys.add("both", person=ann.id, spaces=["sales", "board"])
    who = roster.who(root.id)
    answers = [Approved(database).write(who, Draft(space, "How long?", "Three.")) for space in ("sales", "board")]

    forgotten = leaving.forget(database, "sales")

    assert forgotten == leaving.Forgotten(members=1, keys=1, revoked=1, approved=1)
    assert roster.spaces() == ["board"]
    roster.grant(root.id, "sales", Role.OWNER)  # another space of the same name
    assert not may(roster.who(ann.id), Role.READER, "sales")
    assert {key.id: (key.state, key.spaces) for key in keys.listed()} == {
        alone.id: ("revoked", ("sales",)),
        both.id: ("good", ("board",)),
    }
    assert keys.who(alone_secret) is None
    assert not may(keys.who(both_secret), Role.READER, "sales")
    assert [answer.id for answer in Approved(database).listed(who)] == [answers[1].id]


class Words:
    name = "hash:1"

    def vectors(self, asked):
        return HashEmbedder().embed([question for question, _ in asked])


def test_questions_of_a_space_that_went_are_not_shown_to_editors_of_the_next(database):
    conversations, inbox = Conversations(database), Inbox(database, Words())
    for question, spaces in (("What do bolts weigh?", ("sales",)), ("When does the canteen open?", ("sales", "board"))):
        turn = conversations.add(conversations.begin("b" * 32), question, spaces=spaces)
        answer = Answer(question, question, Stage.DONE, abstained=True, spaces=spaces)
        conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answer)))
        inbox.change(Who("b" * 32), turn.id, note="ask")

    leaving.forget(database, "sales")

    of_sales, of_board = (Who("1" * 32, roles={space: Role.EDITOR}) for space in ("sales", "board"))
    assert inbox.groups(of_sales)[0] == []
    [group] = inbox.groups(of_board)[0]
    assert (group.question, group.case.note, group.spaces) == ("When does the canteen open?", "ask", ("board",))
    turns = conversations.turns("b" * 32, conversations.current("b" * 32))
    assert [turn.spaces for turn in turns] == [("board",)]

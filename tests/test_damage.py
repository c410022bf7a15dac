"""An index that is damaged in any way is noticed, answers stay right meanwhile, and a new generation takes over."""

import json
import random
import shutil
import sqlite3

import pytest
from fakes import HashEmbedder
from shelves import new_library, put

from ingest.index import child, exact, generation
from ingest.index.generation import Answering, Index
from ingest.records import Place

EMBEDDER = HashEmbedder()
PASSAGES = 1_020  # Chroma writes its graph to disk from 1,000 on
FLIPS = 60

pytestmark = pytest.mark.slow


def here(arguments):
    """The child's work in this process: what is tried here never opens what it knows to be damaged."""
    try:
        return child.answer(arguments)
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home whose index is built and closed; copied for every test."""
    library = new_library(tmp_path_factory.mktemp("built"))
    library.claim_embedder(EMBEDDER.name)
    put(library, *(f"alpha w{n} beta{n % 7}" for n in range(PASSAGES)), name="long.pdf", content="1" * 64)
    put(library, "gamma delta", "epsilon zeta", name="short.pdf", content="2" * 64)
    index = Index(library, EMBEDDER.name, here)
    index.open()
    index.close()
    library.close()
    return library.home.folder


@pytest.fixture
def library(built, tmp_path):
    shutil.copytree(built, tmp_path / "home")
    made = new_library(tmp_path)
    yield made
    made.close()


def folder(library):
    (found,) = library.home.index.iterdir()
    return found


def right(library, index):
    """Whether questions are answered as by the exact scan and by the words themselves.

    A graph is built with chance: one in a thousand does not reach one of the five nearest.
    """
    long = next(document for document in library.documents() if document.path == "long.pdf")
    asked = EMBEDDER.embed_question("alpha w77 beta0")
    oracle = exact.nearest(library.vectors(EMBEDDER.name, ["documents"]), asked, 10_000)
    cosines, least = dict(oracle), oracle[4][1] - 1e-4
    found = index.dense(asked, ["documents"], 5)[:5]
    words = [place for place, _ in index.lexical("w77", ["documents"], 5)]
    return (
        [score for _, score in found] == pytest.approx([cosines[place] for place, _ in found], abs=1e-4)
        and sum(score >= least for _, score in found) >= 4
        and words == [Place(long.id, 77)]
    )


def database(found):
    return found / "chroma" / "chroma.sqlite3"


def graph(found, name):
    return next(found.glob(f"chroma/*/{name}"))


def part(found, kind):
    return max(found.glob(f"words*/*.{kind}"), key=lambda file: file.stat().st_size)


def deleted(find):
    def harm(found):
        path = find(found)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return harm


def truncated(find):
    return lambda found: find(found).write_bytes(find(found).read_bytes()[: find(found).stat().st_size // 2])


def emptied(find):
    return lambda found: find(found).write_bytes(b"")


def flipped(find, share=0.5):
    def harm(found):
        content = bytearray(find(found).read_bytes())
        content[int(len(content) * share)] ^= 0x10
        find(found).write_bytes(content)

    return harm


def changed_row(statement):
    def harm(found):
        connection = sqlite3.connect(database(found))
        connection.execute(statement)
        connection.commit()
        connection.close()

    return harm


def nothing(found):
    pass


DATA, LINKS, HEADER = (
    lambda found: graph(found, "data_level0.bin"),
    lambda found: graph(found, "link_lists.bin"),
    lambda found: graph(found, "header.bin"),
)
STORE, POSTINGS, TERMS = lambda found: part(found, "store"), lambda found: part(found, "idx"), lambda f: part(f, "term")
META = lambda found: next(found.glob("words*/meta.json"))  # noqa: E731
HARMS = {
    "the whole generation is deleted": deleted(lambda found: found),
    "Chroma's folder is deleted": deleted(lambda found: found / "chroma"),
    "Chroma's database is deleted": deleted(database),
    "Chroma's database is truncated": truncated(database),
    "Chroma's database is emptied": emptied(database),
    "Chroma's database begins with another byte": flipped(database, 0),
    "a vector in Chroma's queue is another": changed_row(
        "UPDATE embeddings_queue SET vector = zeroblob(length(vector)) WHERE seq_id = (SELECT max(seq_id) FROM "
        "embeddings_queue WHERE vector IS NOT NULL)"
    ),
    "an id in Chroma is another": changed_row("UPDATE embeddings SET embedding_id = 'x:0' WHERE id = 5"),
    "the graph's folder is deleted": deleted(lambda found: DATA(found).parent),
    "the graph's vectors are deleted": deleted(DATA),
    "the graph's vectors are truncated": truncated(DATA),
    "a bit of the graph's vectors is flipped": flipped(DATA),
    "a bit of the graph's header is flipped": flipped(HEADER),
    "the graph's links are truncated": truncated(LINKS),
    "the graph's ids are deleted": deleted(lambda found: graph(found, "index_metadata.pickle")),
    "the word index is deleted": deleted(lambda found: META(found).parent),
    "the word index's list is deleted": deleted(META),
    "the word index's list is truncated": truncated(META),
    "a part of the word index is deleted": deleted(POSTINGS),
    "a part of the word index is truncated": truncated(TERMS),
    "a bit of the word index's texts is flipped": flipped(STORE),
    "a bit of the word index's postings is flipped": flipped(POSTINGS),
    "a bit of the word index's terms is flipped": flipped(TERMS, 0.1),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_damage_is_noticed_answers_stay_right_and_a_new_generation_takes_over(library, harm):
    before = library.fact("generation")
    harm(folder(library))

    reader = Index(library, EMBEDDER.name, here)
    assert right(library, reader)
    assert reader.complaint(alone=True)
    index = Index(library, EMBEDDER.name, here)
    index.open()

    assert index.state().answering == Answering.CHROMA
    assert library.fact("generation") != before
    assert right(library, index)
    assert index.complaint(alone=False) == ""
    assert len(list(library.home.index.iterdir())) == 1
    index.close()


def test_an_unharmed_generation_is_kept_however_often_it_is_opened(library):
    before = library.fact("generation")
    for _ in range(3):
        index = Index(library, EMBEDDER.name, here)
        index.open()
        assert right(library, index)
        index.close()

    assert library.fact("generation") == before


def test_an_older_copy_of_the_index_is_noticed(library, tmp_path):
    index = Index(library, EMBEDDER.name, here)
    index.open()
    index.close()
    shutil.copytree(folder(library), tmp_path / "old")
    put(library, "omega w77 more", name="new.pdf", content="3" * 64)
    index = Index(library, EMBEDDER.name, here)
    index.open()
    index.close()
    assert index.complaint(alone=True) == ""
    name = folder(library)
    shutil.rmtree(name)
    shutil.copytree(tmp_path / "old", name)

    assert "older than the library knows it" in Index(library, EMBEDDER.name, here).complaint(alone=True)


def test_what_a_killed_build_left_is_deleted(library):
    (library.home.index / "00000009-dead").mkdir()
    (library.home.index / "00000009-dead" / "half").write_bytes(b"half")
    index = Index(library, EMBEDDER.name, here)

    index.open()

    assert [found.name for found in library.home.index.iterdir()] == [index.remembered().name]
    index.close()


@pytest.mark.parametrize("fact", ["", "{}", "not json", '{"name": "x", "seq": 1, "passages": 2, "embedder": "hash:1"}'])
def test_a_generation_that_is_not_understood_is_built_anew(library, fact):
    library.remember(generation=fact)
    index = Index(library, EMBEDDER.name, here)
    index.open()

    assert index.state().answering == Answering.CHROMA
    assert right(library, index)
    index.close()


def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(library):
    found, dice = folder(library), random.Random(3)
    files = sorted(file for file in found.rglob("*") if file.is_file() and file.stat().st_size)
    noticed = 0
    for _ in range(FLIPS):
        file = dice.choice(files)
        whole = file.read_bytes()
        content = bytearray(whole)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        anew(file, content)
        if Index(library, EMBEDDER.name, here).complaint(alone=False):
            noticed += 1
        else:
            copy = library.home.index / "copy"
            shutil.copytree(found, copy)
            child.find(library, copy, EMBEDDER.name, library.seq(), PASSAGES + 2)
            shutil.rmtree(copy)
        assert right(library, Index(library, EMBEDDER.name, here))
        anew(file, whole)

    assert noticed > FLIPS / 2


def anew(file, content):
    """Written as another file: one that is cut short while it is mapped into memory ends the process that mapped it."""
    file.unlink()
    file.write_bytes(content)


def test_a_vector_index_that_fails_while_it_answers_is_replaced(library, monkeypatch):
    index = Index(library, EMBEDDER.name, here)
    index.open()
    before = library.fact("generation")

    def fail(*_):
        raise RuntimeError("the compactor died")

    monkeypatch.setattr(index._chroma, "nearest", fail)
    monkeypatch.setattr(generation, "RETRY_S", 0.0)

    assert right(library, index)
    assert index.state().answering == Answering.EXACT
    index.tend()
    assert index.state().answering == Answering.CHROMA
    assert library.fact("generation") != before
    assert right(library, index)
    index.close()


def test_a_word_index_that_fails_while_it_answers_is_replaced(library, monkeypatch):
    index = Index(library, EMBEDDER.name, here)
    index.open()

    def fail(*_):
        raise ValueError("Failed to read the doc store")

    monkeypatch.setattr(index._words, "search", fail)
    monkeypatch.setattr(generation, "RETRY_S", 0.0)

    assert right(library, index)
    index.tend()
    assert right(library, index)
    assert index.complaint(alone=False) == ""
    index.close()


def test_files_that_change_under_an_index_in_use_are_noticed_in_time(library, monkeypatch):
    index = Index(library, EMBEDDER.name, here)
    index.open()
    before = library.fact("generation")
    flipped(DATA)(folder(library))
    index.tend()
    assert library.fact("generation") == before

    monkeypatch.setattr(generation, "INSPECT_S", 0.0)
    index.tend()

    assert library.fact("generation") != before
    assert right(library, index)
    index.close()


def test_a_build_that_fails_leaves_the_exact_scan_and_is_tried_again(library, monkeypatch):
    tries = []

    def sometimes(arguments):
        tries.append(arguments[0])
        if len(tries) < 3:
            raise OSError("no room")
        return here(arguments)

    monkeypatch.setattr(generation, "RETRY_S", 0.0)
    index = Index(library, EMBEDDER.name, sometimes)
    index.open()
    assert index.state().answering == Answering.EXACT
    assert right(library, index)

    index.tend()

    assert tries == ["check", "build", "build"]
    assert index.state().answering == Answering.CHROMA
    index.close()


def test_words_that_were_caught_up_are_remembered(library):
    index = Index(library, EMBEDDER.name, here)
    index.open()
    put(library, "omega", name="new.pdf", content="3" * 64)
    index.refresh()

    assert json.loads(library.fact("words"))["seq"] == library.seq()
    index.close()

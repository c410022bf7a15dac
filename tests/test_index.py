import time

import numpy as np
import pytest
from fakes import HashEmbedder
from shelves import new_library, put

from ingest.index import child, exact
from ingest.index.chroma import COPIES, ChromaIndex
from ingest.index.generation import Answering, Index
from ingest.index.tantivy import WordIndex
from ingest.library import VectorBlock
from ingest.records import Chunk, Place

EMBEDDER = HashEmbedder()


def vector(text):
    return EMBEDDER.embed_question(text)


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


@pytest.fixture
def index(library):
    opened = Index(library, EMBEDDER.name)
    yield opened
    opened.close()


def test_the_exact_scan_agrees_with_sorting_everything():
    rows = np.random.default_rng(0).normal(size=(9000, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    blocks = [VectorBlock(f"d{start}", 0, rows[start : start + 70]) for start in range(0, 9000, 70)]

    found = exact.nearest(blocks, rows[4242], 50)

    order = np.argsort(-(rows @ rows[4242]))[:50]
    assert [place for place, _ in found] == [Place(f"d{row // 70 * 70}", row % 70) for row in order]
    assert found[0][1] == pytest.approx(1, abs=1e-5)


def test_the_exact_scan_of_nothing_finds_nothing():
    assert exact.nearest([], np.ones(4, dtype=np.float32), 5) == []


@pytest.mark.slow
def test_chroma_finds_what_the_exact_scan_finds(library, tmp_path):
    documents = [put(library, f"alpha {n}", f"beta {n}", f"gamma {n}", name=f"{n}.pdf") for n in range(40)]
    chroma = ChromaIndex(tmp_path / "chroma")
    for document in documents:
        chunks = library.document_chunks(document.id)
        chroma.add("documents", "A title", chunks, EMBEDDER.embed([chunk.text for chunk in chunks]))

    found = chroma.nearest(vector("beta 7"), ["documents"], 10)

    oracle = exact.nearest(library.vectors(EMBEDDER.name, ["documents"]), vector("beta 7"), 10)
    assert found[0][0] == oracle[0][0]
    assert [score for _, score in found] == pytest.approx([score for _, score in oracle], abs=1e-4)
    assert chroma.count() == 120
    chroma.close()


def test_any_chroma_client_can_read_text_and_page(library, tmp_path):
    document = put(library, "alpha", "beta")
    chroma = ChromaIndex(tmp_path / "chroma")
    chroma.add(
        "Any name / at all ?", "A title", library.document_chunks(document.id), EMBEDDER.embed(["alpha", "beta"])
    )
    chroma.close()

    import chromadb

    client = chromadb.PersistentClient(str(tmp_path / "chroma"))
    collection = client.list_collections()[0]
    entry = collection.get(ids=[f"{document.id}:1"])

    assert collection.metadata == {"space": "Any name / at all ?"}
    assert entry["documents"] == ["beta"]
    assert entry["metadatas"][0]["page"] == 2
    client.close()


def test_words_are_folded_stemmed_and_kept_to_their_space(library):
    words = WordIndex(None)
    document = put(library, "Café prices were rising", "Something else entirely")
    words.add(document, library.document_chunks(document.id))
    words.commit()

    assert words.search("CAFE price", ["documents"], 5)[0][0] == Place(document.id, 0)
    assert words.search("cafe", ["board"], 5) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        '"unclosed',
        "a AND (b OR",
        "text:foo^3 ~2 *",
        "\0\x01",
        "?",
        "\\",
        "+-!{}[]",
        "the of and",
        "é" * 5000,
    ],
)
def test_no_question_is_too_strange_for_the_word_index(library, question):
    words = WordIndex(None)
    document = put(library, "plain words")
    words.add(document, library.document_chunks(document.id))
    words.commit()

    assert words.search(question, ["documents"], 5) == []


def test_two_thousand_words_are_a_question_too(library):
    words = WordIndex(None)
    document = put(library, "plain words about kettles")
    words.add(document, library.document_chunks(document.id))
    words.commit()

    assert words.search("kettles " + " ".join(f"w{n}" for n in range(2000)), ["documents"], 5)


def test_adding_a_document_twice_keeps_one(library):
    words = WordIndex(None)
    document = put(library, "one", "two")
    for _ in range(2):
        words.add(document, library.document_chunks(document.id))
        words.commit()

    assert words.count() == 2


def test_without_a_generation_the_exact_scan_answers(library, index):
    document = put(library, "alpha", "beta")

    assert index.dense(vector("beta"), ["documents"], 1)[0][0] == Place(document.id, 1)
    assert index.lexical("beta", ["documents"], 5)[0][0] == Place(document.id, 1)
    assert index.state().answering == Answering.EXACT


@pytest.mark.slow
def test_a_built_generation_answers_and_what_is_newer_is_seen_at_once(library, index):
    for n in range(30):
        put(library, f"alpha {n}", f"beta {n}", name=f"{n}.pdf")
    index.open()
    fresh = put(library, "zeppelin", name="fresh.pdf")

    assert index.state().answering == Answering.CHROMA
    assert index.state().newer == 1
    assert index.dense(vector("zeppelin"), ["documents"], 3)[0][0] == Place(fresh.id, 0)
    assert index.lexical("zeppelin", ["documents"], 3)[0][0] == Place(fresh.id, 0)


@pytest.mark.slow
def test_a_generation_is_opened_again_and_a_tenth_of_change_builds_the_next(library, index):
    for n in range(5):
        put(library, f"alpha {n}", name=f"{n}.pdf")
    index.open()
    first = library.fact("generation")
    index.close()

    again = Index(library, EMBEDDER.name)
    again.open()
    assert library.fact("generation") == first
    put(library, "zeppelin", name="fresh.pdf")
    again.refresh()

    assert library.fact("generation") != first
    assert again.state().newer == 0
    assert len(list(library.home.index.iterdir())) == 1
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["delete", "truncate", "flip"])
def test_a_damaged_generation_is_noticed_and_built_anew(library, index, harm):
    for n in range(5):
        put(library, f"alpha {n}", name=f"{n}.pdf")
    index.open()
    index.close()
    database = next(library.home.index.glob("*/chroma/chroma.sqlite3"))
    whole = database.read_bytes()
    harmed = {"delete": b"", "truncate": whole[: len(whole) // 3], "flip": b"\xff" * 4096 + whole[4096:]}[harm]
    database.write_bytes(harmed)

    again = Index(library, EMBEDDER.name)
    again.open()

    assert again.state().answering == Answering.CHROMA
    assert again.dense(vector("alpha 3"), ["documents"], 1)[0][1] == pytest.approx(1, abs=1e-4)
    again.close()


def recording(verbs, broken=()):
    """Runs the child as in service, and writes down what it was asked to do."""

    def run(arguments):
        verbs.append(arguments[0])
        if arguments[0] in broken:
            raise OSError("killed")
        return child.run(arguments)

    return run


def until_it_follows(verbs):
    while not verbs:
        time.sleep(0.01)


@pytest.mark.slow
def test_a_generation_takes_in_what_comes_while_it_is_built(library):
    verbs = []
    index = Index(library, EMBEDDER.name, recording(verbs))
    put(library, "alpha", name="0.pdf")
    assert index.behind()

    index.follow()
    index.follow()  # does nothing: one is on its way
    until_it_follows(verbs)
    for n in range(1, 9):
        put(library, f"alpha {n}", f"beta {n}", name=f"{n}.pdf")
    index.refresh()

    state = index.state()
    assert verbs == ["follow"]
    assert (state.answering, state.passages, state.newer, state.gone) == (Answering.CHROMA, 17, 0, 0)
    assert not index.behind()
    assert index.dense(vector("beta 7"), ["documents"], 1)[0][1] == pytest.approx(1, abs=1e-4)
    assert [path.name for path in library.home.index.iterdir()] == [index.remembered().name]
    index.close()


@pytest.mark.slow
def test_a_build_that_nobody_ended_comes_to_its_end_once_no_file_is_on_its_way(library):
    verbs = []
    index = Index(library, EMBEDDER.name, recording(verbs))
    put(library, "alpha", name="0.pdf")
    index.follow()
    until_it_follows(verbs)

    index.tend()

    assert verbs == ["follow"]
    assert index.state().newer == 0
    index.close()


@pytest.mark.slow
def test_a_build_that_follows_makes_room_for_another(library):
    verbs = []
    index = Index(library, EMBEDDER.name, recording(verbs))
    put(library, "alpha", name="0.pdf")
    index.follow()
    until_it_follows(verbs)

    assert index.rebuild()

    assert verbs == ["follow", "build"]
    assert index.state().passages == 1
    index.close()


@pytest.mark.slow
def test_where_the_build_that_follows_is_killed_the_next_is_built_in_the_usual_way(library):
    verbs = []
    index = Index(library, EMBEDDER.name, recording(verbs, broken=["follow"]))
    put(library, "alpha", name="0.pdf")
    index.follow()
    index._follower.join()

    index.refresh()

    assert verbs == ["follow", "build"]
    assert index.state().answering == Answering.CHROMA
    index.close()


def test_a_document_that_goes_and_comes_back_while_a_generation_is_built_is_held_once(library, tmp_path):
    put(library, "alpha", "beta", name="0.pdf")
    put(library, "gamma", name="1.pdf")
    filling = child._Filling(library, tmp_path / "built", EMBEDDER.name)
    filling.catch_up()
    for document in library.documents():
        library.remove(document.id)
    back = put(library, "alpha", "delta", "epsilon", name="0.pdf")

    filling.catch_up()
    filling.close()

    built = ChromaIndex(tmp_path / "built" / child.CHROMA)
    assert filling.passages == built.count() == WordIndex(tmp_path / "built" / child.WORDS).count() == 4
    assert built.nearest(vector("delta"), ["documents"], 4)[0][0] == Place(back.id, 1)
    assert filling.seq == library.seq()
    built.close()


def test_removed_passages_are_counted_until_the_next_generation(library, index):
    document = put(library, "alpha")
    index.lexical("alpha", ["documents"], 1)

    library.remove(document.id)

    assert library.chunks_at([place for place, _ in index.lexical("alpha", ["documents"], 1)], ["documents"]) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("misled", "complaint"), [(1, ""), (4, "does not find 4 of 21")])
def test_a_check_forgives_a_graph_that_misses_a_few_and_no_more(library, tmp_path, misled, complaint):
    documents = [put(library, f"topic{n}", name=f"{n}.pdf", content=f"{n:064x}") for n in range(20)]
    nearer = put(library, *(f"topic{n} too" for n in range(4) for _ in range(10)), name="x.pdf", content="f" * 64)
    chroma = ChromaIndex(tmp_path / child.CHROMA)
    for number, document in enumerate([*documents, nearer]):
        chunks = library.document_chunks(document.id)
        texts = [f"elsewhere{number}"] if number < misled else [chunk.text for chunk in chunks]
        chroma.add("documents", "A title", chunks, EMBEDDER.embed(texts))
    chroma.close()

    try:
        child.find(library, tmp_path, EMBEDDER.name, library.seq(), 60)
        said = ""
    except ValueError as error:
        said = str(error)

    assert complaint in said
    assert bool(complaint) == bool(said)


def passages(document, texts):
    return [Chunk(f"{n:032x}", document, n, 1, 1, 1, "1", "", text, 0, 9) for n, text in enumerate(texts)]


def test_a_thousand_copies_of_a_passage_hide_no_other(tmp_path):
    """A graph of equal vectors would link them with each other and with nobody else."""
    chance = np.random.default_rng(7)
    own = chance.normal(size=(150, 64)).astype(np.float32)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    vectors = np.concatenate([own[:50], np.repeat(own[:1], 1100, axis=0), own[50:]])
    index = ChromaIndex(tmp_path / "chroma")

    texts = [f"Passage {n}." for n in range(len(vectors))]
    left_out = index.add("documents", "One", passages("d", texts[:600]), vectors[:600])
    left_out += index.add("documents", "Two", passages("e", texts[600:]), vectors[600:])

    assert left_out == 1101 - COPIES
    assert index.count() == len(vectors) - left_out
    assert len({place for place, _ in index.nearest(own[1], ["documents"], 500)}) == index.count()
    for one in own:
        assert index.nearest(one, ["documents"], 10)[0][1] == pytest.approx(1, abs=1e-4)
    index.close()


def test_copies_whose_vectors_differ_by_the_noise_of_computing_are_copies(tmp_path):
    chance = np.random.default_rng(7)
    vectors = np.ones(64) / 8 + chance.normal(size=(300, 64)) * 1e-4
    index = ChromaIndex(tmp_path / "chroma")

    assert index.add("documents", "One", passages("d", ["The same."] * 300), vectors.astype(np.float32)) == 300 - COPIES
    assert index.add("documents", "Two", passages("e", ["The same."]), chance.normal(size=(1, 64)).astype("f4")) == 0
    index.close()


def test_a_library_of_copies_is_indexed_and_its_other_passages_are_found(library, index):
    for number in range(3 * COPIES):
        put(library, "The same words on every page.", name=f"copy{number}.pdf")
    put(library, "Something else entirely stands here.", name="other.pdf")

    assert index.rebuild()

    assert index.state().answering is Answering.CHROMA
    found = index.dense(vector("Something else entirely stands here."), ["documents"], 5)
    assert found[0][1] == pytest.approx(1, abs=1e-4)
    assert len(index.dense(vector("The same words on every page."), ["documents"], 5)) >= 5


def test_when_the_copies_that_were_kept_are_gone_the_others_are_indexed(library, index):
    copies = [put(library, "The same words on every page.", name=f"copy{number}.pdf") for number in range(2 * COPIES)]
    put(library, *[f"Passage {number} of many others." for number in range(20 * COPIES)], name="others.pdf")
    assert index.rebuild()
    asked = vector("The same words on every page.")
    kept = {place.document_id for place, cosine in index.dense(asked, ["documents"], COPIES) if cosine > 0.999}

    for document in copies:
        if document.id in kept:
            library.remove(document.id)

    assert len(kept) == COPIES
    assert index.behind()
    assert index.rebuild()
    assert index.dense(asked, ["documents"], 5)[0][1] == pytest.approx(1, abs=1e-4)
    assert not index.behind()

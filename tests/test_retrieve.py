import pytest
from fakes import HashEmbedder
from shelves import new_library, put

from ingest.index.generation import Index
from rag_app.retrieve import DenseRetriever, HybridRetriever, LexicalRetriever

EMBEDDER = HashEmbedder()


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


@pytest.fixture
def index(library):
    opened = Index(library, EMBEDDER.name)
    yield opened
    opened.close()


def test_hybrid_knows_rank_and_score_of_each_side(library, index):
    put(library, "error KB-2847 means the disk is full", "the disk is large", "apples and pears")

    hits, timings = HybridRetriever(library, index, EMBEDDER).retrieve("error KB-2847", ["documents"], 50)

    assert hits[0].chunk.text.startswith("error KB-2847")
    assert (hits[0].dense_rank, hits[0].lexical_rank) == (1, 1)
    assert hits[0].bm25 > 0
    assert all(hit.cosine is not None for hit in hits)
    assert hits[-1].lexical_rank is None
    assert timings.total == 0


def test_a_hit_that_only_its_words_brought_in_has_its_true_cosine(library, index):
    put(library, *(f"same same {n}" for n in range(60)), "same rareword and many other words that lead far away indeed")

    hits, _ = HybridRetriever(library, index, EMBEDDER).retrieve("same same rareword", ["documents"], 50)

    only_words = next(hit for hit in hits if "rareword" in hit.chunk.text)
    expected = float(EMBEDDER.embed_question("same same rareword") @ EMBEDDER.embed_question(only_words.chunk.text))
    assert only_words.lexical_rank == 1
    assert only_words.cosine == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("make", [DenseRetriever, HybridRetriever])
def test_no_retriever_returns_more_than_the_limit_or_another_space(library, index, make):
    put(library, *(f"shared words {n}" for n in range(30)), name="a.pdf")
    put(library, "shared words secret", name="b.pdf", space="board")

    hits, _ = make(library, index, EMBEDDER).retrieve("shared words secret", ["documents"], 12)

    assert len(hits) == 12
    assert {hit.document.space for hit in hits} == {"documents"}


def test_lexical_finds_nothing_where_no_word_is_shared(library, index):
    put(library, "apples and pears")

    assert LexicalRetriever(library, index).retrieve("zeppelin", ["documents"], 5)[0] == []


def test_a_removed_document_is_gone_from_the_next_question(library, index):
    document = put(library, "apples and pears")
    retriever = HybridRetriever(library, index, EMBEDDER)
    assert retriever.retrieve("apples", ["documents"], 5)[0]

    library.remove(document.id)

    assert retriever.retrieve("apples", ["documents"], 5)[0] == []


@pytest.mark.slow
@pytest.mark.parametrize("make", [DenseRetriever, LexicalRetriever, HybridRetriever])
def test_the_limit_is_reached_although_the_best_are_gone_from_the_library(library, index, make):
    best = [put(library, "shared words secret", name=f"best {n}.pdf", content=f"{n:064x}") for n in range(15)]
    put(library, *(f"shared words {n}" for n in range(150)), name="rest.pdf", content="f" * 64)
    index.open()
    for document in best:
        library.remove(document.id)
    retriever = make(library, index) if make is LexicalRetriever else make(library, index, EMBEDDER)

    hits, _ = retriever.retrieve("shared words secret", ["documents"], 12)

    assert len(hits) == 12
    assert {hit.document.path for hit in hits} == {"rest.pdf"}

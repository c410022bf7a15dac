"""What a library costs as it grows: an edit is found by the next question, and the lines say so."""

from types import SimpleNamespace

import pytest
from fakes import HashEmbedder
from shelves import new_library

from benchmarks.made import SPACE, Maker, Real, documents, put
from benchmarks.scale import Served, Size, edited, rows
from ingest.index.generation import Index
from rag_app.retrieve import HybridRetriever

TEXTS = [f"The gate of yard {n} opens at {n} and closes at dusk." for n in range(12)]


class Embedder(HashEmbedder):
    @property
    def dimensions(self):
        return len(self.embed_question("any"))


@pytest.mark.slow
def test_an_edit_is_found_by_the_next_question(tmp_path):
    library, embedder = new_library(tmp_path), Embedder()
    for made in documents(Maker(Real(TEXTS, embedder.embed(TEXTS))), 120):
        put(library, embedder.name, *made)
    index = Index(library, embedder.name)
    index.open()
    retriever = HybridRetriever(library, index, embedder)
    pipeline = SimpleNamespace(
        search=lambda question, rerank: SimpleNamespace(hits=retriever.retrieve(question, [SPACE], 50)[0])
    )
    parts = SimpleNamespace(library=library, index=index, embedder=embedder)

    edit, asking, found, kept_up = edited(SimpleNamespace(parts=parts, pipeline=pipeline))

    assert found
    assert min(edit, asking, kept_up) > 0
    assert library.counts([SPACE]).documents == 3
    index.close()


def test_lines_tell_what_was_made_now_and_what_was_there():
    told = Served(500, 510, 300.0, 340.0, 20.0, 1.5, 0.99, 25.0, 12.0, 15.0, found=False, kept_up=3.0)

    fresh, kept = (rows(1000, size, told) for size in (Size(9.0, 8.0, 2.0, 4.0), Size(9.0, 8.0, None, None)))

    assert "2 s, 500 passages/s" in fresh
    assert "kept from before" in kept
    assert "DOES NOT FIND IT" in kept

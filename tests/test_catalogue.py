"""The list of rerankers keeps to what the application does."""

import pytest

from rag_app.rerank.catalogue import ENTRIES, Place, Scale
from rag_app.rerank.cross_encoder import BUNDLED, PIECES
from rag_app.rerank.dialects import DIALECTS
from rag_app.rerank.http import HttpReranker, is_served

LOCAL = [entry for entry in ENTRIES if entry.place in {Place.BUNDLED, Place.HUB}]
SERVED = [entry for entry in ENTRIES if entry.place in {Place.HOSTED, Place.SERVER}]


def test_the_whole_field_is_listed_once():
    names = [entry.name for entry in ENTRIES]
    families = [
        "ms-marco-",
        "bge-reranker-",
        "ettin-",
        "mxbai-rerank-",
        "gte-reranker-modernbert",
        "cohere:",
        "voyage:",
    ]

    assert len(set(names)) == len(names)
    assert [part for part in [*families, "jina:", *DIALECTS] if not any(part in name for name in names)] == []


@pytest.mark.parametrize("entry", LOCAL, ids=lambda entry: entry.name)
def test_a_local_model_tells_its_size_window_and_that_its_logit_is_used(entry):
    assert entry.size[0].isdigit()
    assert all([entry.languages, entry.licence, entry.needs])
    assert entry.window >= PIECES
    assert entry.scale is Scale.LOGIT


@pytest.mark.parametrize("entry", LOCAL, ids=lambda entry: entry.name)
def test_a_local_model_is_not_taken_for_a_server(entry):
    assert not is_served(entry.name)


@pytest.mark.parametrize("entry", SERVED, ids=lambda entry: entry.name)
def test_a_served_one_can_be_made_with_what_it_says_it_needs(entry):
    dialect = DIALECTS[entry.name.partition(":")[0]]

    HttpReranker(entry.name, base_url="" if dialect.base_url else "http://localhost:8080", keys={entry.needs: "key"})

    assert entry.needs == (dialect.key or "RAG_RERANKER_URL")


def test_the_bundled_one_reads_what_the_application_gives_it():
    assert [entry.window for entry in ENTRIES if entry.name == BUNDLED] == [PIECES]


def test_a_server_that_is_asked_for_raw_scores_gives_logits():
    raw = [entry for entry in SERVED if DIALECTS[entry.name.partition(":")[0]].extra.get("raw_scores")]

    assert {entry.name.partition(":")[0]: entry.scale for entry in raw} == {"tei": Scale.LOGIT, "infinity": Scale.LOGIT}

"""The written conversations, asked of the handbook by retrieval alone; benchmarks/follow_ups.py adds the reranker."""

import pytest

from benchmarks.follow_ups import SPACE, follow_ups, found, new_subjects
from ingest.settings import Settings as IngestSettings
from rag_app.build import build
from rag_app.retrieve import HybridRetriever
from rag_app.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def search(handbook_home):
    parts = build(Settings(ingest=IngestSettings(home=handbook_home))).parts
    retriever = HybridRetriever(parts.library, parts.index, parts.embedder)
    yield lambda question: retriever.retrieve(question, [SPACE], 50)[0]
    parts.index.close()


def shares(asked, search):
    return {name: sum(right) / len(right) for name, right in found(asked, search).items()}


def test_rewriting_brings_follow_ups_near_their_ideal_wording(search):
    share = shares(follow_ups(), search)

    assert share["ideal"] > 0.9
    assert share["by rules"] >= share["ideal"] - 0.05
    assert share["by rules"] > share["as typed"] + 0.1


def test_rewriting_costs_little_where_the_subject_is_new(search):
    share = shares(new_subjects(), search)

    assert share["by rules"] >= share["as typed"] - 0.08

"""Questions by code through the whole search, with a reranker that knows nothing of codes."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes import HashEmbedder, SameQuestion, WordReranker
from shelves import new_library, put

from ingest.index.generation import Index
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.records import Hit
from rag_app.retrieve import HybridRetriever

CODES = [
    *(f"KB-ERR-{2800 + number}-{('fatal', 'notice')[number % 2]}" for number in range(12)),
    *(f"v1.{number}.{number * 7 % 10}" for number in range(12)),
    *(f"E_{name}_{number}" for number in range(4) for name in ("MEMORY", "HANDLE", "QUEUE")),
    *(f"0x{0x80070000 + 11 * number:08X}" for number in range(12)),
    *(f"AX-{4700 + number}-{'QRST'[number % 4]}" for number in range(12)),
]
SENTENCES = (
    "What do I have to do about {}?",
    'The display says "{}". Is that bad?',
    "Since Monday we have ({}), twice; why?",
    "please explain {}.",
)


class ContraryReranker(WordReranker):
    """Puts the candidates in the opposite order, all of them relevant."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        return [replace(hit, relevance=0.9, rerank_rank=rank) for rank, hit in enumerate(reversed(hits), start=1)]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    library = new_library(tmp_path_factory.mktemp("codes"))
    for number, code in enumerate(CODES):
        following = CODES[(number + 1) % len(CODES)]
        put(library, f"Note on {code}. The spooler was seen to. See also {following}.", name=f"{number}.pdf")
    index, judge = Index(library, HashEmbedder.name), ContraryReranker()
    line = Line(
        rewriter=SameQuestion(),
        retriever=HybridRetriever(library, index, HashEmbedder()),
        reranker=judge,
        judge=judge,
        generator=Extractive(judge),
        quoting=Extractive(judge),
    )
    yield Pipeline(library, line, candidates=50, passages=3)
    index.close()


def test_the_document_of_a_code_is_used_whatever_the_reranker_says(pipeline):
    chance = random.Random(1)
    missed = []
    for number, code in enumerate(CODES):
        question = chance.choice(SENTENCES).format(code if number % 3 else code.lower())
        used = [hit.document.path for hit in pipeline.search(question, spaces=["documents"]).hits if hit.used]
        assert len(used) == 3
        if f"{number}.pdf" not in used:
            missed.append(question)

    assert missed == []


def test_the_order_without_reranking_is_left_alone(pipeline):
    hits = pipeline.search(f"What about {CODES[5]}?", spaces=["documents"], rerank=False).hits

    assert [hit.rerank_rank for hit in hits] == [None] * len(hits)
    assert "5.pdf" in {hit.document.path for hit in hits[:3]}


@pytest.mark.parametrize("question", [f"\ud800 {CODES[3]}\0", f"\x1b[2J {CODES[3]}\u202e", f"🧨{CODES[3]}🧨"])
def test_a_question_with_signs_that_no_model_reads_is_searched_for_without_them(pipeline, question):
    answer = pipeline.search(question, spaces=["documents"])

    assert "3.pdf" in {hit.document.path for hit in answer.hits if hit.used}
    answer.rewritten.encode("utf-8")

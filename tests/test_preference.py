from dataclasses import replace

import pytest
from fakes import WordReranker
from scripted_desk import HANDBOOK, OWN, hit

from rag_app.generate.extractive import Extractive
from rag_app.preference import preferring
from rag_app.team.wording import path_of

WORD = replace(OWN, id="e" * 32, title="How long is the notice?", path=path_of("a" * 32))


def ranked(*found):
    """Hits in the reranker's order, from (document, cosine)."""
    return [
        replace(hit(document, f"Passage {rank}.", rank, 0.5, rank), cosine=cosine)
        for rank, (document, cosine) in enumerate(found, start=1)
    ]


@pytest.mark.parametrize(
    ("found", "order"),
    [
        pytest.param([(OWN, 0.4), (WORD, 0.5), (HANDBOOK, 0.3)], [2, 1, 3], id="both models have it among the first"),
        pytest.param([(WORD, 0.5), (OWN, 0.4), (HANDBOOK, 0.3)], [1, 2, 3], id="both have it first"),
        pytest.param([(WORD, 0.3), (OWN, 0.2), (HANDBOOK, 0.5)], [2, 1, 3], id="first, but others are nearer"),
        pytest.param(
            [(OWN, 0.4), (HANDBOOK, 0.3), (OWN, 0.2), (WORD, 0.5)], [1, 2, 3, 4], id="near, but not among the first"
        ),
        pytest.param([(OWN, 0.4), (HANDBOOK, 0.5)], [1, 2], id="nothing was approved"),
        pytest.param([(WORD, 0.4), (WORD, 0.5)], [2, 1], id="of two approved ones the nearer"),
        pytest.param([], [], id="nothing was found"),
    ],
)
def test_an_approved_answer_leads_only_where_it_is_what_was_asked(found, order):
    assert [one.rerank_rank for one in preferring(ranked(*found))] == order


async def test_an_approved_answer_that_leads_is_quoted_whole_and_alone():
    text = "Three months. In the first half year two weeks. Ask the office in writing. It answers within a day."
    first, other = ranked((WORD, 0.5), (OWN, 0.4))
    first = replace(first, chunk=replace(first.chunk, text=f"{WORD.title}\n\n{text}"))

    said = "".join([piece async for piece in Extractive(WordReranker()).generate("How long?", [first, other], ())])

    assert said.replace(" [1]", "") == text
    assert "[2]" not in said


async def test_an_approved_answer_that_does_not_lead_is_one_source_among_others():
    first, word = ranked((OWN, 0.5), (WORD, 0.4))
    first = replace(first, chunk=replace(first.chunk, text="The notice period is three months for everybody here."))

    said = "".join([piece async for piece in Extractive(WordReranker()).generate("notice period", [first, word], ())])

    assert "three months" in said

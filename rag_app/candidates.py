"""What was found for a question and how each stage ranked it, as it is kept and shown. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag_app.fusion import fused_places
from rag_app.records import Answer, Citation, Hit

TEXT_LIMIT = 240  # characters of a passage kept with its ranks


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that some stage put forward. Holds all that the table needs, and no passage id."""

    document_id: str
    title: str
    page: int  # 1-based physical page
    label: str  # printed label of that page
    text: str  # the beginning of the passage
    dense_rank: int | None  # 1-based; None: not among those found by meaning
    cosine: float | None  # -1 to 1
    lexical_rank: int | None  # 1-based; None: not among those found by words
    bm25: float | None  # 0 and up
    before: int  # 1-based place when both lists were joined, before the reranker read it
    after: int  # 1-based place in the end: the reranker's order, but nothing twice and the question's identifiers kept
    relevance: float | None  # 0 to 1; None where the reranker did not read it
    used: bool  # handed to the generator
    source: int | None  # 0-based place among the answer's sources; None where it is none of them
    cited: bool
    reranked: int | None = None  # 1-based place the reranker gave; None where it did not read it

    @property
    def moved(self) -> int:
        """Places gained by reranking; negative where it lost some."""
        return self.before - self.after


def candidates(answer: Answer, sources: Sequence[Citation]) -> tuple[Candidate, ...]:
    """All hits of a finished answer, best first; `sources` are the passages it shows, the cited ones first."""
    before = fused_places([(hit.dense_rank, hit.lexical_rank) for hit in answer.hits])
    places = {(source.document_id, source.passage): place for place, source in reversed(list(enumerate(sources)))}
    cited = {(citation.document_id, citation.passage) for citation in answer.citations}
    return tuple(
        _candidate(hit, before[index], index + 1, places.get(_key(hit)), cited=_key(hit) in cited)
        for index, hit in enumerate(answer.hits)
    )


def _key(hit: Hit) -> tuple[str, str]:
    return hit.document.id, hit.chunk.text


def _candidate(hit: Hit, before: int, after: int, source: int | None, *, cited: bool) -> Candidate:
    chunk, document = hit.chunk, hit.document
    return Candidate(
        document_id=document.id,
        title=document.title,
        page=chunk.page,
        label=chunk.label,
        text=chunk.text[:TEXT_LIMIT],
        dense_rank=hit.dense_rank,
        cosine=hit.cosine,
        lexical_rank=hit.lexical_rank,
        bm25=hit.bm25,
        before=before,
        after=after,
        relevance=hit.relevance,
        used=hit.used,
        source=source,
        cited=cited,
        reranked=hit.rerank_rank,
    )

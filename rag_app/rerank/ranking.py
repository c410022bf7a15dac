"""From scores to an order, and what a reranker reads of a passage. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from ingest.chunking import embedded_text
from rag_app.records import Hit


def ranked(hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    """The hits by score, best first, with rerank_rank from 1; equal scores keep their order."""
    order = sorted(range(len(hits)), key=lambda index: -scores[index])
    return [replace(hits[index], rerank_rank=rank) for rank, index in enumerate(order, start=1)]


def reranked_text(hit: Hit) -> str:
    """What the cross-encoder reads of a passage: title, heading path and text, as the embedder does."""
    return embedded_text(hit.document.title, hit.chunk.heading, hit.chunk.text)

"""Values as the JSON the commands promise. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ingest.records import Document
from rag_app.records import Answer, Citation, Hit, Mode


def of_hit(hit: Hit) -> Mapping[str, Any]:
    """A candidate; null where a stage did not see it."""
    chunk, document = hit.chunk, hit.document
    return {
        "chunk_id": chunk.id,
        "document_id": document.id,
        "space": document.space,
        "title": document.title,
        "path": document.path,
        "page": chunk.page,
        "first_page": chunk.first_page,
        "last_page": chunk.last_page,
        "text": chunk.text,
        "before": hit.lead or None,
        "after": hit.after.text if hit.after else None,
        "dense_rank": hit.dense_rank,
        "cosine": hit.cosine,
        "lexical_rank": hit.lexical_rank,
        "bm25": hit.bm25,
        "rerank_rank": hit.rerank_rank,
        "relevance": hit.relevance,
        "used": hit.used,
    }


def of_citation(citation: Citation) -> Mapping[str, Any]:
    """A citation."""
    return {
        name: getattr(citation, name) for name in ("marker", "document_id", "title", "path", "page", "label", "quote")
    }


def of_answer(answer: Answer) -> Mapping[str, Any]:
    """A whole answer, with all candidates, best first."""
    return {
        "question": answer.question,
        "rewritten": answer.rewritten,
        "text": plain(answer),
        "abstained": answer.abstained,
        "mode": str(answer.mode),
        "notice": answer.notice or None,
        "citations": [of_citation(citation) for citation in answer.citations],
        "sentences": [
            {"text": sentence.text, "markers": list(sentence.markers), "support": str(sentence.support)}
            for sentence in answer.sentences
        ],
        "timings_ms": {name: round(value, 1) for name, value in asdict(answer.timings).items()},
        "hits": [of_hit(hit) for hit in answer.hits],
    }


def plain(answer: Answer) -> str:
    """The text of an answer; a quoted one as the documents write it, without the stars that the chat shows in bold."""
    return answer.text.replace("**", "") if answer.mode is Mode.EXTRACTIVE else answer.text


def of_document(document: Document) -> Mapping[str, Any]:
    """A document of the library."""
    return {
        "document_id": document.id,
        "space": document.space,
        "title": document.title,
        "path": document.path,
        "pages": document.pages,
        "chunks": document.chunks,
        "size": document.size,
        "added": document.added,
        "failed_pages": list(document.failed_pages),
        "empty_pages": list(document.empty_pages),
        "hidden_words": document.hidden_words,
    }

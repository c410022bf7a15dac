"""Whether a question is answered as it was typed, or as it was carried on from an earlier one. Pure."""

from rag_app.overlap import content_stems
from rag_app.records import Answer
from rag_app.rerank.ranking import reranked_text


def best_relevance(answer: Answer) -> float:
    """Of the best passage that is used, 0 to 1."""
    return max((hit.relevance or 0.0 for hit in answer.hits if hit.used), default=0.0)


def better(carried: Answer, typed: Answer, threshold: float) -> Answer:
    """The wording that finds more, of the candidates of both; `threshold` is what an answer needs.

    The earlier question alone finds its own passage again, whatever is put behind it, and is answered with its own
    sentence again. So the carried wording has to find one that can be about what was typed now: it holds a word of it.
    Where neither finds an answer, the question stays as it was typed.
    """
    found = best_relevance(carried)
    if found < threshold or found < best_relevance(typed):
        return typed
    best = max((hit for hit in carried.hits if hit.used), key=lambda hit: hit.relevance or 0.0)
    asked, held = content_stems(typed.rewritten), content_stems(reranked_text(best))
    return carried if asked & held else typed

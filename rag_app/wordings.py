"""Whether a question is answered as it was typed, or as it was carried on from an earlier one. Pure."""

from dataclasses import replace

from rag_app.overlap import content_stems
from rag_app.records import Answer, Hit
from rag_app.rerank.ranking import reranked_text


def best_relevance(answer: Answer) -> float:
    """Of the best passage that is used, 0 to 1."""
    return max((hit.relevance or 0.0 for hit in answer.hits if hit.used), default=0.0)


def better(carried: Answer, typed: Answer, threshold: float) -> Answer:
    """The wording that finds more, of the candidates of both; `threshold` is what an answer needs.

    The earlier question alone finds its own passage again, whatever is put behind it. So the carried wording has to
    find one that can be about what was typed now: it holds a word of it. Where both find the same passage first, it is
    asked what was typed, or it would be answered with the earlier sentence again; what the carried wording tells of it
    counts where alone it is too little. Where neither finds an answer, the question stays as it was typed.
    """
    found, alone = best_relevance(carried), best_relevance(typed)
    best, own = _best(carried), _best(typed)
    if best is None or found < threshold or found < alone:
        return typed
    if not content_stems(typed.rewritten) & content_stems(reranked_text(best)):
        return typed
    if own is None or best.chunk.id != own.chunk.id:
        return carried
    return typed if alone >= threshold else replace(carried, rewritten=typed.rewritten)


def _best(answer: Answer) -> Hit | None:
    return max((hit for hit in answer.hits if hit.used), key=lambda hit: hit.relevance or 0.0, default=None)

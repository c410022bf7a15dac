"""Which symptom each question of a run has, from the first stage on, and the setting that mends it. Pure.

A question has the first symptom that fits: what an early stage lost, no later one can find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rag_app.evaluate.answers import holds
from rag_app.evaluate.metrics import DEEP, first_right
from rag_app.evaluate.records import DENSE, HYBRID, LEXICAL, RERANKED, Given, Outcome, Passage, Question, Run

UNREAD, CUT, NOT_FOUND, NOT_CHOSEN, REFUSED, NOT_CITED, NOT_SAID = (
    "not_read", "cut_apart", "not_found", "not_chosen", "refused", "not_cited", "not_said",
)  # fmt: skip
SLOW_SEARCH, SLOW_RERANK = "slow_search", "slow_reranking"
SEARCH_MS, RERANK_MS = 300.0, 2_000.0  # of a question, in the median: what a reader does not notice, and puts up with
# symptom -> what it is, and what to try
SYMPTOMS: Mapping[str, tuple[str, str]] = {
    UNREAD: (
        "the right page was not read from its file",
        "See why with `rag ingest`: run text recognition over scans, save a copy without a password.",
    ),
    CUT: (
        "the answer stands on its page, but in no passage whole",
        "Raise RAG_PASSAGE_PIECES, then run `rag rebuild`.",
    ),
    NOT_FOUND: (
        f"the right passage is in the first {DEEP} of neither search",
        "Try another embedding model (RAG_EMBEDDER), and see that documents and questions use the same words.",
    ),
    NOT_CHOSEN: (
        "it is among the candidates, not among those an answer is made from",
        "Try another reranker (RAG_RERANKER), train it on your questions (`rag train`), or raise RAG_PASSAGES.",
    ),
    REFUSED: (
        "it is among the chosen passages, and the question was refused",
        "Train the reranker on your questions (`rag train`); it is calibrated anew.",
    ),
    NOT_CITED: (
        "it is among the chosen passages, and another was cited",
        "Connect a language model (RAG_LLM_MODEL), or a stronger one.",
    ),
    NOT_SAID: (
        "the right page is cited, and the answer's words are not said",
        "Connect a language model (RAG_LLM_MODEL), or a stronger one.",
    ),
    SLOW_SEARCH: (
        f"searching takes more than {SEARCH_MS:.0f} ms",
        "Try a smaller embedding model (RAG_EMBEDDER).",
    ),
    SLOW_RERANK: (
        f"reranking takes more than {RERANK_MS:.0f} ms",
        "Lower RAG_CANDIDATES, or choose a smaller reranker (RAG_RERANKER, `rag models`).",
    ),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The questions of a run by symptom; a symptom that nothing has is left out."""

    questions: int
    well: int  # answered from the right page
    symptoms: Mapping[str, tuple[str, ...]]  # in the order of SYMPTOMS; for a slow stage the slow questions


def diagnosis(run: Run, shown: int) -> Diagnosis:
    """Sort the answerable questions of a run that was answered too; answers are made from `shown` passages."""
    given = {} if run.answered is None else {one.question.id: one for one in run.answered.given if one.question.targets}
    found: dict[str, list[str]] = {name: [] for name in SYMPTOMS}
    well = 0
    for outcome in run.outcomes:
        symptom = symptom_of(outcome, given.get(outcome.question.id), run, shown)
        if symptom is None:
            well += 1
        else:
            found[symptom].append(outcome.question.text)
    _add_slow(found, run.outcomes)
    return Diagnosis(len(run.outcomes), well, {name: tuple(texts) for name, texts in found.items() if texts})


def symptom_of(outcome: Outcome, given: Given | None, run: Run, shown: int) -> str | None:
    """The first symptom of one question; None where it was answered from the right page."""
    question, rankings = outcome.question, outcome.rankings
    own = [passage for passage in run.dataset.passages if _on_page(passage, question, run.page_tolerance)]
    if not own:
        return UNREAD
    if _cut_apart(question, own):
        return CUT
    if all(first_right(rankings[base].gains) is None for base in (DENSE, LEXICAL)):
        return NOT_FOUND
    rank = first_right(rankings[HYBRID + RERANKED].gains)
    if rank is None or rank > shown:
        return NOT_CHOSEN
    return None if given is None else _of_answer(given)


def _of_answer(given: Given) -> str | None:
    if given.abstained:
        return REFUSED
    if not any(given.right):
        return NOT_CITED
    said = " ".join(given.sentences)
    wanted = given.question.answers
    short = [answer for answer in wanted if any(holds(passage, answer) for passage in given.passages)]
    return NOT_SAID if short and not any(holds(said, answer) for answer in short) else None


def _on_page(passage: Passage, question: Question, tolerance: int) -> bool:
    chunk = passage.chunk
    return any(
        target.document == passage.document.path
        and chunk.first_page - tolerance <= target.page <= chunk.last_page + tolerance
        for target in question.targets
    )


def _cut_apart(question: Question, own: Sequence[Passage]) -> bool:
    """Whether a short answer runs over the border of two passages that follow each other."""
    ordered = sorted(own, key=lambda passage: (passage.document.path, passage.chunk.position))
    whole = [passage.chunk.text for passage in ordered]
    pairs = [
        f"{one.chunk.text} {other.chunk.text}"
        for one, other in pairwise(ordered)
        if one.document.path == other.document.path and other.chunk.position == one.chunk.position + 1
    ]
    held = any(holds(text, answer) for text in whole for answer in question.answers)
    return not held and any(holds(text, answer) for text in pairs for answer in question.answers)


def _add_slow(found: dict[str, list[str]], outcomes: Sequence[Outcome]) -> None:
    """A stage is slow where its median is over its budget; the questions are those over it."""
    search = [outcome.rankings[HYBRID].ms for outcome in outcomes]
    rerank = [outcome.rankings[HYBRID + RERANKED].ms - outcome.rankings[HYBRID].ms for outcome in outcomes]
    for name, times, budget in ((SLOW_SEARCH, search, SEARCH_MS), (SLOW_RERANK, rerank, RERANK_MS)):
        if times and median(times) > budget:
            slow = zip(outcomes, times, strict=True)
            found[name] = [outcome.question.text for outcome, ms in slow if ms > budget]

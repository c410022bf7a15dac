"""The straight line of an evaluation: sample -> embed -> search -> score -> rank, for six stages at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag_app.evaluate.metrics import gains
from rag_app.evaluate.models import Models
from rag_app.evaluate.progress import Progress
from rag_app.evaluate.records import (
    BASES,
    DENSE,
    HYBRID,
    LEXICAL,
    RERANKED,
    Dataset,
    FoundPassage,
    Outcome,
    Question,
    Ranking,
    Run,
    Vectors,
)
from rag_app.evaluate.search import Found, Searcher
from rag_app.naming import with_words
from rag_app.records import Hit

FIRST = 5  # passages of a question kept to be looked at
TEXT_LIMIT = 240  # characters of each


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to evaluate."""

    candidates: int  # passages kept of the joined lists, as RAG_CANDIDATES
    shown: int  # passages an answer would be made from, as RAG_PASSAGES
    limit: int | None = None  # questions drawn at random; None: all of them
    seed: int = 0  # of that draw and of the bootstrap
    page_tolerance: int = 0  # pages a passage may be away from the right one


def evaluate(dataset: Dataset, models: Models, plan: Plan) -> Run:
    """Ask every question of every stage. Each question's candidates are scored once for all of them.

    Raises LibraryError where nothing can be kept, ModelError, RerankerError.
    """
    questions = sampled(dataset.questions, plan)
    vectors = dataset.vectors if dataset.vectors is not None else embedded(dataset, models)
    searcher = Searcher(dataset.passages, vectors)
    found = _searched(searcher, models, questions, plan.candidates)
    searcher.close()
    outcomes = _scored(dataset, models, questions, found, plan)
    return Run(
        dataset=dataset,
        embedder=models.embedder.name,
        reranker=models.reranker.name,
        outcomes=tuple(outcomes),
        computed=models.computed,
        seed=plan.seed,
        page_tolerance=plan.page_tolerance,
    )


def sampled(questions: Sequence[Question], plan: Plan) -> list[Question]:
    """`limit` questions drawn without replacement, in their order; all of them without a limit."""
    if plan.limit is None or plan.limit >= len(questions):
        return list(questions)
    drawn = np.random.default_rng(plan.seed).choice(len(questions), plan.limit, replace=False)
    return [questions[place] for place in sorted(drawn)]


@dataclass(frozen=True, slots=True)
class Searched:
    """What the first stages made of one question."""

    found: Found
    embed_ms: float  # of the question

    def base(self, stage: str) -> tuple[Sequence[int], float]:
        """A first stage's passages by their place in the data set, best first, and its milliseconds."""
        dense_ms, lexical_ms = self.embed_ms + self.found.dense_ms, self.found.lexical_ms
        return {
            DENSE: (self.found.dense, dense_ms),
            LEXICAL: (self.found.lexical, lexical_ms),
            HYBRID: (self.found.hybrid, dense_ms + lexical_ms + self.found.fuse_ms),
        }[stage]


def embedded(dataset: Dataset, models: Models) -> Vectors:
    """Vectors of all passages of a set, (passages, dimensions)."""
    texts = [passage.text for passage in dataset.passages]
    progress = Progress("Embedding passages", models.passages_missing(texts))
    vectors = models.passage_vectors(texts, progress.add)
    progress.end()
    return vectors


def _searched(searcher: Searcher, models: Models, questions: Sequence[Question], candidates: int) -> list[Searched]:
    progress = Progress("Searching for questions", len(questions))
    rows = []
    for question in questions:
        vector, embed_ms = models.question_vector(question.text)
        rows.append(Searched(searcher.search(question.text, vector, candidates), embed_ms))
        progress.add(1)
    progress.end()
    return rows


def _scored(
    dataset: Dataset, models: Models, questions: Sequence[Question], searched: Sequence[Searched], plan: Plan
) -> list[Outcome]:
    texts = [[dataset.passages[place].text for place in row.found.everything()] for row in searched]
    asked = list(zip(questions, texts, searched, strict=True))
    progress = Progress(
        "Reranking pairs of question and passage",
        sum(models.pairs_missing(question.text, own) for question, own, _ in asked),
    )
    outcomes = []
    for question, own, row in asked:
        scores = models.scores(question.text, own, progress.add)
        by_place = dict(zip(row.found.everything(), scores, strict=True))
        outcomes.append(_outcome(_Judge(dataset, models, question, plan), row, by_place))
    progress.end()
    return outcomes


def _outcome(judge: "_Judge", searched: Searched, scores: Mapping[int, tuple[float, float]]) -> Outcome:
    """One question's rankings; `scores` holds score and milliseconds by the place of a passage."""
    rankings: dict[str, Ranking] = {}
    chances: list[tuple[float, bool]] = []
    first: tuple[FoundPassage, ...] = ()
    for base in BASES:
        places, ms = searched.base(base)
        hits = judge.hits(places, searched.found, by_words=base != DENSE)
        ordered = judge.ordered(hits, [scores[place][0] for place in places])
        rankings[base] = Ranking(judge.gains(hits), ms)
        rankings[base + RERANKED] = Ranking(judge.gains(ordered), ms + sum(scores[place][1] for place in places))
        if base == HYBRID:
            chances = judge.chances(ordered)
            first = judge.first(ordered)
    return Outcome(judge.question, rankings, tuple(chances), first)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is right for one question."""

    dataset: Dataset
    models: Models
    question: Question
    plan: Plan

    def hits(self, places: Sequence[int], found: Found, *, by_words: bool) -> list[Hit]:
        """The candidates of a first stage; where it searches by words, each knows its rank there."""
        ranks = {place: rank for rank, place in enumerate(found.lexical, start=1)} if by_words else {}
        passages = [(self.dataset.passages[place], place) for place in places]
        hits = [
            Hit(passage.chunk, passage.document, cosine=found.cosines[place], lexical_rank=ranks.get(place))
            for passage, place in passages
        ]
        return with_words(self.question.text, hits)

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        return self.models.reranker.ordered(hits, scores)

    def gains(self, hits: Sequence[Hit]) -> tuple[float, ...]:
        found = [(hit.document.path, hit.chunk.page) for hit in hits]
        return tuple(gains(found, self.question.targets, self.plan.page_tolerance))

    def first(self, ordered: Sequence[Hit]) -> tuple[FoundPassage, ...]:
        """What was put first, to be looked at."""
        return tuple(
            FoundPassage(hit.document.path, hit.chunk.page, hit.chunk.text[:TEXT_LIMIT], hit.relevance, right=gain > 0)
            for hit, gain in zip(ordered[:FIRST], self.gains(ordered), strict=False)
        )

    def chances(self, ordered: Sequence[Hit]) -> list[tuple[float, bool]]:
        shown = ordered[: self.plan.shown]
        return [(hit.relevance, self.gains([hit])[0] > 0) for hit in shown if hit.relevance is not None]

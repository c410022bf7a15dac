"""Asks the questions of a data set as the application does, by the same `Pipeline`, over passages in memory.

What the cross-encoder says of passages and of sentences is kept, as for the other figures.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.library import Counts
from ingest.records import Chunk, Document, Place
from rag_app.evaluate.models import Models
from rag_app.evaluate.models import Reranker as Scoring
from rag_app.evaluate.progress import Progress
from rag_app.evaluate.records import Answered, Dataset, Given, Question, Vectors
from rag_app.evaluate.run import Plan, embedded, sampled
from rag_app.evaluate.search import Searcher
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.records import Answer, Citation, Hit, Mode, Timings
from rag_app.rerank.closer import CloserLook
from rag_app.rerank.closer import Judge as LooksCloser
from rag_app.rerank.ranking import reranked_text
from rag_app.rewrite import RuleRewriter
from rag_app.stages import Generator, Reranker


class Judging(Scoring, LooksCloser, Protocol):
    """What measuring answers needs of the bundled cross-encoder."""

    @property
    def threshold(self) -> float:
        """The relevance (0 to 1) below which the documents are taken not to hold the answer."""
        ...

    def chances(self, scores: Sequence[float]) -> list[float]:
        """For each raw score the probability (0 to 1) that it stands for, where no cosine is known."""
        ...


class KeptReranker:
    """A reranker whose scores are computed once."""

    def __init__(self, models: Models) -> None:
        self.name = models.reranker.name
        self._models = models

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first."""
        scores = self._models.scores(question, [reranked_text(hit) for hit in hits], _untold)
        return self._models.reranker.ordered(hits, [score for score, _ in scores])


class KeptJudge(KeptReranker):
    """The bundled cross-encoder, which also says how relevant passages, sentences and parts of passages are."""

    notice = ""

    def __init__(self, models: Models, judge: Judging) -> None:
        super().__init__(models)
        self._judge = judge
        self.threshold = judge.threshold

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability (0 to 1) that it answers the question."""
        return self._judge.chances(self.scores(question, texts))

    @property
    def looks_closer(self) -> bool:
        """Whether its calibration knows what a closer look tells."""
        return self._judge.looks_closer

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw logit."""
        return [score for score, _ in self._models.scores(question, texts, _untold)]

    def closer(self, relevance: float, logits: Sequence[float], cosines: Sequence[float]) -> float:
        """The relevance anew, as the cross-encoder's."""
        return self._judge.closer(relevance, logits, cosines)


class KeptEmbedder:
    """The embedder, whose vectors are computed once."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def embed_parts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, (texts, dimensions)."""
        return self._models.passage_vectors(texts, _untold)

    def embed_question(self, question: str) -> Vectors:
        """Vector of a question, (dimensions,)."""
        return self._models.question_vector(question)[0]


class SetRetriever:
    """Finds candidates among the passages of a data set, and stands for its library."""

    def __init__(self, dataset: Dataset, vectors: Vectors, models: Models) -> None:
        self._dataset, self._models = dataset, models
        self._searcher = Searcher(dataset.passages, vectors)
        self._spaces = sorted({passage.document.space for passage in dataset.passages})
        self._at = {
            Place(passage.document.id, passage.chunk.position): (passage.chunk, passage.document)
            for passage in dataset.passages
        }

    def spaces(self) -> list[str]:
        """The spaces of its documents."""
        return self._spaces

    def counts(self, spaces: Sequence[str]) -> Counts:
        """How much some spaces hold."""
        held = [passage for passage in self._dataset.passages if passage.document.space in spaces]
        return Counts(len({passage.document.id for passage in held}), len(held))

    def chunks_at(self, places: Iterable[Place], spaces: Sequence[str]) -> dict[Place, tuple[Chunk, Document]]:
        """The passages at (document id, position), with their documents."""
        held = {place: self._at[place] for place in places if place in self._at}
        return {place: (chunk, document) for place, (chunk, document) in held.items() if document.space in spaces}

    def retrieve(
        self,
        question: str,
        spaces: Sequence[str],  # noqa: ARG002 - all of them are asked
        limit: int,
    ) -> tuple[list[Hit], Timings]:
        """The `limit` best passages of both first stages, best first."""
        vector, _ = self._models.question_vector(question)
        found = self._searcher.search(question, vector, limit)
        ranks = [{place: rank for rank, place in enumerate(own, start=1)} for own in (found.dense, found.lexical)]
        hits = [
            Hit(
                self._dataset.passages[place].chunk,
                self._dataset.passages[place].document,
                dense_rank=ranks[0].get(place),
                cosine=found.cosines[place],
                lexical_rank=ranks[1].get(place),
            )
            for place in found.hybrid
        ]
        return hits, Timings()

    def close(self) -> None:
        """Let go of the words."""
        self._searcher.close()


@dataclass(frozen=True, slots=True)
class Answerers:
    """Who takes part in answering, beside the embedder."""

    reranker: Reranker  # orders; may be the judge itself
    judge: KeptJudge
    endpoint: Generator | None = None  # None: answers are quoted


def answered(dataset: Dataset, models: Models, answerers: Answerers, plan: Plan) -> Answered:
    """Answer the questions of a set, and those that nothing in it answers.

    Raises ModelError, RerankerError; a language model that fails is counted and the answer quoted instead.
    """
    questions = [*sampled(dataset.questions, plan), *sampled(dataset.unanswerable, plan)]
    vectors = dataset.vectors if dataset.vectors is not None else embedded(dataset, models)
    retriever = SetRetriever(dataset, vectors, models)
    quoting = Extractive(answerers.judge)
    generator = answerers.endpoint or quoting
    closer = CloserLook(answerers.judge, KeptEmbedder(models))
    line = Line(RuleRewriter(), retriever, answerers.reranker, answerers.judge, generator, quoting, closer)
    pipeline = Pipeline(retriever, line, candidates=plan.candidates, passages=plan.shown)
    progress = Progress("Answering questions", len(questions))
    given, fell_back = [], 0
    for question in questions:
        answer = asyncio.run(_last(pipeline, question.text))
        given.append(given_to(question, answer, plan.page_tolerance))
        fell_back += generator.mode is Mode.MODEL and answer.mode in {Mode.EXTRACTIVE, Mode.PASSAGES}
        progress.add(1)
    progress.end()
    retriever.close()
    return Answered(str(generator.mode), generator.model, answerers.judge.threshold, tuple(given), fell_back)


def given_to(question: Question, answer: Answer, tolerance: int) -> Given:
    """What the reader of an answer sees; a citation is right at most `tolerance` pages from a page judged right."""
    return Given(
        question=question,
        abstained=answer.abstained,
        relevance=max((hit.relevance or 0.0 for hit in answer.hits if hit.used), default=0.0),
        sentences=tuple(sentence.text for sentence in answer.sentences),
        support=tuple(sentence.support for sentence in answer.sentences),
        passages=tuple(hit.text for hit in answer.hits if hit.used),
        quotes=tuple(citation.quote for citation in answer.citations),
        right=tuple(_right(citation, question, tolerance) for citation in answer.citations),
    )


def _right(citation: Citation, question: Question, tolerance: int) -> bool:
    return any(
        target.document == citation.path and abs(target.page - citation.page) <= tolerance
        for target in question.targets
    )


async def _last(pipeline: Pipeline, question: str) -> Answer:
    async for answer in pipeline.ask(question):
        last = answer
    return last


def _untold(count: int) -> None:
    """The questions are counted, not the pairs."""

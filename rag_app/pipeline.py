"""The straight line for a question: rewrite -> retrieve -> rerank -> answer -> check."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ingest.errors import GeneratorError, RerankerError
from ingest.library import Counts
from ingest.records import Chunk, Document, Place
from rag_app import copies
from rag_app.absent import absent_names
from rag_app.absent import told as absent_told
from rag_app.absent_codes import absent_codes
from rag_app.access import visible_spaces
from rag_app.breadth import reach, room, used
from rag_app.citations import Resolved, resolve, showable
from rag_app.exclusion import ExcludingRetriever
from rag_app.leaning import may_stand_alone
from rag_app.markers import clean, settled
from rag_app.naming import with_words
from rag_app.neighbours import completed, wanted
from rag_app.preference import preferring
from rag_app.records import Answer, Hit, Mode, Stage, Timings, Turn
from rag_app.rerank.calibration import ABSENT, ANOTHER, doubted
from rag_app.stages import Generator, Reranker, Retriever, Rewriter
from rag_app.support import needs_none
from rag_app.verbatim import holding_identifiers
from rag_app.wordings import best_relevance, better

logger = logging.getLogger(__name__)

T = TypeVar("T")
QUESTION_CHARACTERS = 2_000  # of a longer question the rest is not searched for

EMPTY_QUESTION = "There is no question yet. Ask something about your documents."
EMPTY_LIBRARY = "Nothing to ask about yet. Add PDF or text files to the library, then ask again."
LONG_QUESTION = f"Only the first {QUESTION_CHARACTERS:,} characters of the question were used."
NOTHING_WRITTEN = "No whole sentence could be quoted. Here are the passages that fit best."
TAKEN_OUT = "{count} of {all} sentences were taken out, because the sources do not say them."
INSTEAD_QUOTED = "Here are the sentences that fit best, quoted from the documents."
RERANKER_FAILED = "The chosen reranker failed, so the bundled one ordered the passages. {reason}"


class JudgingReranker(Reranker, Protocol):
    """The bundled reranker: it also says when nothing is relevant enough."""

    @property
    def threshold(self) -> float:
        """The relevance (0 to 1) below which the documents are taken not to hold the answer."""
        ...

    @property
    def notice(self) -> str:
        """A sentence where it is not the model that was promoted; "" where it is."""
        ...


class Closer(Protocol):
    """Reads the best passage again."""

    def look(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The hits in their order, the relevance of the best of those used told anew."""
        ...


class Shelves(Protocol):
    """What asking needs of the library itself; the passages come from the retriever."""

    def spaces(self) -> list[str]:
        """The spaces that hold at least one document."""
        ...

    def counts(self, spaces: Sequence[str]) -> Counts:
        """How many documents and passages some spaces hold."""
        ...

    def chunks_at(self, places: Iterable[Place], spaces: Sequence[str]) -> dict[Place, tuple[Chunk, Document]]:
        """The passages of some spaces at (document id, position) that may be shown, with their documents."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """The stages a question goes through."""

    rewriter: Rewriter
    retriever: Retriever
    reranker: Reranker  # orders; may be `judge` itself
    judge: JudgingReranker  # says how relevant the chosen passages are
    generator: Generator
    quoting: Generator  # answers when `generator` cannot
    closer: Closer | None = None  # reads the best passage again where it is in doubt


class Pipeline:
    """Answers questions from one library."""

    def __init__(
        self,
        library: Shelves,
        line: Line,
        *,
        candidates: int,
        passages: int,
        strict: bool = False,
        wider: bool = False,
        aside: Collection[str] = (),
    ) -> None:
        """Where it is strict, sentences that the sources do not say are taken out of answers.

        Where it may be wider, a question that asks for several things is answered from more than `passages`. Of those
        put `aside` (whole texts) nothing completes another; the retriever leaves them out itself.
        """
        self._library, self._line = library, line
        self._candidates, self._passages, self._strict, self._wider = candidates, passages, strict, wider
        self._aside = frozenset(map(copies.wording, aside))

    def without(self, passages: Collection[str]) -> "Pipeline":
        """The same line, but these passages (whole texts) and their copies are not found."""
        if not passages:
            return self
        line = replace(self._line, retriever=ExcludingRetriever(self._line.retriever, passages))
        return Pipeline(
            self._library,
            line,
            candidates=self._candidates,
            passages=self._passages,
            strict=self._strict,
            wider=self._wider,
            aside=[*self._aside, *passages],
        )

    async def ask(
        self, question: str, turns: Sequence[Turn] = (), *, spaces: Sequence[str] | None = None, rerank: bool = True
    ) -> AsyncGenerator[Answer, None]:
        """Growing answers; the last has stage DONE. Failures of a stage end in the answer's notice, not in an error.

        Close the generator to stop: the endpoint's socket is let go of at once.
        """
        started = time.perf_counter()
        searched = visible_spaces(self._library.spaces(), spaces)
        answer = Answer(
            question, _searchable(question), Stage.REWRITING,
            passages_searched=self._library.counts(searched).chunks, spaces=tuple(searched),
        )  # fmt: skip
        refusal = EMPTY_QUESTION if not answer.rewritten else "" if answer.passages_searched else EMPTY_LIBRARY
        if refusal:
            yield replace(answer, stage=Stage.DONE, mode=Mode.PASSAGES, notice=refusal)
            return
        if len(question.strip()) > QUESTION_CHARACTERS:
            answer = replace(answer, notice=LONG_QUESTION)
        async with aclosing(self._found(answer, turns, searched, rerank=rerank)) as growing:
            async for answer in growing:
                yield answer
        if not answer.abstained:
            answer = await asyncio.to_thread(self._completed, answer)
            async with aclosing(self._written(answer, turns)) as growing:
                async for answer in growing:
                    yield answer
        yield replace(answer, stage=Stage.DONE, timings=replace(answer.timings, total=_ms_since(started)))

    def search(self, question: str, *, spaces: Sequence[str] | None = None, rerank: bool = True) -> Answer:
        """The candidates for a question, best first, without an answer."""
        searched = visible_spaces(self._library.spaces(), spaces)
        answer = Answer(question, _searchable(question), Stage.SEARCHING)
        if not answer.rewritten or not searched:
            return replace(answer, stage=Stage.DONE, notice=EMPTY_LIBRARY if answer.rewritten else EMPTY_QUESTION)
        found, timings = self._line.retriever.retrieve(answer.rewritten, searched, self._candidates)
        hits = with_words(answer.rewritten, _allowed(found, searched))
        answer = self._ranked(replace(answer, hits=tuple(hits), timings=timings), rerank=rerank)
        return replace(answer, stage=Stage.DONE)

    async def _found(
        self, answer: Answer, turns: Sequence[Turn], spaces: Sequence[str], *, rerank: bool
    ) -> AsyncGenerator[Answer, None]:
        """The question made to stand alone, its candidates, and the passages chosen from them.

        Where it is not plain from the words whether it leans on an earlier one, both wordings are searched for.
        """
        wordings = [answer.rewritten]
        if turns:
            yield answer
            started = time.perf_counter()
            rewritten = await self._line.rewriter.rewrite(answer.rewritten, turns)
            wordings = [rewritten, answer.rewritten] if may_stand_alone(answer.rewritten, rewritten) else [rewritten]
            answer = replace(answer, timings=Timings(rewrite=_ms_since(started)))
        found: list[Answer] = []
        for wording in wordings:
            grown = replace(answer, rewritten=wording)
            async with aclosing(self._searched(grown, spaces, rerank=rerank)) as growing:
                async for grown in growing:
                    yield grown
            found.append(grown)
        best = better(found[0], found[1], self._line.judge.threshold) if len(found) > 1 else found[0]
        if best is not found[-1]:
            yield best

    async def _searched(self, answer: Answer, spaces: Sequence[str], *, rerank: bool) -> AsyncGenerator[Answer, None]:
        """The candidates of one wording, as they are found and as they are ranked."""
        answer = replace(answer, stage=Stage.SEARCHING)
        yield answer
        hits, timings = await asyncio.to_thread(
            self._line.retriever.retrieve, answer.rewritten, spaces, self._candidates
        )
        timings = replace(timings, rewrite=answer.timings.rewrite)
        hits = with_words(answer.rewritten, _allowed(hits, spaces))
        answer = replace(answer, stage=Stage.RERANKING, hits=tuple(hits), timings=timings)
        yield answer
        yield await asyncio.to_thread(self._ranked, answer, rerank=rerank)

    def _ranked(self, answer: Answer, *, rerank: bool) -> Answer:
        """The candidates in their final order, the best marked as used, and whether any is relevant enough."""
        (hits, notice), rerank_ms = _timed(lambda: self._chosen(answer, rerank=rerank))
        answer = replace(answer, hits=tuple(hits))
        abstained = best_relevance(answer) < self._line.judge.threshold
        return replace(
            answer,
            abstained=abstained,
            mode=Mode.ABSTAINED if abstained else self._line.generator.mode,
            notice=_joined(answer.notice, notice, self._line.judge.notice),
            timings=replace(answer.timings, rerank=rerank_ms),
        )

    def _chosen(self, answer: Answer, *, rerank: bool) -> tuple[list[Hit], str]:
        """The candidates in order, those used marked and their relevance as the closer look tells it."""
        hits, notice = self._ordered(answer, rerank=rerank)
        taken = used(hits, self._passages, self._room(answer))
        hits = [replace(hit, used=one) for hit, one in zip(hits, taken, strict=True)]
        hits = self._line.closer.look(answer.rewritten, hits) if self._line.closer else hits
        hits, missing = _doubted(answer.rewritten, hits)
        return hits, _joined(notice, missing)

    def _ordered(self, answer: Answer, *, rerank: bool) -> tuple[list[Hit], str]:
        judge, reranker = self._line.judge, self._line.reranker
        if rerank and reranker is judge:
            return self._judged(answer), ""
        notice, ordered = "", list(answer.hits)
        if rerank:
            try:
                ordered = self._kept(answer, reranker.rerank(answer.rewritten, answer.hits))
            except RerankerError as error:
                return self._judged(answer), RERANKER_FAILED.format(reason=error)
        chosen = ordered[: reach(ordered, self._room(answer))]
        judged = {hit.chunk.id: hit.relevance for hit in judge.rerank(answer.rewritten, chosen)}
        return [replace(hit, relevance=judged.get(hit.chunk.id)) for hit in ordered], notice

    def _judged(self, answer: Answer) -> list[Hit]:
        """The judge's order; what an answer may be made from is read also where the judge had no need to."""
        judge = self._line.judge
        ordered = self._kept(answer, judge.rerank(answer.rewritten, answer.hits))
        chosen = ordered[: reach(ordered, self._room(answer))]
        if all(hit.relevance is not None for hit in chosen):
            return ordered
        late = {hit.chunk.id: hit.relevance for hit in judge.rerank(answer.rewritten, chosen)}
        return [hit if hit.relevance is not None else replace(hit, relevance=late.get(hit.chunk.id)) for hit in ordered]

    def _kept(self, answer: Answer, reranked: Sequence[Hit]) -> list[Hit]:
        """The reranker's order, but what is used holds the question's identifiers and nothing twice.

        An approved answer comes first where it is what was asked.
        """
        holding = holding_identifiers(answer.rewritten, preferring(reranked), self._passages)
        return copies.without_copies(holding, reach(holding, self._room(answer)))

    def _completed(self, answer: Answer) -> Answer:
        """The passages used with what completes those that were cut, from the library as it is now."""
        places = {place for hit in answer.hits if hit.used for place in wanted(hit)}
        if not places:
            return answer
        found = self._library.chunks_at(places, answer.spaces)
        if self._aside:
            found = {place: near for place, near in found.items() if copies.wording(near[0].text) not in self._aside}
        return replace(answer, hits=tuple(completed(hit, found) if hit.used else hit for hit in answer.hits))

    def _room(self, answer: Answer) -> int:
        return room(answer.rewritten, self._passages) if self._wider else self._passages

    async def _written(self, answer: Answer, turns: Sequence[Turn]) -> AsyncGenerator[Answer, None]:
        """The answer as it is written, then checked; quoted where the language model fails before its first words."""
        passages = [hit for hit in answer.hits if hit.used]
        generator, raw, notice = self._line.generator, "", ""
        started = time.perf_counter()
        answer = replace(answer, stage=Stage.WRITING, model=generator.model)
        yield answer
        try:
            async with aclosing(generator.generate(answer.rewritten, passages, turns)) as pieces:
                async for piece in pieces:
                    raw += piece
                    yield replace(answer, text=self._shown(raw, passages))
        except GeneratorError as error:
            notice = str(error)
        said = resolve(raw, passages, strict=self._strict)
        notice = _joined(notice, taken_out(said))
        if not said.text and generator is not self._line.quoting:
            notice = _joined(notice, INSTEAD_QUOTED)
            answer = replace(answer, mode=self._line.quoting.mode, model="")
            async with aclosing(self._line.quoting.generate(answer.rewritten, passages, turns)) as pieces:
                raw = "".join([piece async for piece in pieces])
        answer = replace(answer, timings=replace(answer.timings, generate=_ms_since(started)))
        answer = replace(answer, notice=_joined(answer.notice, notice))
        yield _checked(answer, lambda: resolve(raw, passages, strict=self._strict))

    def _shown(self, raw: str, passages: Sequence[Hit]) -> str:
        """Of a growing text what is safe to show; where it is strict, only sentences that were checked."""
        return resolve(settled(raw), passages, strict=True).text if self._strict else showable(raw, len(passages))


def _allowed(hits: Sequence[Hit], spaces: Sequence[str]) -> list[Hit]:
    """The hits of some spaces: looked at once more after the search, whatever it did."""
    return [hit for hit in hits if hit.document.space in spaces]


def _doubted(question: str, hits: Sequence[Hit]) -> tuple[list[Hit], str]:
    """The hits, less relevant where the question names what none of those used speaks of, and what is said of it."""
    chosen = [hit for hit in hits if hit.used]
    names, codes = absent_names(question, chosen), absent_codes(question, chosen)
    doubt = ANOTHER if codes.mistaken else ABSENT if names or codes.doubtful else 0.0
    if doubt:
        hits = [hit if hit.relevance is None else replace(hit, relevance=doubted(hit.relevance, doubt)) for hit in hits]
    return list(hits), absent_told([*codes.codes, *names])


def taken_out(said: Resolved) -> str:
    """A sentence about what was taken out; "" where nothing was."""
    count = said.taken_out
    return TAKEN_OUT.format(count=count, all=count + len(said.sentences)) if count else ""


def _checked(answer: Answer, resolving: Callable[[], Resolved]) -> Answer:
    """The finished text with its citations and the support of each sentence."""
    resolved, check_ms = _timed(resolving)
    timings = replace(answer.timings, check=check_ms)
    if not resolved.text:
        notice = _joined(answer.notice.replace(INSTEAD_QUOTED, "").strip(), NOTHING_WRITTEN)
        return replace(answer, stage=Stage.CHECKING, mode=Mode.PASSAGES, notice=notice, timings=timings)
    said_nothing = not resolved.citations and all(needs_none(sentence.text) for sentence in resolved.sentences)
    return replace(
        answer,
        stage=Stage.CHECKING,
        text=resolved.text,
        citations=resolved.citations,
        sentences=resolved.sentences,
        abstained=said_nothing,
        timings=timings,
    )


def _searchable(question: str) -> str:
    """The question without what no model can read, cut to what is searched for."""
    return clean(question).strip()[:QUESTION_CHARACTERS]


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    value = work()
    return value, _ms_since(started)

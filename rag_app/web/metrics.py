"""Figures for Prometheus. Nothing in them names a person, a document, a question or a passage."""

import logging
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import fields

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from rag_app.records import Answer, Stage, Timings, Turn
from rag_app.web.desk import Ask
from rag_app.web.vitals import Figures, Vitals

KIND = CONTENT_TYPE_LATEST
# Seconds: a stage takes from a millisecond (words) to the whole time of a language model.
STAGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0)
logger = logging.getLogger("rag_app.answers")  # a line an answer, where such lines are wanted (RAG_LOG=json)
STOPPED = "stopped"  # before it was whole: by the reader, or because something failed


class Metrics:
    """Counts answers as they are made, and tells how the library stands when it is asked."""

    def __init__(self, vitals: Vitals) -> None:
        # Otherwise each has a second series, which says when it began.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
        self._registry = CollectorRegistry()
        self._questions = Counter("rag_questions", "Questions, by who answered.", ["mode"], registry=self._registry)
        self._abstained = Counter(
            "rag_abstentions", "Questions that the documents did not seem to answer.", registry=self._registry
        )
        self._noticed = Counter(
            "rag_notices", "Answers that went another way than asked, as when a model failed.", registry=self._registry
        )
        self._running = Gauge("rag_answers_running", "Answers being made now.", registry=self._registry)
        self._stages = Histogram(
            "rag_stage_seconds", "Time a stage took for a question.", ["stage"], buckets=STAGES, registry=self._registry
        )
        self._first = Histogram(
            "rag_first_words_seconds", "Time until an answer's first words.", buckets=STAGES, registry=self._registry
        )
        self._registry.register(_Standing(vitals))

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def watched(self, ask: Ask) -> Ask:
        """The same `ask`, its answers counted."""

        async def watching(
            question: str,
            turns: Sequence[Turn],
            *,
            rerank: bool = True,
            without: Collection[str] = (),
            spaces: Sequence[str] | None = None,
        ) -> AsyncIterator[Answer]:
            last, said, began = None, False, time.perf_counter()
            answers = ask(question, turns, rerank=rerank, without=without, spaces=spaces)
            with self._running.track_inprogress():
                try:
                    async with aclosing(answers):  # type: ignore[type-var]  # as Ask says
                        async for last in answers:
                            if last.text and not said:
                                said = True
                                self._first.observe(time.perf_counter() - began)
                            yield last
                finally:
                    self._count(last)

        return watching

    def _count(self, answer: Answer | None) -> None:
        if answer is None or answer.stage is not Stage.DONE:
            self._questions.labels(STOPPED).inc()
            logger.info("answer", extra={"told": {"mode": STOPPED}})
            return
        took = {f"{stage.name}_ms": round(getattr(answer.timings, stage.name), 1) for stage in fields(Timings)}
        told = {"mode": str(answer.mode), "abstained": answer.abstained, "hits": len(answer.hits), **took}
        logger.info("answer", extra={"told": told})
        self._questions.labels(str(answer.mode)).inc()
        self._abstained.inc(int(answer.abstained))
        self._noticed.inc(int(bool(answer.notice)))
        for stage in fields(Timings):
            took = getattr(answer.timings, stage.name)
            if took:
                self._stages.labels(stage.name).observe(took / 1000)


class _Standing(Collector):
    """What is read from the library at each look, rather than counted."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def describe(self) -> Iterable[Metric]:
        """Say what will come without looking: the registry asks for the names when it is given a collector."""
        return _standing(Figures())

    def collect(self) -> Iterable[Metric]:
        """How the library stands now."""
        return _standing(self._vitals.figures())


def _standing(figures: Figures) -> list[Metric]:
    jobs = GaugeMetricFamily("rag_jobs", "Files taken in or on their way, by state.", labels=["state"])
    for state, count in sorted(figures.jobs.items()):
        jobs.add_metric([state], count)
    return [
        jobs,
        GaugeMetricFamily("rag_queue_length", "Files on their way in.", value=figures.waiting),
        GaugeMetricFamily("rag_documents", "Documents in the library.", value=figures.documents),
        GaugeMetricFamily("rag_passages", "Passages in the library.", value=figures.passages),
        GaugeMetricFamily("rag_index_passages", "Passages in the search index.", value=figures.indexed),
        GaugeMetricFamily("rag_index_newer", "Passages not in the index yet, scanned exactly.", value=figures.newer),
        GaugeMetricFamily("rag_index_gone", "Passages in the index that were removed since.", value=figures.gone),
        GaugeMetricFamily("rag_index_exact", "1 while the exact scan answers for the index.", value=figures.exact),
        GaugeMetricFamily("rag_index_rebuilding", "1 while an index is being built.", value=figures.rebuilding),
    ]

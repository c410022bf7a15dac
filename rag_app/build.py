"""Settings -> an application. The one place that knows every implementation of every stage."""

from dataclasses import dataclass

from ingest.build import Parts
from ingest.build import build as build_parts
from rag_app.generate.extractive import Extractive
from rag_app.generate.openai_chat import Limits, OpenAIChat
from rag_app.pipeline import Line, Pipeline
from rag_app.rerank import cross_encoder
from rag_app.rerank.cross_encoder import BundledReranker, LocalReranker
from rag_app.retrieve import HybridRetriever
from rag_app.rewrite import ModelRewriter, RuleRewriter
from rag_app.settings import Settings
from rag_app.stages import Generator, Rewriter


@dataclass(frozen=True, slots=True)
class Application:
    """Everything the commands and the pages stand on."""

    settings: Settings
    parts: Parts
    judge: BundledReranker
    reranker: BundledReranker | LocalReranker
    endpoint: OpenAIChat | None  # None where no language model is configured
    pipeline: Pipeline

    def warm(self) -> None:
        """Load the models now rather than with the first question."""
        self.parts.embedder.load()
        self.judge.load()
        self.reranker.load()


def build(settings: Settings) -> Application:
    """Put an application together; no model is loaded yet. Raises LibraryError, ModelError."""
    parts = build_parts(settings.ingest)
    judge = BundledReranker(parts.compute)
    bundled = settings.reranker == cross_encoder.BUNDLED
    reranker = judge if bundled else LocalReranker(settings.reranker, parts.compute)
    quoting = Extractive(judge)
    endpoint = endpoint_of(settings)
    rules = RuleRewriter()
    rewriter: Rewriter = rules if endpoint is None else ModelRewriter(endpoint, rules)
    generator: Generator = quoting if endpoint is None else endpoint
    line = Line(
        rewriter=rewriter,
        retriever=HybridRetriever(parts.library, parts.index, parts.embedder),
        reranker=reranker,
        judge=judge,
        generator=generator,
        quoting=quoting,
    )
    pipeline = Pipeline(parts.library, line, candidates=settings.candidates, passages=settings.passages)
    return Application(settings, parts, judge, reranker, endpoint, pipeline)


def endpoint_of(settings: Settings) -> OpenAIChat | None:
    """The language model's endpoint, or None where none is configured."""
    if not settings.llm_model:
        return None
    limits = Limits(
        connect_s=settings.llm_connect_s,
        first_s=settings.llm_first_s,
        between_s=settings.llm_between_s,
        total_s=settings.llm_total_s,
    )
    return OpenAIChat(
        settings.llm_model, base_url=settings.openai_base_url, api_key=settings.openai_api_key, limits=limits
    )

"""Settings -> an application. The one place that knows every implementation of every stage."""

from dataclasses import dataclass
from typing import TypeVar

from ingest.build import Parts
from ingest.build import build as build_parts
from ingest.compute import Compute
from ingest.engines import Engines
from ingest.errors import SettingsError
from rag_app.generate.extractive import Extractive
from rag_app.generate.openai_chat import Limits, OpenAIChat
from rag_app.pipeline import Line, Pipeline
from rag_app.rerank import cross_encoder
from rag_app.rerank.closer import CloserLook
from rag_app.rerank.cross_encoder import BundledReranker, LocalReranker
from rag_app.rerank.http import HttpReranker, is_served
from rag_app.rerank.live import LiveReranker
from rag_app.rerank.store import Store
from rag_app.retrieve import HybridRetriever
from rag_app.rewrite import ModelRewriter, RuleRewriter
from rag_app.settings import Settings
from rag_app.stages import Generator, Rewriter
from rag_app.team.openid import Provider

WARMING = "Is everything ready for the first question? "
RERANK_S = 30.0  # a server's time for one question; then the bundled reranker orders
Judge = TypeVar("Judge", BundledReranker, LiveReranker)


@dataclass(frozen=True, slots=True)
class Application:
    """Everything the commands and the pages stand on."""

    settings: Settings
    parts: Parts
    judge: LiveReranker
    reranker: LiveReranker | LocalReranker | HttpReranker
    endpoint: OpenAIChat | None  # None where no language model is configured
    pipeline: Pipeline

    def warm(self) -> None:
        """Load the models and use them once, now rather than with the first question. No server is asked."""
        self.parts.embedder.embed_question(WARMING)
        # From short to long: an engine makes what it needs for each length when that first comes.
        self.judge.relevance(WARMING, [WARMING * length for length in range(1, 25)])
        self.reranker.load()


def build(settings: Settings) -> Application:
    """Put an application together; no model is loaded yet. Raises LibraryError, ModelError, SettingsError."""
    parts = build_parts(settings.ingest)
    judge = LiveReranker(Store(settings.ingest.home), parts.compute, parts.engines)
    reranker = reranker_of(settings, judge, parts.compute, parts.engines)
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
        closer=CloserLook(judge, parts.embedder),
    )
    pipeline = Pipeline(
        parts.library,
        line,
        candidates=settings.candidates,
        passages=settings.passages,
        strict=settings.strict == 1,
        wider=True,
    )
    return Application(settings, parts, judge, reranker, endpoint, pipeline)


def reranker_of(
    settings: Settings,
    judge: Judge,
    compute: Compute,
    engines: Engines | None = None,
    *,
    total_s: float = RERANK_S,
) -> Judge | LocalReranker | HttpReranker:
    """The reranker that orders: `judge` itself, a model on this machine, or a server given `total_s` a question.

    Raises SettingsError, ModelError.
    """
    if is_served(settings.reranker):
        keys = {
            "COHERE_API_KEY": settings.cohere_api_key,
            "VOYAGE_API_KEY": settings.voyage_api_key,
            "JINA_API_KEY": settings.jina_api_key,
        }
        return HttpReranker(settings.reranker, base_url=settings.reranker_url, keys=keys, total_s=total_s)
    if settings.reranker_url:
        raise SettingsError(
            f"RAG_RERANKER_URL is set, but RAG_RERANKER={settings.reranker} names no server. Unset the address, or "
            "name the kind of server that runs there; `rag models` lists them."
        )
    return judge if settings.reranker == cross_encoder.BUNDLED else LocalReranker(settings.reranker, compute, engines)


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


def provider_of(settings: Settings) -> Provider | None:
    """The OpenID Connect provider that people may sign in at, or None where none is configured."""
    if not settings.oidc_issuer:
        return None
    return Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)

"""Every part of the application looked at: what `rag doctor` prints and the Settings page shows."""

import asyncio
from collections.abc import Callable

from ingest import rebuilding
from ingest.build import engines_of, open_library
from ingest.compute import Compute, Priority
from ingest.embedding import Embedder, torch_sampled
from ingest.engines import TEXTS, TOKENS, Engines, told
from ingest.errors import RagError, RerankerError
from ingest.index.generation import Index
from ingest.library import Library
from rag_app.build import Application, endpoint_of, provider_of, reranker_of
from rag_app.checks import Check, checked
from rag_app.rerank.cross_encoder import LocalReranker
from rag_app.rerank.http import HttpReranker
from rag_app.rerank.live import LiveReranker
from rag_app.rerank.store import Store
from rag_app.settings import Settings
from rag_app.team import question_model

QUESTION = "How long is the notice period?"
SENTENCES = ("It is three months.", "Bananas are yellow.")
CHECK_S = 10.0  # for a reranker that is asked over the network


def of_settings(settings: Settings) -> list[Check]:
    """A process that has nothing loaded looks at every part; loads the models."""
    compute, engines = Compute(), engines_of(settings.ingest)

    def reranker() -> str:
        judge = LiveReranker(Store(settings.ingest.home), compute, engines)
        return _reranker(judge, lambda: reranker_of(settings, judge, compute, engines, total_s=CHECK_S))

    def index() -> str:
        library = open_library(settings.ingest)
        return index_words(Index(library, library.fact("embedder") or ""))

    return checked(
        {
            "library": lambda: _library(open_library(settings.ingest), settings),
            "engine": lambda: _engine(engines, compute),
            "embedder": lambda: _embedder(
                open_library(settings.ingest), Embedder(settings.ingest.embedder, compute, engines)
            ),
            "reranker": reranker,
            "index": index,
            "language model": lambda: _language_model(settings),
            "inbox": inbox_words,
            "sign-in": lambda: _sign_in(settings),
        }
    )


def of_application(application: Application) -> list[Check]:
    """A server looks at the parts it answers with. Takes seconds where something does not respond."""
    parts = application.parts
    return checked(
        {
            "library": lambda: _library(parts.library, application.settings),
            "engine": lambda: f"{_chosen(parts.engines)}.",
            "embedder": lambda: _embedder(parts.library, parts.embedder),
            "reranker": lambda: _reranker(application.judge, lambda: application.reranker),
            "index": lambda: index_words(parts.index),
            "language model": lambda: _language_model(application.settings),
            "inbox": inbox_words,
            "sign-in": lambda: _sign_in(application.settings),
        }
    )


def index_words(index: Index) -> str:
    """How the search index stands."""
    state = index.state()
    if not state.passages and not state.newer:
        return "nothing to index yet."
    return f"{state.passages} passages indexed, {state.newer} newer ones scanned exactly, {state.gone} removed since."


def inbox_words() -> str:
    """What the inbox groups questions by."""
    if question_model.FOLDER.is_dir():
        return f"questions are grouped by {question_model.NAME}."
    return f"questions are grouped by the embedder; {question_model.NAME}, which does it better, is not installed."


def _library(library: Library, settings: Settings) -> str:
    counts = library.counts(library.spaces())
    spaces = ", ".join(library.spaces()) or "none"
    told = f"{library.home.folder}: {counts.documents} documents, {counts.chunks} passages; spaces: {spaces}."
    return " ".join(filter(None, (told, rebuilding.told(library, settings.ingest))))


def _engine(engines: Engines, compute: Compute) -> str:
    """Measures both engines and keeps that, so that the next process takes the faster one. Takes seconds."""
    if not engines.measures:
        return f"{_chosen(engines)}."
    found = compute.run(lambda: engines.compare(*torch_sampled(engines.threads)), Priority.INGESTION)
    took = f"{TEXTS} texts of {TOKENS} tokens through one layer on {found.processor}"
    return f"{_chosen(engines)}. {took}: {told(found.ms)}."


def _chosen(engines: Engines) -> str:
    return f"{engines.choice.name} runs the models: {engines.choice.why}"


def _embedder(library: Library, embedder: Embedder) -> str:
    library.claim_embedder(embedder.name)
    length = len(embedder.embed_question("Is this working?"))
    return f"{embedder.name} gives vectors of {length} dimensions, by {embedder.engine}."


def _reranker(judge: LiveReranker, ordering: Callable[[], LiveReranker | LocalReranker | HttpReranker]) -> str:
    right, wrong = judge.relevance(QUESTION, SENTENCES)
    if judge.notice:
        raise RagError(judge.notice)
    said = f"{judge.name}: {right:.2f} for an answer, {wrong:.2f} for a sentence about something else"
    reranker = ordering()
    if isinstance(reranker, HttpReranker):
        try:
            reranker.scores(QUESTION, SENTENCES)
        except RerankerError as error:
            raise RagError(f"{error} Until then the bundled one orders the passages.") from error
        return f"{reranker.name} at {reranker.host} answers and orders; {said}."
    if isinstance(reranker, LiveReranker):
        return f"{said}; answers need {judge.threshold:.2f}."
    return f"{reranker.name} orders, by {reranker.engine}; {said}."


def _language_model(settings: Settings) -> str:
    # A connection of its own: the one that answers belongs to the server's event loop.
    endpoint = endpoint_of(settings)
    if endpoint is None:
        return "none is set (RAG_LLM_MODEL); answers are quoted from the documents."
    fault = asyncio.run(endpoint.probe())
    if fault:
        raise RagError(f"{fault} Until then answers are quoted from the documents.")
    return f"{endpoint.model} at {endpoint.host} answers."


def _sign_in(settings: Settings) -> str:
    # A provider of its own: the one that people sign in at belongs to the server's event loop.
    provider = provider_of(settings)
    if provider is None:
        return "no OpenID Connect provider is set (RAG_OIDC_ISSUER)."
    asyncio.run(provider.probe())
    return f"people may also sign in at {provider.host}, which answers."

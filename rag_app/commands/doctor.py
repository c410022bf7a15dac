"""rag doctor: every part looked at, each with a sentence."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from ingest.build import open_library
from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.errors import RagError, RerankerError
from ingest.index.generation import Index
from rag_app.settings import Settings

QUESTION = "How long is the notice period?"
SENTENCES = ("It is three months.", "Bananas are yellow.")
CHECK_S = 10.0  # for a reranker that is asked over the network


@dataclass(frozen=True, slots=True)
class Check:
    """One part and how it does."""

    name: str
    ok: bool
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check everything; 1 when something does not work."""
    checks = [
        _checked(name, look, settings)
        for name, look in (
            ("library", _library),
            ("embedder", _embedder),
            ("reranker", _reranker),
            ("index", _index),
            ("language model", _language_model),
        )
    ]
    ok = all(check.ok for check in checks)
    if arguments.json:
        sys.stdout.write(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}) + "\n")
    else:
        sys.stdout.writelines(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}\n" for check in checks)
    return 0 if ok else 1


def _checked(name: str, look: Callable[[Settings], str], settings: Settings) -> Check:
    try:
        return Check(name, ok=True, detail=look(settings))
    except RagError as error:
        return Check(name, ok=False, detail=str(error))


def _library(settings: Settings) -> str:
    library = open_library(settings.ingest)
    counts = library.counts(library.spaces())
    spaces = ", ".join(library.spaces()) or "none"
    return f"{library.home.folder}: {counts.documents} documents, {counts.chunks} passages; spaces: {spaces}."


def _embedder(settings: Settings) -> str:
    embedder = Embedder(settings.ingest.embedder, Compute())
    open_library(settings.ingest).claim_embedder(embedder.name)
    length = len(embedder.embed_question("Is this working?"))
    return f"{embedder.name} gives vectors of {length} dimensions."


def _reranker(settings: Settings) -> str:
    from rag_app.build import reranker_of
    from rag_app.rerank.http import HttpReranker
    from rag_app.rerank.live import LiveReranker
    from rag_app.rerank.store import Store

    compute = Compute()
    judge = LiveReranker(Store(settings.ingest.home), compute)
    right, wrong = judge.relevance(QUESTION, SENTENCES)
    if judge.notice:
        raise RagError(judge.notice)
    told = f"{judge.name}: {right:.2f} for an answer, {wrong:.2f} for a sentence about something else"
    reranker = reranker_of(settings, judge, compute, total_s=CHECK_S)
    if isinstance(reranker, HttpReranker):
        try:
            reranker.scores(QUESTION, SENTENCES)
        except RerankerError as error:
            raise RagError(f"{error} Until then the bundled one orders the passages.") from error
        return f"{reranker.name} at {reranker.host} answers and orders; {told}."
    if reranker is judge:
        return f"{told}; answers need {judge.threshold:.2f}."
    reranker.load()
    return f"{reranker.name} orders; {told}."


def _index(settings: Settings) -> str:
    library = open_library(settings.ingest)
    state = Index(library, library.fact("embedder") or "").state()
    if not state.passages and not state.newer:
        return "nothing to index yet."
    return f"{state.passages} passages indexed, {state.newer} newer ones scanned exactly, {state.gone} removed since."


def _language_model(settings: Settings) -> str:
    from rag_app.build import endpoint_of

    endpoint = endpoint_of(settings)
    if endpoint is None:
        return "none is set (RAG_LLM_MODEL); answers are quoted from the documents."
    fault = asyncio.run(endpoint.probe())
    if fault:
        raise RagError(f"{fault} Until then answers are quoted from the documents.")
    return f"{endpoint.model} at {endpoint.host} answers."

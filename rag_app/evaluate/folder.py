"""A folder with a data set -> a run, with the models that the settings name. The owner's library is never opened."""

import sys
from dataclasses import replace
from pathlib import Path

from ingest.build import engines_of
from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.errors import DatasetError
from ingest.terminal import printable
from rag_app.build import endpoint_of, reranker_of
from rag_app.evaluate.answering import Answerers, KeptJudge, KeptReranker, answered
from rag_app.evaluate.datasets import is_beir, read_beir
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import is_pdf_folder, read_pdf_folder
from rag_app.evaluate.records import Dataset, Run
from rag_app.evaluate.run import Plan, evaluate
from rag_app.rerank.live import LiveReranker
from rag_app.rerank.store import Store
from rag_app.settings import Settings

CACHE = "cache"  # in RAG_HOME


def evaluate_folder(folder: Path, settings: Settings, plan: Plan, *, answers: bool = False) -> Run:
    """Evaluate a data set, with `answers` also what is answered from it; notices and progress go to stderr.

    Raises DatasetError for what is wrong with the folder, HomeBusy while another process reads the same PDFs,
    ModelError, RerankerError, SettingsError.
    """
    cache = settings.ingest.home / CACHE
    compute = Compute()
    engines = engines_of(settings.ingest)
    embedder = Embedder(settings.ingest.embedder, compute, engines)
    judge = LiveReranker(Store(settings.ingest.home), compute, engines)
    if judge.notice:
        sys.stderr.write(f"{judge.notice}\n")
    reranker = reranker_of(settings, judge, compute, engines)
    dataset = _read(folder, settings, embedder, cache)
    for notice in dataset.notices:
        sys.stderr.write(printable(notice) + "\n")
    kept = Kept(cache)
    try:
        models = Models(embedder, reranker, kept)
        run = evaluate(dataset, models, plan)
        if not answers:
            return run
        judging = KeptJudge(Models(embedder, judge, kept), judge)
        ordering = judging if reranker is judge else KeptReranker(models)
        answerers = Answerers(ordering, judging, endpoint_of(settings))
        return replace(run, answered=answered(dataset, models, answerers, plan), computed=models.computed)
    finally:
        kept.close()


def _read(folder: Path, settings: Settings, embedder: Embedder, cache: Path) -> Dataset:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder. Name one that holds a data set.")
    if is_beir(folder):
        return read_beir(folder)
    if is_pdf_folder(folder):
        return read_pdf_folder(folder, settings.ingest, embedder, cache)
    raise DatasetError(
        f"{folder} holds no data set: neither corpus.jsonl (a BEIR folder) nor questions.jsonl (beside its PDFs)."
    )

"""What training a team's own model needs of a home. The library is only read, and Chroma is never opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.build import build as build_parts
from rag_app.access import visible_spaces
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.records import Hit
from rag_app.rerank.store import Store
from rag_app.retrieve import HybridRetriever
from rag_app.settings import Settings
from rag_app.train.asked import Asked, of_dataset
from rag_app.train.line import Workshop

CACHE = "cache"  # in RAG_HOME, shared with `rag evaluate`


@contextmanager
def workshop(settings: Settings, store: Store, handbook: Path | None) -> Iterator[Workshop]:
    """What to train with, closed when the block ends. Raises LibraryError, ModelError."""
    parts = build_parts(settings.ingest)
    spaces = visible_spaces(parts.library.spaces())
    retriever = HybridRetriever(parts.library, parts.index, parts.embedder)
    cache = parts.home.folder / CACHE
    kept = Kept(cache)

    def find(question: str) -> Sequence[Hit]:
        return retriever.retrieve(question, spaces, settings.candidates)[0]

    def remembered(models: Models) -> Sequence[Asked]:
        assert handbook is not None
        dataset = read_pdf_folder(handbook, settings.ingest, parts.embedder, cache)
        return list(of_dataset(dataset, lambda question: models.question_vector(question)[0], settings.candidates))

    try:
        yield Workshop(
            store=store,
            compute=parts.compute,
            embedder=parts.embedder,
            engines=parts.engines,
            kept=kept,
            documents=parts.library.documents(spaces),
            find=find,
            handbook=None if handbook is None else remembered,
        )
    finally:
        kept.close()
        parts.index.close()
        parts.library.close()

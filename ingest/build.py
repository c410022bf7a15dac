"""Settings -> parts. The one place of ingestion that knows which part is made of what."""

from dataclasses import dataclass

from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.home import Home
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.pipeline import Ingestion
from ingest.settings import Settings
from ingest.worker import Worker


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything ingestion is made of, put together."""

    home: Home
    library: Library
    compute: Compute
    embedder: Embedder
    index: Index
    intake: Intake
    worker: Worker


def open_library(settings: Settings) -> Library:
    """The library of a home, made where there is none. Raises LibraryError."""
    return Library(Home(settings.home).prepare())


def build(settings: Settings) -> Parts:
    """All parts for a home; no model is loaded yet. Raises LibraryError, ModelError."""
    library = open_library(settings)
    compute = Compute()
    embedder = Embedder(settings.embedder, compute, settings.threads)
    library.claim_embedder(embedder.name)
    index = Index(library, embedder.name)
    ingestion = Ingestion(library, embedder, settings, load=lambda model: Embedder(model, compute, settings.threads))
    return Parts(
        home=library.home,
        library=library,
        compute=compute,
        embedder=embedder,
        index=index,
        intake=Intake(library, settings.max_file_mb),
        worker=Worker(library, ingestion, index),
    )

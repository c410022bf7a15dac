"""Settings -> parts. The one place of ingestion that knows which part is made of what."""

from dataclasses import dataclass

from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.engines import Engines
from ingest.home import Home
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.pipeline import Ingestion
from ingest.settings import Settings
from ingest.worker import Worker

CACHE = "cache"  # in a home: what can be made again


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything ingestion is made of, put together."""

    home: Home
    library: Library
    compute: Compute
    engines: Engines
    embedder: Embedder
    index: Index
    intake: Intake
    worker: Worker


def open_library(settings: Settings) -> Library:
    """The library of a home, made where there is none. Raises LibraryError."""
    return Library(Home(settings.home).prepare())


def engines_of(settings: Settings) -> Engines:
    """What models are run with; measured once a home. Raises SettingsError."""
    return Engines(settings.engine, settings.threads, settings.home / CACHE)


def build(settings: Settings) -> Parts:
    """All parts for a home; no model is loaded yet. Raises LibraryError, ModelError."""
    library = open_library(settings)
    compute = Compute()
    engines = engines_of(settings)
    embedder = Embedder(settings.embedder, compute, engines)
    library.claim_embedder(embedder.name)
    index = Index(library, embedder.name)
    ingestion = Ingestion(library, embedder, settings, load=lambda model: Embedder(model, compute, engines))
    return Parts(
        home=library.home,
        library=library,
        compute=compute,
        engines=engines,
        embedder=embedder,
        index=index,
        intake=Intake(library, settings.max_file_mb),
        worker=Worker(library, ingestion, index),
    )

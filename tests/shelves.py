"""Libraries for tests: real ones, on a temporary disk, filled in a line or two."""

from pathlib import Path

from fakes import HashEmbedder
from pdf_makers import drawn, lines

from ingest.home import Home
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.library.jobs import NewJob
from ingest.pipeline import Ingestion, document_id
from ingest.records import Chunk, Document, Job
from ingest.settings import Settings
from ingest.worker import Worker

RECIPE = "test"


def new_library(folder: Path) -> Library:
    return Library(Home(folder / "home").prepare())


def put(library: Library, *texts: str, name: str = "a.pdf", space: str = "documents", content: str = "") -> Document:
    """A visible document with one passage a text, as ingestion would leave it."""
    content = content or (name.encode().hex() + "0" * 64)[:64]
    identifier = document_id(space, content)
    chunks = [
        Chunk(f"{identifier}-{n}", identifier, n, n + 1, n + 1, n + 1, str(n + 1), "", text, 0, len(text))
        for n, text in enumerate(texts)
    ]
    document = Document(
        identifier, space, content, name.removesuffix(".pdf"), name, len(texts), len(texts), 10, "2026-01-01T00:00:00"
    )
    (library.home.originals / content).write_bytes(b"original of " + name.encode())
    library.begin(document, RECIPE, chunks)
    library.add_vectors(identifier, HashEmbedder.name, 0, HashEmbedder().embed(texts))
    library.publish(identifier, space, name, size=10, mtime_ns=1)
    return document


class Shelf:
    """A library with everything that fills it, a hashed embedder instead of a model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = new_library(folder)
        self.embedder = HashEmbedder()
        self.settings = Settings(home=self.library.home.folder, read_seconds=20)
        self.index = Index(self.library, self.embedder.name)
        self.intake = Intake(self.library, max_file_mb=5)
        self.worker = Worker(self.library, Ingestion(self.library, self.embedder, self.settings), self.index)

    def pdf(self, *texts: str, name: str = "plan.pdf") -> Path:
        """A PDF of one page with these lines, which can be found among its bytes."""
        path = self.folder / name
        path.write_bytes(drawn(lines(*texts), packed=False))
        return path

    def add(self, path: Path, space: str = "documents") -> Job:
        """Take a file in and see it to its end."""
        job = self.intake.add(path, space)
        self.worker.work_off()
        return self.library.jobs.get(job.id)


def waiting(space: str, path: str, content: str) -> NewJob:
    return NewJob(space=space, path=path, content=content, size=10)

"""The straight line for one document: read -> clean -> chunk -> embed -> store."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Protocol

from ingest import chunking, cleaning, failpoints, reading
from ingest.embedding import BATCH, Vectors
from ingest.errors import LibraryError, ModelError, Refused
from ingest.library import EmbedderChanged, Library
from ingest.library.renewal import Renewal
from ingest.records import Chunk, Document, FileState, Job, JobState, Reading
from ingest.settings import Settings

logger = logging.getLogger(__name__)

MOST_NAMED = 12  # runs of pages that a sentence about a document names
CANCELLED = (JobState.CANCELLED, "Cancelled. Nothing of it was kept.")


class DocumentEmbedder(Protocol):
    """What ingestion needs of an embedder."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, (texts, dimensions), each of length 1."""
        ...

    def pieces(self, text: str) -> int:
        """Word pieces of a text."""
        ...


class Reader(Protocol):
    """What gets pages out of a file."""

    def __call__(
        self,
        file: Path,
        /,
        *,
        name: str,
        seconds: int,
        memory_mb: int,
        progress: Callable[[int, int], None],
        cancelled: Callable[[], bool],
    ) -> Reading:
        """The pages of `file`, which came as `name`. Raises Refused."""
        ...


class Cancelled(Exception):
    """The job was cancelled."""


def recipe(settings: Settings) -> str:
    """What made a document's passages: the versions of reader, cleaning and chunker, 12 hex digits."""
    parts = (reading.VERSION, cleaning.VERSION, chunking.VERSION, str(settings.passage_pieces))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def document_id(space: str, content: str) -> str:
    """The id of one content in one space: SHA-256(space, NUL, content hash), 32 hex digits."""
    return hashlib.sha256(f"{space}\0{content}".encode()).hexdigest()[:32]


class Ingestion:
    """Takes a job from a file's bytes to visible passages; several threads may each do one."""

    def __init__(
        self,
        library: Library,
        embedder: DocumentEmbedder,
        settings: Settings,
        read: Reader = reading.read,
        load: Callable[[str], DocumentEmbedder] | None = None,
    ) -> None:
        """`load` makes an embedder of a model's name; without it, files wait once the library has another one."""
        self._library = library
        self._reader = read
        self._embedder = embedder
        self._settings = settings
        self._recipe = recipe(settings)
        self._load = load
        self._cutting = threading.Lock()  # a tokenizer is for one thread at a time
        self._successor: DocumentEmbedder | None = None  # the library's embedder, where that is another by now
        self._unknown: str | None = None  # an embedder of the library's that could not be loaded

    def ready(self) -> bool:
        """Whether documents can be embedded as the library needs it.

        A rebuild that gave the library another embedder while this process answers with its own is followed by
        embedding with both, so that documents are found here now and after the next start.
        """
        now = self._library.fact("embedder")
        if now in {None, self._embedder.name} or (self._successor is not None and self._successor.name == now):
            return True
        if now != self._unknown:
            self._successor = self._loaded(now or "")
            self._unknown = None if self._successor else now
        return now != self._unknown

    def _loaded(self, name: str) -> DocumentEmbedder | None:
        """The embedder of that name, where it was announced and can be loaded here."""
        model = Renewal(self._library).model_of(name)
        if self._load is None or model is None:
            return None
        try:
            found = self._load(model)
        except ModelError as error:
            logger.warning("%s", error)
            return None
        return found if found.name == name else None

    def run(self, job: Job) -> Job:
        """Do a job to its end and return it as it ended; a crash leaves it to be taken up again."""
        started = time.monotonic()
        try:
            document = self._held(job) or self._taken_in(job)
            end: tuple[JobState, str] = (JobState.READY, told(document))
        except Refused as error:
            # A reader that is stopped on request refuses too.
            cancelled = self._library.jobs.cancelled(job.id)
            end = CANCELLED if cancelled else (JobState(error.state), str(error))
        except LibraryError as error:
            end = (JobState.REFUSED, str(error))
        except Cancelled:
            end = CANCELLED
        except EmbedderChanged:
            return self._library.jobs.get(job.id)  # taken up again by a process that has the new one
        failpoints.reached("job.published")
        self._library.jobs.update(job.id, state=end[0], reason=end[1], seconds=time.monotonic() - started)
        failpoints.reached("job.ended")
        self._library.sweep([job.content])
        return self._library.jobs.get(job.id)

    def _held(self, job: Job) -> Document | None:
        """The document where it is visible already: made so before a crash, or by another job with the same bytes.

        It only gets the job's name; begun anew, it would be missing from answers meanwhile.
        """
        document = self._library.document(document_id(job.space, job.content))
        if document is not None:
            self._library.jobs.update(
                job.id,
                document_id=document.id,
                pages=document.pages,
                pages_done=document.pages,
                chunks=document.chunks,
                chunks_done=document.chunks,
            )
            self._library.rename(
                document.id, job.space, job.path, size=job.size, mtime_ns=self._library.jobs.mtime_ns(job.id)
            )
        return document

    def _taken_in(self, job: Job) -> Document:
        # It was looked at when the file came; others that waited before it have taken their room since.
        self._library.home.need_room(job.size, PurePath(job.path).name)
        document = self._document(job)
        self._embed(job, document)
        self._library.jobs.update(job.id, state=JobState.INDEXING)
        failpoints.reached("job.indexing")
        self._library.publish(
            document.id, job.space, job.path, size=job.size, mtime_ns=self._library.jobs.mtime_ns(job.id)
        )
        return document

    def _document(self, job: Job) -> Document:
        """The document with its passages stored, hidden; taken up where a crash left it."""
        identifier = document_id(job.space, job.content)
        begun = self._library.hidden(identifier, self._recipe)
        if begun is not None:
            return begun
        found = self._read(job)
        self._library.jobs.update(job.id, state=JobState.CHUNKING)
        with self._cutting:
            found, chunks = cut(found, job.path, identifier, self._embedder, self._settings)
        document = _document(job, identifier, found, chunks)
        self._library.begin(document, self._recipe, chunks)
        return document

    def _read(self, job: Job) -> Reading:
        self._library.jobs.update(job.id, state=JobState.READING)
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if done == total or time.monotonic() - last > 0.2:  # noqa: PLR2004 - seconds between two writes
                last = time.monotonic()
                self._library.jobs.update(job.id, pages_done=done, pages=total)

        failpoints.reached("job.reading")
        found = self._reader(
            self._library.home.originals / job.content,
            name=PurePath(job.path).name,
            seconds=self._settings.read_seconds,
            memory_mb=self._settings.read_memory_mb,
            progress=progress,
            cancelled=lambda: self._library.jobs.cancelled(job.id),
        )
        failpoints.reached("job.read")
        self._stop_if_cancelled(job)
        return found

    def _embed(self, job: Job, document: Document) -> None:
        chunks = self._library.document_chunks(document.id)
        self._library.jobs.update(
            job.id,
            state=JobState.EMBEDDING,
            document_id=document.id,
            pages=document.pages,
            pages_done=document.pages,
            chunks=len(chunks),
        )
        for embedder in filter(None, (self._successor, self._embedder)):
            done = self._library.embedded(document.id, embedder.name)
            self._library.jobs.update(job.id, chunks_done=done)
            for start in range(done, len(chunks), BATCH):
                self._stop_if_cancelled(job)
                part = chunks[start : start + BATCH]
                texts = [chunking.embedded_text(document.title, chunk.heading, chunk.text) for chunk in part]
                self._library.add_vectors(document.id, embedder.name, start, embedder.embed(texts))
                self._library.jobs.update(job.id, chunks_done=start + len(part))

    def _stop_if_cancelled(self, job: Job) -> None:
        if self._library.jobs.cancelled(job.id):
            raise Cancelled


def cut(
    found: Reading, path: str, identifier: str, embedder: DocumentEmbedder, settings: Settings
) -> tuple[Reading, list[Chunk]]:
    """A cleaned reading, which has a title, and its passages. Raises Refused where there are none."""
    pages = cleaning.clean(found.pages, own_pages=found.own_pages)
    cleaned = replace(found, title=found.title or PurePath(path).stem, pages=pages)
    chunks = chunking.chunk(cleaned, identifier, recipe(settings), embedder.pieces, settings.passage_pieces)
    if not chunks:
        raise Refused(f"{PurePath(path).name} holds no text that could be searched.", FileState.NO_TEXT)
    return cleaned, chunks


def _document(job: Job, identifier: str, found: Reading, chunks: Sequence[Chunk]) -> Document:
    begun = Document(
        id=identifier,
        space=job.space,
        content=job.content,
        title=found.title,
        path=job.path,
        pages=found.page_count,
        chunks=len(chunks),
        size=job.size,
        added=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return as_read(begun, found, chunks)


def as_read(document: Document, found: Reading, chunks: Sequence[Chunk]) -> Document:
    """The document with what is known of it from a cleaned reading and its passages."""
    return replace(
        document,
        title=found.title,
        pages=found.page_count,
        chunks=len(chunks),
        failed_pages=found.failed_pages,
        empty_pages=tuple(page.number for page in found.pages if not page.text.strip()),
        hidden_words=found.hidden_words,
        characters=sum(len(page.text) for page in found.pages),
        form_values=found.form_values,
        notes=found.notes,
        doubt=found.doubt,
    )


def told(document: Document) -> str:
    """What a person should know of a document that is ready; "" where all of it was read."""
    parts = []
    if document.failed_pages:
        parts.append(f"{_of(document.failed_pages, document.pages)} could not be read.")
    if document.empty_pages:
        parts.append(f"{_of(document.empty_pages, document.pages)} hold no text (pictures or blank).")
    if document.hidden_words:
        parts.append(f"{document.hidden_words} hidden words were left out.")
    if document.notes:
        said = "1 note" if document.notes == 1 else f"{document.notes} notes"
        parts.append(f"{said} behind signs on its pages {'was' if document.notes == 1 else 'were'} not read.")
    if document.doubt:
        parts.append(document.doubt)
    return " ".join(parts)


def _of(numbers: Sequence[int], pages: int) -> str:
    """How many of the pages, and which: "3 of 9 pages (1, 4 to 5)"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:MOST_NAMED]]
    more = " and others" if len(runs) > MOST_NAMED else ""
    return f"{len(numbers)} of {pages} pages ({', '.join(named)}{more})"

"""Takes a document out of a home so that no byte of it stays: what `rag documents remove --purge` does to the library.

Removing alone takes it out of answers and deletes its rows and its original. Its words then still stand in the search
index, in the journal and free pages of SQLite, and in copies that a crash left at the door.
"""

import json
import re
import time
from collections.abc import Callable

from ingest import failpoints
from ingest.errors import HomeBusy, LibraryError
from ingest.home import OwnerLock
from ingest.index.generation import Index
from ingest.library import Library
from ingest.library.database import compact
from ingest.library.jobs import NewJob
from ingest.library.schema import VERSION, earlier
from ingest.records import Document, Job, JobKind, JobState

SHORT = 4  # letters from which on a word may tell something
POLL_S = 0.2  # between two looks at the job that builds the index
_WORD = re.compile(r"\w+")
_FACT = "purging"


def own_words(library: Library, document: Document) -> frozenset[str]:
    """The words of a document, folded, that no other visible document holds; short ones without a digit left out."""
    own = _words(f"{document.title} {document.path}")
    for chunk in library.document_chunks(document.id):
        own |= _words(f"{chunk.heading} {chunk.text}")
    for other, _ in library.visible():
        if other.id != document.id and own:
            own -= _words(f"{other.title} {other.path}")
            for chunk in library.document_chunks(other.id):
                own -= _words(f"{chunk.heading} {chunk.text}")
    return frozenset(word for word in own if len(word) >= SHORT or any(map(str.isdigit, word)))


def unfinished(library: Library) -> list[str]:
    """The ids of documents whose purge was begun and not finished."""
    return list(json.loads(library.fact(_FACT) or "[]"))


def begin(library: Library, document_id: str) -> None:
    """Note that a purge was begun, so that one that is cut short is known."""
    library.remember(**{_FACT: json.dumps(sorted({*unfinished(library), document_id}))})


def take_out(library: Library, document: Document) -> None:
    """Remove a document, what is known of its jobs, and copies of it that a crash left on their way in."""
    original = library.original(document)
    content = original.read_bytes() if original.is_file() else b""
    for file in library.home.incoming.iterdir():
        if file.is_file() and content.startswith(file.read_bytes()):
            file.unlink(missing_ok=True)
    library.remove(document.id)
    library.jobs.forget(document.space, document.content)
    failpoints.reached("purge.removed")


def finish(library: Library, *document_ids: str) -> None:
    """Write the database anew without what was deleted, and drop the copies that migrations made."""
    for version in range(1, VERSION):
        earlier(library.home.library_db, version).unlink(missing_ok=True)
    left = [one for one in unfinished(library) if one not in document_ids]
    compact(library.home.library_db)
    failpoints.reached("purge.compacted")
    library.remember(**{_FACT: json.dumps(left)})


def build_index(library: Library, tell: Callable[[str], None]) -> None:
    """Have a new generation built and the old one deleted, here or by the process that owns the home.

    Raises LibraryError when it could not be built.
    """
    job: Job | None = None
    while job is None or not job.final:
        try:
            with OwnerLock(library.home).acquire():
                index = Index(library, library.fact("embedder") or "")
                built = index.rebuild()
                index.close()
                if job is not None:  # the owner ended before it came to it
                    library.jobs.update(job.id, state=JobState.READY if built else JobState.REFUSED)
                break
        except HomeBusy as busy:
            if job is None:
                tell(f"The process that owns this library (pid {busy.pid}) builds the index anew.")
                job = library.jobs.add(NewJob(space="", path="", kind=JobKind.REBUILD))
            time.sleep(POLL_S)
            job = library.jobs.get(job.id)
            built = job.state == JobState.READY
    if not built:
        raise LibraryError(
            "The document is out of the library, but the search index could not be built anew and may still hold its "
            "words. See the log, then run the same command once more."
        )


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}

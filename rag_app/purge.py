"""Removes a document for good, and says what that did not reach."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest import failpoints, purging
from ingest.errors import LibraryError
from ingest.library import Library
from ingest.library.database import compact
from rag_app import blanking
from rag_app.app_database import AppDatabase, drop_copies

NOT_REACHED = (
    "backups and copies of this folder that were made before",
    "models that were trained on it, and training data taken from it",
    "the file where it came from, and answers that were exported or copied",
    "what `rag evaluate` kept of the sets it was run on: the folders evaluations and cache, which may be deleted",
    "what the providers of a language model or reranker kept of it",
    "blocks of the disk that the system has not written over yet",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a purge did and what it could not do."""

    document_id: str
    title: str
    at: str  # ISO 8601, UTC
    passages: int  # deleted, with their vectors
    answers: int  # stored answers whose quotes were blanked
    also_in: tuple[str, ...]  # spaces that hold the same file as another document, which stays
    not_reached: tuple[str, ...] = NOT_REACHED


def purge(library: Library, document_id: str, build_index: Callable[[], None] | None = None) -> Receipt:
    """Remove a document so that no byte of it stays in the home; may be run again where it was cut short.

    Raises LibraryError where there is no such document, or where a step failed and has to be done again.
    """
    document = library.document(document_id)
    also_in = [one.space for one in library.documents() if document and one.content == document.content]
    database = AppDatabase(library.home.app_db)
    try:
        known = document is not None or document_id in purging.unfinished(library)
        if not known and not blanking.quoted(database, document_id):
            raise LibraryError(f"There is no document {document_id}. `rag documents` lists them with their ids.")
        answers = _erase(library, database, document_id, build_index or (lambda: purging.build_index(library, _tell)))
    finally:
        database.close()
    compact(library.home.app_db)
    drop_copies(library.home.app_db)
    purging.finish(library, document_id)
    return Receipt(
        document_id=document_id,
        title=document.title if document else "",
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        passages=document.chunks if document else 0,
        answers=answers,
        also_in=tuple(space for space in also_in if document and space != document.space),
    )


def _erase(library: Library, database: AppDatabase, document_id: str, build_index: Callable[[], None]) -> int:
    """Blank answers, remove the document, have the index built; returns the number of answers blanked."""
    document = library.document(document_id)
    words = frozenset[str]() if document is None else purging.own_words(library, document)
    purging.begin(library, document_id)
    answers = blanking.blank(database, document_id, words)
    failpoints.reached("purge.blanked")
    if document is not None:
        purging.take_out(library, document)
    build_index()
    failpoints.reached("purge.rebuilt")
    # Questions that were being answered meanwhile may have quoted it once more.
    return answers + blanking.blank(database, document_id, words)


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")

"""Removes documents for good, and says what that did not reach."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest import failpoints, purging
from ingest.errors import LibraryError
from ingest.library import Library
from ingest.library.database import compact
from ingest.records import Document
from rag_app import blanking, evaluated
from rag_app.app_database import AppDatabase, drop_copies

NOT_REACHED = (
    "backups and copies of this folder that were made before",
    "models that were trained on it, and training data taken from it",
    "the file where it came from, and answers that were exported or copied",
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
    results: int  # of evaluations, in which its passages were blanked; what evaluations had computed is deleted
    also_in: tuple[str, ...]  # spaces that hold the same file as another document, which stays
    not_reached: tuple[str, ...] = NOT_REACHED


def purge(library: Library, document_id: str, build_index: Callable[[], None] | None = None) -> Receipt:
    """Remove a document so that no byte of it stays in the home; may be run again where it was cut short.

    Raises LibraryError where there is no such document, or where a step failed and has to be done again.
    """
    return purge_all(library, [document_id], build_index)[0]


def purge_all(
    library: Library, document_ids: Sequence[str], build_index: Callable[[], None] | None = None
) -> list[Receipt]:
    """Remove several documents so, for the price of one index; a receipt for each. Raises LibraryError as `purge`."""
    database = AppDatabase(library.home.app_db)
    try:
        for document_id in document_ids:
            _check_known(library, database, document_id)
        erased = [_erase(library, database, document_id) for document_id in document_ids]
        (build_index or (lambda: purging.build_index(library, _tell)))()
        failpoints.reached("purge.rebuilt")
        # Questions that were being answered meanwhile may have quoted one once more.
        again = [blanking.blank(database, one.document_id, one.words) for one in erased]
    finally:
        database.close()
    compact(library.home.app_db)
    drop_copies(library.home.app_db)
    evaluated.drop_cache(library.home.folder)
    purging.finish(library, *document_ids)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return [one.receipt(at, one.answers + more) for one, more in zip(erased, again, strict=True)]


@dataclass(frozen=True, slots=True)
class _Erased:
    document_id: str
    document: Document | None  # None where an earlier purge of it was cut short
    words: frozenset[str]  # that no other document held
    also_in: tuple[str, ...]
    answers: int
    results: int

    def receipt(self, at: str, answers: int) -> Receipt:
        title, passages = (self.document.title, self.document.chunks) if self.document else ("", 0)
        return Receipt(self.document_id, title, at, passages, answers, self.results, self.also_in)


def _check_known(library: Library, database: AppDatabase, document_id: str) -> None:
    """Raise LibraryError where there is no such document and there never was."""
    known = library.document(document_id) is not None or document_id in purging.unfinished(library)
    if not known and not blanking.quoted(database, document_id):
        raise LibraryError(f"There is no document {document_id}. `rag documents` lists them with their ids.")


def _erase(library: Library, database: AppDatabase, document_id: str) -> _Erased:
    """Blank answers and remove the document; the old index still holds its words."""
    document = library.document(document_id)
    alike = [one.space for one in library.documents() if document and one.content == document.content]
    also_in = tuple(space for space in alike if document and space != document.space)
    words = frozenset[str]() if document is None else purging.own_words(library, document)
    purging.begin(library, document_id)
    answers = blanking.blank(database, document_id, words)
    results = 0 if document is None else evaluated.blank(library.home.folder, document, words)
    failpoints.reached("purge.blanked")
    if document is not None:
        purging.take_out(library, document)
    return _Erased(document_id, document, words, also_in, answers, results)


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")

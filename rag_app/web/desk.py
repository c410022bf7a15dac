"""What the pages may ask for: callables and records, nothing else."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.records import Document, Job, PageImage
from rag_app.records import Answer, Turn
from rag_app.suggestions import Suggestions


@dataclass(frozen=True, slots=True)
class Status:
    """What the header and the first page say about the library and the one who answers."""

    documents: int  # that ordinary questions are answered from
    passages: int  # of those documents
    handbook_only: bool  # nothing but the shipped handbook is there
    handbook: bool  # the shipped handbook is there
    generator: str  # "Quoted from the documents, no model used", or "llama3 at localhost"
    index: str  # a sentence about the search index; "" where there is nothing to say


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of a file that was handed in. Exactly one of the two is given."""

    job: Job | None = None
    existing: Document | None = None  # this name is taken by other bytes: replace it, or keep both?


class Ask(Protocol):
    """Answers a question."""

    def __call__(
        self, question: str, turns: Sequence[Turn], *, rerank: bool = True, without: Collection[str] = ()
    ) -> AsyncIterator[Answer]:
        """Growing answers as an async generator, closed when the reader stops; the last has stage DONE.

        `without` are whole texts of passages that must not be used.
        """
        ...


class PageImages(Protocol):
    """Draws pages."""

    def __call__(self, document_id: str, page: int, *, quote: str, near: int, width: int) -> PageImage:
        """A page (1-based) `width` pixels wide, with the boxes of `quote`. Raises RagError with a sentence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the pages can do. All but `ask` are plain functions, called from worker threads."""

    ask: Ask
    search_handbook: Callable[[str], Answer]  # a reranked search of the shipped handbook; no hits where it is not here
    add_upload: Callable[[Path, str, bool | None], Upload]  # file, name, replace (None: not said); takes the file
    jobs: Callable[[], Sequence[Job]]  # under way and lately finished, newest first
    cancel: Callable[[int], None]
    documents: Callable[[], Sequence[Document]]  # all of them, the handbook's too
    remove: Callable[[str], None]  # raises RagError where there is no such document
    page_image: PageImages
    original: Callable[[str], Path]  # raises RagError where there is no such document
    status: Callable[[], Status]
    suggestions: Callable[[], Suggestions]  # questions to begin with
    handbook: str = "handbook"  # the space of the shipped handbook

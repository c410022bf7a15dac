"""What the pages may ask for: callables and records, nothing else."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ingest.errors import Refused
from ingest.records import Document, Job, PageImage
from rag_app.records import Answer, Turn
from rag_app.suggestions import Suggestions
from rag_app.team.question_vectors import Embedding
from rag_app.team.reply import Writer

Told_co = TypeVar("Told_co", covariant=True)


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
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        """Growing answers as an async generator, closed when the reader stops; the last has stage DONE.

        `without` are whole texts of passages that must not be used. `spaces` are searched; None is all but the
        handbook, which answers only while it is alone.
        """
        ...


class AddUpload(Protocol):
    """Takes a file that was sent."""

    def __call__(self, file: Path, name: str, replace: bool | None, space: str = "") -> Upload:  # noqa: FBT001
        """Take `file`, called `name`, into `space` ("" is the usual one); `replace` None: not said. Raises RagError."""
        ...


class Publish(Protocol):
    """Puts a text that was written here into the library."""

    def __call__(self, space: str, name: str, text: str) -> None:
        """Have `text` become the document called `name` in `space`, in the place of an earlier one. Raises RagError."""
        ...


def nowhere(space: str, name: str, text: str) -> None:  # noqa: ARG001 - the protocol's
    """Publish nothing: what is said where texts cannot become documents."""
    raise Refused("Answers cannot be approved on this server.")


class Tell(Protocol[Told_co]):
    """Says something about the library."""

    def __call__(self, spaces: Sequence[str] | None = None) -> Told_co:
        """Of these spaces, or of all of them where None."""
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
    add_upload: AddUpload
    jobs: Tell[Sequence[Job]]  # the first under way, then those lately finished, newest first
    cancel: Callable[[int], None]
    documents: Callable[[], Sequence[Document]]  # all of them, the handbook's too
    remove: Callable[[str], None]  # raises RagError where there is no such document
    page_image: PageImages
    original: Callable[[str], Path]  # raises RagError where there is no such document
    status: Tell[Status]
    suggestions: Tell[Suggestions]  # questions to begin with
    spaces: Callable[[], Sequence[str]]  # that hold a document, by name
    publish: Publish = nowhere
    embedding: Embedding | None = None  # of questions, for the inbox
    writer: Writer | None = None  # of replies; None where no language model is configured
    handbook: str = "handbook"  # the space of the shipped handbook
    space: str = "documents"  # the usual one, where files go unless another is named

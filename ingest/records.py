"""The values that travel through ingestion. Frozen; nothing here does anything."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class FileState(StrEnum):
    """How one file ended, in the words of `rag ingest --json`."""

    READY = "ready"
    UNCHANGED = "unchanged"
    NEEDS_PASSWORD = "needs_password"  # noqa: S105 - a state, not a secret
    NO_TEXT = "no_text"
    REFUSED = "refused"


class JobState(StrEnum):
    """Where a job stands. `WAITING` to `INDEXING` are under way; the rest are final."""

    WAITING = "waiting"
    READING = "reading"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    READY = "ready"
    UNCHANGED = "unchanged"
    NEEDS_PASSWORD = "needs_password"  # noqa: S105 - a state, not a secret
    NO_TEXT = "no_text"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class JobKind(StrEnum):
    """What a job is about."""

    FILE = "file"  # take a file in
    REBUILD = "rebuild"  # build the search index anew


@dataclass(frozen=True, slots=True)
class Page:
    """One page's text, in reading order."""

    number: int  # 1-based physical page
    label: str  # printed label ("iv", "A-1"); the number as text where the file has none
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the outline, or a line that looks like a heading."""

    level: int  # 1 is the highest
    title: str
    page: int  # 1-based physical page on which it stands


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader got out of one file."""

    title: str  # the file's own title, or "" where it has none worth showing
    pages: tuple[Page, ...]  # every page that could be read, also those without text
    headings: tuple[Heading, ...]
    page_count: int  # pages the file says it has
    failed_pages: tuple[int, ...]  # 1-based; could not be read
    hidden_words: int  # words left out because no reader of the page can see them
    own_pages: bool = True  # False where the file has no pages and was cut into some
    doubt: str = ""  # a sentence about letters that may have been read wrongly; "" where they are sure
    form_values: int = 0  # filled fields of forms and text typed onto pages, read as part of them
    notes: int = 0  # behind signs on the pages; not read


class Place(NamedTuple):
    """Where a passage stands in the library."""

    document_id: str
    position: int  # 0-based


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: whole sentences of one section, with the place they came from."""

    id: str  # SHA-256(document id, NUL, recipe, NUL, position), 32 hex digits
    document_id: str
    position: int  # 0-based, in reading order
    page: int  # 1-based physical page that holds most of its text
    first_page: int  # 1-based physical page
    last_page: int  # 1-based physical page, at least first_page
    label: str  # printed label of `page`
    heading: str  # heading path, " > " between levels; "" where there is none
    text: str  # what is quoted: neither title nor heading
    start: int  # 0-based character offset of its first character in the cleaned text of first_page
    end: int  # character offset just past its last character in the cleaned text of last_page


@dataclass(frozen=True, slots=True)
class Document:
    """One content in one space."""

    id: str  # SHA-256(space, NUL, content hash), 32 hex digits
    space: str
    content: str  # SHA-256 of the file's bytes, 64 hex digits
    title: str
    path: str  # the name it came under: a path for `rag ingest`, a file name for an upload
    pages: int  # physical pages in the file
    chunks: int  # passages held
    size: int  # bytes
    added: str  # ISO 8601, UTC
    failed_pages: tuple[int, ...] = ()  # 1-based; could not be read
    empty_pages: tuple[int, ...] = ()  # 1-based; read, but without text (scans, blank pages)
    hidden_words: int = 0  # left out because no reader of the page can see them
    characters: int = 0  # of cleaned text; 0 where it was read before they were counted
    form_values: int = 0  # filled fields of forms and text typed onto pages, read as part of them
    notes: int = 0  # behind signs on the pages; not read
    doubt: str = ""  # a sentence about letters that may have been read wrongly; "" where they are sure


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way into the library, or other work for the process that owns the home."""

    id: int
    space: str
    path: str
    content: str  # SHA-256 of the file's bytes, 64 hex digits
    state: JobState
    reason: str  # a sentence for the person who added it; "" where there is nothing to say
    document_id: str | None  # None until the file has been read
    pages_done: int
    pages: int  # 0 until known
    chunks_done: int  # embedded so far
    chunks: int  # 0 until known
    seconds: float  # wall time of the work so far
    size: int = 0  # bytes
    kind: JobKind = JobKind.FILE

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in UNDER_WAY


UNDER_WAY = frozenset(
    {
        JobState.WAITING,
        JobState.READING,
        JobState.CHUNKING,
        JobState.EMBEDDING,
        JobState.INDEXING,
    }
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in PDF points, origin at the top left of the page as it is shown."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as a picture, with the boxes of a quote on it."""

    png: bytes
    width: float  # of the page as shown, PDF points
    height: float  # of the page as shown, PDF points
    boxes: tuple[Box, ...]  # empty where no quote was asked for or it could not be placed

"""Reads a file through children, one after another where a page kills them, and says in a sentence what went wrong."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import Refused
from ingest.reading import magic
from ingest.reading.frames import Frame
from ingest.reading.headings import StyledLine, headings
from ingest.reading.sandbox import Cause, Limits, Stopped, run
from ingest.records import FileState, Heading, Page, Reading

LARGEST_TEXT = 20_000_000  # bytes of a text file; as much text as some 6,000 pages hold
RESTARTS = 5  # children that a file may kill before it is refused
STEP_SHARE = 4  # one page may take this part of the file's time
MOST_PAGES = 50_000
LONGEST_DOUBT = 200  # characters

_REFUSED = {
    "no_pages": "has no pages. Copy it again from where it came.",
    "protected": "is protected by a method that no reader here knows. Save a copy without protection and add that.",
    "damaged": "is damaged and cannot be opened. Copy it again from where it came.",
    "binary": "was not added: it begins like a text file, but most of it is no text. Save it as PDF and add that.",
    "encoding": "was not added: its letters are neither UTF-8 nor Windows-1252. Save it as UTF-8 and add that.",
}

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


def read(
    path: Path,
    *,
    seconds: int,
    memory_mb: int,
    name: str = "",
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Reading:
    """The pages, headings and title of a PDF or a text file. `progress` is given pages done and pages in all.

    A page that cannot be read is listed in failed_pages. Raises Refused, whose text says why and what to do; also
    when `cancelled` answers yes. `name` is what the text calls the file, where that is not its name on disk.
    """
    kind = look_at(path, name)
    gathered = _Gathered(name or path.name, seconds, memory_mb)
    deadline = time.monotonic() + seconds
    for _ in range(RESTARTS + 1):
        limits = Limits(max(deadline - time.monotonic(), 0.1), max(seconds / STEP_SHARE, 1), memory_mb)
        try:
            for frame in run(_request(path, kind, gathered), limits, cancelled):
                gathered.take(frame)
                if progress and gathered.count:
                    progress(gathered.done, gathered.count)
            break
        except Stopped as stopped:
            gathered.give_up_page(stopped.cause)
    else:
        raise Refused(
            f"{gathered.name} is damaged: {len(gathered.failed)} of its {gathered.count} pages stopped the "
            "reader. Print it to a new PDF and add that."
        )
    return gathered.reading()


def look_at(path: Path, name: str = "") -> str:
    """What the file is by its first bytes, "pdf" or "text". Raises Refused where it is missing, empty or neither."""
    called = name or path.name
    try:
        with path.open("rb") as file:
            head = file.read(magic.HEAD)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise Refused(f"{called} cannot be opened: {why}. Check the path and its permissions.") from error
    if not head:
        raise Refused(f"{called} is empty: it has 0 bytes. Copy it again from where it came.")
    if magic.is_pdf(head):
        return "pdf"
    if not magic.is_text(head):
        raise Refused(
            f"{called} was not added: it is not a PDF and not a text file, it seems to be {magic.seems(head)}. "
            "Save it as PDF and add that."
        )
    if size > LARGEST_TEXT:
        raise Refused(
            f"{called} is a text file of {size / 1e6:.0f} MB; the limit for text is {LARGEST_TEXT / 1e6:.0f} MB. "
            "Split it and add the parts."
        )
    return "text"


def _request(path: Path, kind: str, gathered: "_Gathered") -> dict[str, Any]:
    where = {"path": str(path.absolute()), "first": gathered.next, "skip": gathered.failed}
    return {"task": "read", "format": kind, **where}


@dataclass(slots=True)
class _Gathered:
    """What the children have said so far, checked."""

    name: str
    seconds: int
    memory_mb: int
    count: int = 0  # pages in the file; 0 until known
    title: str = ""
    outline: tuple[Heading, ...] = ()
    pages: list[Page] = field(default_factory=list)
    styles: list[list[StyledLine]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    hidden: int = 0
    pictures: int = 0  # pages that are pictures without text
    form_values: int = 0
    notes: int = 0
    own_pages: bool = True
    doubt: str = ""
    next: int = 1  # the page that is being read
    stopped_by: Cause | None = None  # what ended the last child that did not get to its end

    @property
    def done(self) -> int:
        return len(self.pages) + len(self.failed)

    def take(self, frame: Frame) -> None:
        """Add what a frame says. Raises Refused or Stopped."""
        try:
            assert isinstance(frame, dict)
            {"opened": self._opened, "page": self._page, "failed": self._failed, "refused": self._refused}[
                frame["kind"]
            ](frame)
        except (AssertionError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Stopped(Cause.OUTPUT) from error

    def _opened(self, frame: dict[str, Any]) -> None:
        count = int(frame["pages"])
        if self.count:
            return
        if not 0 < count <= MOST_PAGES:
            raise Refused(
                f"The file says it has {count:,} pages; the limit is {MOST_PAGES:,}. Split it and add the parts."
            )
        self.count = count
        self.title = str(frame["title"])
        self.own_pages = bool(frame.get("own_pages", True))
        self.doubt = str(frame.get("doubt", ""))[:LONGEST_DOUBT]
        self.outline = tuple(
            Heading(int(level), str(title), int(page))
            for level, title, page in frame["headings"]
            if 1 <= int(page) <= count and int(level) >= 1
        )

    def _page(self, frame: dict[str, Any]) -> None:
        number = self._expected(frame)
        text = str(frame["text"])
        self.pages.append(Page(number, str(frame["label"]), text))
        self.styles.append(list(_styled(text, frame["styles"], number)))
        self.hidden += int(frame["hidden"])
        self.pictures += bool(frame["picture"])
        self.form_values += int(frame.get("values", 0))
        self.notes += int(frame.get("notes", 0))

    def _failed(self, frame: dict[str, Any]) -> None:
        self.failed.append(self._expected(frame))

    def _expected(self, frame: dict[str, Any]) -> int:
        number = int(frame["number"])
        if number != self.next or number > self.count:
            raise ValueError(f"page {number} came in place of {self.next}")
        self.next += 1
        return number

    def _refused(self, frame: dict[str, Any]) -> None:
        if frame["why"] == "password":
            raise Refused(
                f"{self.name} needs a password to open. Save a copy without one and add that.", FileState.NEEDS_PASSWORD
            )
        raise Refused(f"{self.name} {_REFUSED[frame['why']]}")

    def give_up_page(self, cause: Cause) -> None:
        """Count the page that stopped the child as failed; raise Refused where the whole file is to be given up."""
        if cause is Cause.CANCELLED:
            raise Refused(f"{self.name} was not read to its end: it was stopped as asked. Add it again to read it.")
        if cause is Cause.TIME or (cause is Cause.STEP and not self.count):
            what = "reading it" if self.count else "opening it"
            limit = self.seconds if cause is Cause.TIME else max(self.seconds // STEP_SHARE, 1)
            done = f"; {self.done} of its {self.count} pages were done" if self.count else ""
            raise Refused(
                f"{self.name} was given up: {what} took longer than {limit} seconds{done}. "
                "Split it, print it to a new PDF, or ask the administrator to raise RAG_READ_SECONDS."
            )
        self.stopped_by = cause
        if not self.count:
            raise Refused(self._too_much() if cause is Cause.MEMORY else self._unopened())
        if self.next <= self.count:
            self.failed.append(self.next)
            self.next += 1

    def _too_much(self) -> str:
        return (
            f"{self.name} was given up: reading took more than {self.memory_mb} MB of memory. "
            "Split it, print it to a new PDF, or ask the administrator to raise RAG_READ_MEMORY_MB."
        )

    def _unopened(self) -> str:
        return f"{self.name} is damaged: the reader stopped while opening it. Print it to a new PDF and add that."

    def reading(self) -> Reading:
        """All of it. Raises Refused where nothing can be asked about."""
        if not self.pages:
            raise Refused(self._too_much() if self.stopped_by is Cause.MEMORY else self._unread())
        if not any(any(map(str.isalnum, page.text)) for page in self.pages):
            raise Refused(self._no_text(), FileState.NO_TEXT)
        # An outline of one entry is the title, or a tool's leaving.
        found = self.outline if len(self.outline) > 1 else headings(self.styles) or self.outline
        return Reading(
            title=self.title,
            pages=tuple(self.pages),
            headings=found,
            page_count=self.count,
            failed_pages=tuple(self.failed),
            hidden_words=self.hidden,
            own_pages=self.own_pages,
            doubt=self.doubt,
            form_values=self.form_values,
            notes=self.notes,
        )

    def _unread(self) -> str:
        pages = "its one page" if self.count == 1 else f"each of its {self.count} pages"
        if self.stopped_by is Cause.STEP:
            return f"{self.name} was given up: {pages} was too slow to read. Print it to a new PDF and add that."
        return (
            f"{self.name} is damaged: {pages} failed to be read. "
            "Copy it again from where it came, or print it to a new PDF and add that."
        )

    def _no_text(self) -> str:
        pages = "its one page has a picture" if self.count == 1 else f"its {self.count} pages have pictures"
        if self.pictures:
            return (
                f"{self.name} looks scanned: {pages} but no text. "
                "Run text recognition over it (OCRmyPDF, for example) and add the result."
            )
        pages = "its one page" if self.count == 1 else f"any of its {self.count} pages"
        return f"{self.name} has no text on {pages}. There is nothing in it to ask about."


def _styled(text: str, styles: Sequence[Sequence[Any]], page: int) -> Iterator[StyledLine]:
    if not styles:
        return
    for line, (size, bold) in zip(text.split("\n"), styles, strict=True):
        yield StyledLine(line, (float(size), bool(bold)), page)

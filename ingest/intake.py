"""The door: a file on disk becomes an original and a job, or is turned away with a reason."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ingest import failpoints
from ingest.errors import Refused
from ingest.library import Library
from ingest.library.jobs import NewJob
from ingest.pipeline import document_id
from ingest.records import Document, Job, JobState

LABELS = "questions.jsonl"  # in a folder of PDFs: what `rag evaluate` asks of them, no document
LEFT_BEHIND_S = 3600  # seconds after which a copy on its way in belongs to nobody
_BLOCK = 1 << 20


class NameTaken(Refused):
    """The name belongs to a document with other bytes, and nobody said whether to replace it."""

    def __init__(self, document: Document) -> None:
        super().__init__(f"{document.path} is already in the library with other contents.")
        self.document = document


def files_under(path: Path) -> Iterator[Path]:
    """A file itself, or every file below a folder in order of name.

    Left out of a folder are hidden files, links to folders, and the questions of a data set.
    """
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith(".") and name != LABELS)


def clean_name(name: str) -> str:
    """A file's name as text that can be stored and shown: bytes that are no text become a replacement mark."""
    return os.fsencode(name).decode("utf-8", errors="replace").replace("\0", "\ufffd")


class Intake:
    """Takes files in. What is already held costs a look at its size and time, or at most its checksum."""

    def __init__(self, library: Library, max_file_mb: int) -> None:
        self._library = library
        self._max_bytes = max_file_mb * 1_000_000

    def add(self, file: Path, space: str, name: str | None = None) -> Job:
        """Take in a file from disk under its absolute path; a changed file replaces what had the name."""
        known_as = clean_name(name if name is not None else str(file.absolute()))
        try:
            facts = file.stat()
            job = self._unchanged(space, known_as, facts) or self._take(file, space, known_as, facts.st_mtime_ns)
        except OSError as error:
            return self._refuse(space, known_as, f"{file.name} cannot be opened ({error.strerror}).")
        except Refused as error:
            return self._refuse(space, known_as, str(error))
        return job

    def add_upload(self, file: Path, space: str, name: str, *, replace: bool | None) -> Job:
        """Take in a file that was sent under a bare name.

        Where the name is taken by other bytes: `replace` True replaces, False keeps both under a numbered name,
        None raises NameTaken so that the person can be asked.
        """
        known_as = clean_name(name.replace("\\", "/").rpartition("/")[2]) or "document.pdf"
        taken = self._library.named(space, known_as)
        if taken is not None and not replace and taken[0].content != _checksum(file):
            if replace is None:
                raise NameTaken(taken[0])
            known_as = self._free_name(space, known_as)
        try:
            return self._take(file, space, known_as, 0)
        except Refused as error:
            return self._refuse(space, known_as, str(error))

    def tidy(self) -> None:
        """Remove copies that a process which died left behind; those of living ones are younger than an hour."""
        for file in self._library.home.incoming.iterdir():
            if time.time() - file.stat().st_mtime > LEFT_BEHIND_S:
                file.unlink(missing_ok=True)

    def _free_name(self, space: str, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        number = 2
        while True:
            candidate = f"{stem or suffix} ({number}){dot if stem else ''}{suffix if stem else ''}"
            if self._library.named(space, candidate) is None:
                return candidate
            number += 1

    def _unchanged(self, space: str, path: str, facts: os.stat_result) -> Job | None:
        known = self._library.named(space, path)
        if known is None or (known[1], known[2]) != (facts.st_size, facts.st_mtime_ns):
            return None
        document = known[0]
        return self._library.jobs.add(
            NewJob(
                space=space,
                path=path,
                content=document.content,
                size=facts.st_size,
                mtime_ns=facts.st_mtime_ns,
                state=JobState.UNCHANGED,
                document_id=document.id,
            )
        )

    def _take(self, file: Path, space: str, path: str, mtime_ns: int) -> Job:
        size = file.stat().st_size
        if not file.is_file():
            raise Refused(f"{file.name} is not a file.")
        if size == 0:
            raise Refused(f"{_short(path)} is empty (0 bytes). Save it again and add that.")
        if size > self._max_bytes:
            raise Refused(
                f"{_short(path)} is {size / 1e6:.0f} MB; the limit is {self._max_bytes / 1e6:.0f} MB. "
                "Split it, or raise RAG_MAX_FILE_MB."
            )
        copy, content = self._copy(file, size)
        known = self._library.document(document_id(space, content))
        if known is not None:
            copy.unlink()
            self._library.rename(known.id, space, path, size=size, mtime_ns=mtime_ns)
            reason = "" if known.path == path else f"The same contents are already here as {_short(known.path)}."
            return self._library.jobs.add(
                NewJob(
                    space=space,
                    path=path,
                    content=content,
                    size=size,
                    mtime_ns=mtime_ns,
                    state=JobState.UNCHANGED,
                    reason=reason,
                    document_id=known.id,
                )
            )
        return self._library.accept(copy, NewJob(space=space, path=path, content=content, size=size, mtime_ns=mtime_ns))

    def _copy(self, file: Path, size: int) -> tuple[Path, str]:
        """A copy on the home's disk and its SHA-256. Raises LibraryError when there is no room."""
        self._library.home.need_room(size, file.name)
        digest = hashlib.sha256()
        with (
            file.open("rb") as source,
            tempfile.NamedTemporaryFile(dir=self._library.home.incoming, delete=False) as target,
        ):
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        failpoints.reached("intake.copied")
        return Path(target.name), digest.hexdigest()

    def _refuse(self, space: str, path: str, reason: str) -> Job:
        return self._library.jobs.add(NewJob(space=space, path=path, state=JobState.REFUSED, reason=reason))


def _checksum(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _short(path: str) -> str:
    return path.rpartition("/")[2]

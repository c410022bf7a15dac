"""The folder that holds all state, and the lock that says who may change it."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from ingest.errors import HomeBusy, LibraryError

SPARE_BYTES = 200 << 20  # room that must stay free on the home's disk after a file was taken in


class Home:
    """Paths under RAG_HOME. Makes the folders; opens nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.library_db = self.folder / "library.db"
        self.app_db = self.folder / "app.db"
        self.originals = self.folder / "originals"  # one file a content, named by its SHA-256
        self.index = self.folder / "index"  # one folder a generation
        self.incoming = self.folder / "incoming"  # files on their way in
        self.lock_file = self.folder / "owner.lock"
        self.restoring = self.folder / ".restore"  # there only while a backup is being restored

    def prepare(self) -> "Home":
        """Make the folders and see that locks and SQLite's journal work there; raises LibraryError."""
        if self.restoring.exists():
            raise LibraryError(
                f"A backup is being restored into {self.folder}, or that was cut short. Wait for it, or do it once "
                "more with `rag restore FILE`."
            )
        try:
            for folder in (self.folder, self.originals, self.index, self.incoming):
                folder.mkdir(parents=True, exist_ok=True)
            os.chmod(self.folder, 0o700)  # noqa: PTH101 - Path.chmod follows links, this home may be one
            _try_journal(self.folder)
        except (OSError, sqlite3.Error) as error:
            raise LibraryError(
                f"{self.folder} cannot hold a library ({error}). Set RAG_HOME to a folder on a local disk that "
                "you may write to."
            ) from error
        return self

    def need_room(self, size: int, name: str) -> None:
        """See that a file of `size` bytes can be taken in and searched; raises LibraryError with the figures."""
        free = shutil.disk_usage(self.folder).free
        if free < 2 * size + SPARE_BYTES:
            raise LibraryError(
                f"The disk of {self.folder} has {free / 1e6:.0f} MB left; adding {name} needs "
                f"{(2 * size + SPARE_BYTES) / 1e6:.0f} MB. Nothing was added. Make room, then add it again."
            )


def flush(path: Path) -> None:
    """See that a file's bytes, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try_journal(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".probe-") as probe:
        connection = sqlite3.connect(Path(probe) / "probe.db")
        try:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            connection.execute("CREATE TABLE probe(x)")
        finally:
            connection.close()
    if mode != "wal":
        raise OSError(f"its disk gives SQLite the journal mode {mode!r} instead of 'wal'")


class OwnerLock:
    """The home's owner: one process at a time, known by its process id."""

    def __init__(self, home: Home) -> None:
        self._path = home.lock_file
        self._home = home.folder
        self._descriptor: int | None = None

    def acquire(self) -> "OwnerLock":
        """Become the owner. Raises HomeBusy naming the owner's process id."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            raise HomeBusy(
                f"{self._home} is in use by another process (pid {pid or 'unknown'}). "
                "Stop that one first, or set RAG_HOME to another folder.",
                pid,
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Let others own the home."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "OwnerLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else None

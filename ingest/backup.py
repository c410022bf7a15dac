"""One file that holds a home, and the way back. Every bit of it is under a checksum.

A backup is a plain tar: `manifest.json` with the size and SHA-256 of every member, then the members; after the end of
the archive, where tar programs stop reading, follows a line with the SHA-256 of all before it. Databases are copied by
SQLite itself, so that a backup may be made while the home is being served. The index is never in it: it is rebuilt
from the library.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ingest.errors import LibraryError
from ingest.home import Home, OwnerLock, flush
from ingest.library.schema import VERSION
from ingest.records import UNDER_WAY

FORMAT = 1
MANIFEST = "manifest.json"
SPARE_BYTES = 100 << 20  # room that must stay free where a backup is written or restored
# Rebuilt, passing, or of one machine; what may be imported is the administrator's own.
_LEFT_OUT = frozenset({"index", "incoming", "uploads", "import", "cache", "owner.lock"})
_SEAL = "\nrag backup sha256 {}\n"
_SEAL_BYTES = len(_SEAL.format("0" * 64))
_BLOCK = 1 << 20
_LOOKS = 4  # snapshots in a row in which an original must be missing to count as lost, not as just removed
_PAUSE_S = 0.1  # between two snapshots


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup file says of itself."""

    made: str  # ISO 8601, UTC
    documents: int
    passages: int
    files: int
    size: int  # bytes of the backup
    harmed: tuple[str, ...] = ()  # originals that were missing or damaged when it was made


class _Changed(Exception):
    """An original went while it was to be copied."""


# ---- making


def write(home: Home, file: Path) -> Backup:
    """Write a backup of `home`, served or not, to a new file. Raises LibraryError; then nothing is left behind."""
    if file.exists():
        raise LibraryError(f"{file} exists already. Name a new file, or move that one away.")
    if file.resolve().is_relative_to(home.folder):
        raise LibraryError(f"{file} lies inside {home.folder}. Keep backups elsewhere, best on another disk.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _room(file.parent, sum(map(_size, _files(home))), "The backup")
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".rag-backup-") as folder:
            partial = Path(folder) / "backup"
            missed: dict[str, int] = {}
            while not _write(home, Path(folder), partial, missed):
                time.sleep(_PAUSE_S)
            partial.replace(file)
        flush(file.parent)
    except OSError as error:
        raise LibraryError(f"The backup could not be written to {file} ({error}). Nothing was left there.") from error
    return check(file)


def _write(home: Home, folder: Path, partial: Path, missed: dict[str, int]) -> bool:
    """Write a backup of one moment to `partial`; False where an original went meanwhile, which `missed` counts."""
    members = dict(_members(home, folder))
    missing = sorted(name for name, path in members.items() if not path.is_file())
    again = {name: missed.get(name, 0) + 1 for name in missing}
    missed.clear()
    missed.update(again)
    if any(looks < _LOOKS for looks in again.values()):
        return False
    try:
        _pack({name: path for name, path in members.items() if name not in again}, missing, folder, partial)
    except _Changed:
        return False
    return True


def _pack(members: Mapping[str, Path], missing: list[str], folder: Path, partial: Path) -> None:
    sizes = {name: _size(path) for name, path in members.items()}
    entries = {name: {"size": sizes[name], "sha256": _checksum(path)} for name, path in members.items()}
    damaged = [
        name
        for name, entry in entries.items()
        if name.startswith("originals/") and entry["sha256"] != name.removeprefix("originals/")
    ]
    said = {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        **_counts(folder / "library.db"),
        "harmed": missing + damaged,
        "files": entries,
    }
    manifest = json.dumps(said, indent=1).encode()
    with partial.open("w+b") as target:
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(_header(MANIFEST, len(manifest)), io.BytesIO(manifest))
            for name, path in members.items():
                with _opened(path) as source:
                    archive.addfile(_header(name, sizes[name]), source)
        target.seek(0)
        seal = _SEAL.format(_digest(target))
        target.seek(0, os.SEEK_END)
        target.write(seal.encode())
        target.flush()
        os.fsync(target.fileno())


def _members(home: Home, folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file that belongs into a backup, under its name there. Databases first, as copies in `folder`."""
    for database in sorted(home.folder.glob("*.db")):
        copy = folder / database.name
        copy.unlink(missing_ok=True)
        _copy_database(database, copy)
        yield database.name, copy
    needed = _contents(folder / "library.db")
    for content in sorted(needed):
        yield f"originals/{content}", home.originals / content
    for file in _files(home):
        name = file.relative_to(home.folder).as_posix()
        if not name.startswith("originals/") and ".db" not in file.name:
            yield name, file


def _counts(copy: Path) -> dict[str, int]:
    connection = sqlite3.connect(copy)
    try:
        row = connection.execute(
            "SELECT count(*), coalesce(sum(chunks), 0) FROM documents WHERE state = 'ready'"
        ).fetchone()
    finally:
        connection.close()
    return {"documents": row[0], "passages": row[1]}


def _copy_database(database: Path, copy: Path) -> None:
    connection = sqlite3.connect(database, timeout=30)
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise LibraryError(
            f"{database} could not be copied ({error}). `rag verify` says whether it is whole."
        ) from error
    finally:
        connection.close()


def _contents(copy: Path) -> set[str]:
    """The originals that the copied library needs; also forgets the index there, which is not in a backup."""
    working = tuple(UNDER_WAY)
    connection = sqlite3.connect(copy)
    try:
        connection.execute("DELETE FROM facts WHERE key IN ('generation', 'words')")
        connection.commit()
        rows = connection.execute(
            "SELECT content FROM documents WHERE state != 'gone' UNION SELECT content FROM jobs "
            f"WHERE content != '' AND state IN ({','.join('?' * len(working))})",
            working,
        ).fetchall()
    finally:
        connection.close()
    return {row[0] for row in rows}


def _files(home: Home) -> list[Path]:
    files = (file for file in home.folder.rglob("*") if file.is_file() and not file.is_symlink())
    tops = ((file.relative_to(home.folder).parts[0], file) for file in files)
    return sorted(file for top, file in tops if top not in _LEFT_OUT and not top.startswith("."))


def _size(path: Path) -> int:
    """Bytes of a file; 0 where it went meanwhile, which whoever opens it next notices."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        source = path.open("rb")
    except FileNotFoundError as error:
        raise _Changed from error
    with source:
        yield source


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


# ---- checking


def check(file: Path) -> Backup:
    """Look at every bit of a backup. Raises LibraryError saying what is wrong with it."""
    try:
        with file.open("rb") as source:
            manifest = _checked(file, source)
            size = source.seek(0, os.SEEK_END)
    except OSError as error:
        raise LibraryError(f"{file} cannot be read ({error.strerror}).") from error
    counts = (int(manifest["documents"]), int(manifest["passages"]), len(manifest["files"]))
    return Backup(str(manifest["made"]), *counts, size, tuple(manifest["harmed"]))


def _checked(file: Path, source: IO[bytes]) -> dict[str, Any]:
    """The manifest of a backup whose every checksum is right."""
    size = source.seek(0, os.SEEK_END)
    if size <= _SEAL_BYTES:
        raise LibraryError(f"{file} is no backup of this program.")
    digest, left = hashlib.sha256(), size - _SEAL_BYTES
    source.seek(0)
    while left and (block := source.read(min(_BLOCK, left))):
        digest.update(block)
        left -= len(block)
    seal = source.read(_SEAL_BYTES)
    sealed = seal == _SEAL.format(digest.hexdigest()).encode()
    if not sealed and not seal.startswith(_SEAL.partition("{")[0].encode()):
        raise LibraryError(f"{file} is cut short, damaged at its end, or no backup of this program. Use another one.")
    if not sealed:
        raise LibraryError(f"{file} is damaged{_harmed(source)}: its checksum differs. Use another backup.")
    return _manifest(file, source)


def _manifest(file: Path, source: IO[bytes]) -> dict[str, Any]:
    source.seek(0)
    with tarfile.open(fileobj=source, mode="r:") as archive:
        member = archive.next()
        reader = archive.extractfile(member) if member and member.name == MANIFEST else None
        manifest = json.loads(reader.read()) if reader else {}
    if manifest.get("format") != FORMAT:
        raise LibraryError(
            f"{file} was made by another version of this program (format {manifest.get('format')}, this one knows "
            f"{FORMAT}). Restore it with that version, then move on from there."
        )
    return dict(manifest)


def _harmed(source: IO[bytes]) -> str:
    """Which member of a damaged backup is harmed, as far as that can be told."""
    source.seek(0)
    try:
        with tarfile.open(fileobj=source, mode="r:") as archive:
            first = archive.next()
            reader = archive.extractfile(first) if first else None
            files = json.loads(reader.read())["files"] if reader else {}
            for member in archive:
                content = archive.extractfile(member)
                said = files.get(member.name)
                if content and said and _digest(content) != said["sha256"]:
                    return f" in {member.name}"
    except (tarfile.TarError, ValueError, KeyError, TypeError, OSError):
        return " in its list of files"
    return ""


# ---- restoring


def restore(home: Home, file: Path, schemas: Mapping[str, int]) -> Backup:
    """Fill an empty home from a backup that was checked first. Raises LibraryError, HomeBusy.

    `schemas` says of each database beside library.db, by its name, the newest schema that this program knows.
    What is cut short is known by its folder `.restore` and can be done again.
    """
    backup = check(file)
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with OwnerLock(home).acquire():
        _see_that_it_is_empty(home)
        _room(home.folder, backup.size, "Restoring")
        shutil.rmtree(home.restoring, ignore_errors=True)
        home.restoring.mkdir(mode=0o700)
        try:
            with file.open("rb") as source:
                _unpack(file, source, home.restoring)
            for name, newest in {home.library_db.name: VERSION, **schemas}.items():
                _see_that_it_is_known(home.restoring / name, newest)
        except BaseException:
            shutil.rmtree(home.restoring, ignore_errors=True)
            raise
        _move_in(home)
    return backup


def _see_that_it_is_empty(home: Home) -> None:
    if not home.restoring.exists() and any(_files(home)) and _holds_something(home):
        raise LibraryError(
            f"{home.folder} is not empty. Set RAG_HOME to a new folder for what is restored; nothing was changed."
        )


def _holds_something(home: Home) -> bool:
    for database, table in ((home.library_db, "documents"), (home.app_db, "turn")):
        if database.exists():
            connection = sqlite3.connect(database)
            try:
                if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                    return True
            except sqlite3.DatabaseError:
                return True
            finally:
                connection.close()
    return any(home.originals.iterdir()) if home.originals.is_dir() else False


def _unpack(file: Path, source: IO[bytes], folder: Path) -> None:
    files = _manifest(file, source)["files"]
    source.seek(0)
    with tarfile.open(fileobj=source, mode="r:") as archive:
        for member in archive:
            if member.name == MANIFEST:
                continue
            target = folder / member.name
            content = archive.extractfile(member)
            if content is None or member.name not in files or not target.resolve().is_relative_to(folder.resolve()):
                raise LibraryError(f"{file} holds {member.name!r}, which does not belong into a backup.")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as written:
                shutil.copyfileobj(content, written, _BLOCK)
                written.flush()
                os.fsync(written.fileno())
            if _checksum(target) != files[member.name]["sha256"]:
                raise LibraryError(f"{member.name} did not arrive as it left. Look at the disk, then restore again.")


def _see_that_it_is_known(database: Path, newest: int) -> None:
    if not database.is_file():
        return
    connection = sqlite3.connect(database)
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()
    if version > newest:
        raise LibraryError(
            f"This backup was made by a newer version of this program ({database.name} has schema {version}, this one "
            f"knows {newest}). Update the program, then restore it."
        )


def _move_in(home: Home) -> None:
    """Move what was unpacked into the home, the library last."""
    for name in ("library.db", "app.db"):
        for leftover in home.folder.glob(f"{name}*"):
            leftover.unlink()
    shutil.rmtree(home.index, ignore_errors=True)
    unpacked = sorted(file for file in home.restoring.rglob("*") if file.is_file())
    for file in sorted(unpacked, key=lambda one: one.name == "library.db"):
        target = home.folder / file.relative_to(home.restoring)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    for folder in (home.originals, home.folder):
        if folder.is_dir():
            flush(folder)
    shutil.rmtree(home.restoring)


def _room(folder: Path, size: int, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise LibraryError(
            f"{what} needs {(size + SPARE_BYTES) / 1e6:.0f} MB, and the disk of {folder} has {free / 1e6:.0f} MB left. "
            "Nothing was written."
        )


def _checksum(path: Path) -> str:
    with _opened(path) as source:
        return _digest(source)


def _digest(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()

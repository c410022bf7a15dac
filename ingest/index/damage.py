"""Finds damage in the files of a generation without opening them as an index, which a broken one may not survive.

Chroma 1.5.9 keeps no checksums and writes to its folder whenever it opens it, so what must not change is hashed:
the rows of its SQLite file and the graph files of segments that it has persisted. Tantivy ends every file of a segment
with a CRC-32 of its own (tantivy's `directory/footer.rs`); which files there must be follows from `meta.json`.
"""

import hashlib
import json
import sqlite3
import struct
import zlib
from pathlib import Path
from typing import Any

# Chroma notes there that it was opened.
_VOLATILE = frozenset({"acquire_write"})
_PERSISTED = "index_metadata.pickle"  # lies in the folder of a segment once its graph is on disk
_TRAILER = struct.Struct("<II")  # length of the footer, magic number
_MAGIC = 1337
_PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_BLOCK = 1 << 20


def fingerprint(folder: Path) -> str:
    """A hash of all that Chroma keeps in `folder`, 64 hex digits. Raises OSError, sqlite3.Error or ValueError."""
    digest = hashlib.sha256()
    _add_rows(folder / "chroma.sqlite3", digest)
    for marker in sorted(folder.glob(f"*/{_PERSISTED}")):
        for file in sorted(marker.parent.iterdir()):
            digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
    return digest.hexdigest()


def _add_rows(database: Path, digest: "hashlib._Hash") -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.text_factory = bytes  # what is no text any more is hashed all the same
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != b"ok":
            raise ValueError(f"the vector index's database is damaged ({verdict!r})")
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for name, sql in tables:
            table = name.decode()
            digest.update(sql or b"")
            if table not in _VOLATILE:
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    digest.update(repr(row).encode())
    finally:
        connection.close()


def opstamp(folder: Path) -> int:
    """The number of the word index's last commit. Raises OSError or ValueError."""
    return int(_meta(folder, "opstamp"))


def check_words(folder: Path, at_least: int) -> None:
    """Raise OSError or ValueError unless a word index is whole and as new as its commit `at_least`."""
    if opstamp(folder) < at_least:
        raise ValueError("the word index is older than the library knows it")
    for name in _files(folder):
        _check_crc(folder / name)


def _files(folder: Path) -> list[str]:
    """The names of all files that the segments of a word index are made of."""
    names = []
    try:
        for segment in _meta(folder, "segments"):
            stem, deletes = str(segment["segment_id"]).replace("-", ""), segment["deletes"]
            names += [f"{stem}.{part}" for part in _PARTS]
            names += [f"{stem}.{deletes['opstamp']}.del"] if deletes else []
    except (KeyError, TypeError) as error:
        raise ValueError("the word index does not say what it holds") from error
    return names


def _meta(folder: Path, key: str) -> Any:  # noqa: ANN401 - whatever stands there
    meta = json.loads((folder / "meta.json").read_bytes())
    if not isinstance(meta, dict) or key not in meta:
        raise ValueError(f"the word index does not say its {key}")
    return meta[key]


def _check_crc(file: Path) -> None:
    content = file.read_bytes()
    damaged = f"{file.name} of the word index is damaged"
    try:
        length, magic = _TRAILER.unpack(content[-_TRAILER.size :])
        end = len(content) - _TRAILER.size - length
        said = json.loads(content[max(end, 0) : -_TRAILER.size])["crc"]
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(damaged) from error
    if magic != _MAGIC or zlib.crc32(memoryview(content)[:end]) != said:
        raise ValueError(damaged)

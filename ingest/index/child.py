"""Builds or checks a generation in a process of its own: `python -m ingest.index.child VERB HOME NAME ...`.

A broken Chroma folder can kill the process that opens it, and building one takes cores and memory that the
server wants back; a child can be lost without harm. Prints one JSON object; exit code 0 means sound. It ends when
its standard input does: a child that outlived a killed server would write beside the next one.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ingest import failpoints
from ingest.home import Home
from ingest.index import damage
from ingest.index.chroma import ChromaIndex
from ingest.index.tantivy import VERSION, WordIndex
from ingest.library import Library
from ingest.records import Document, Place

SAMPLE = 50  # known vectors asked for in a check
# Of these may be missing: a graph of a hundred thousand passages does not reach every one, a broken one hardly any.
MISSED = 0.1
CHROMA, WORDS = "chroma", f"words-{VERSION}"
FINISH = "finish"  # the name of the file that ends following
LOOK_S = 0.1  # seconds between two looks at the library while following


@dataclass(frozen=True, slots=True)
class Built:
    """What a generation holds."""

    seq: int  # every document made visible up to this one
    passages: int
    fingerprint: str  # of the vector index, see damage.py
    opstamp: int  # of the word index's last commit
    copies: int = 0  # passages of them that the vector index leaves out, because it has enough equals


def build(library: Library, folder: Path, embedder: str, *, follow: bool = False) -> Built:
    """Write every visible passage into new indexes under `folder`, then check them.

    follow: go on with what becomes visible meanwhile, until there is a file FINISH in `folder`.
    """
    filling = _Filling(library, folder, embedder)
    while follow and not (folder / FINISH).exists():
        filling.catch_up()
        time.sleep(LOOK_S)
    filling.catch_up()
    filling.close()
    failpoints.reached("build.committed")
    find(library, folder, embedder, filling.seq, filling.passages - filling.copies)
    failpoints.reached("build.checked")
    fingerprint, opstamp = damage.fingerprint(folder / CHROMA), damage.opstamp(folder / WORDS)
    return Built(filling.seq, filling.passages, fingerprint, opstamp, filling.copies)


@dataclass(frozen=True, slots=True)
class _Held:
    """A document that was taken in."""

    space: str
    passages: int
    copies: int  # of them, left out by the vector index


class _Filling:
    """New indexes under `folder`, and what they hold so far."""

    def __init__(self, library: Library, folder: Path, embedder: str) -> None:
        self.seq = 0  # every document made visible up to this one
        self._library, self._embedder = library, embedder
        self._vectors, self._words = ChromaIndex(folder / CHROMA), WordIndex(folder / WORDS)
        self._held: dict[str, _Held] = {}  # by document id

    @property
    def passages(self) -> int:
        """How many are held."""
        return sum(held.passages for held in self._held.values())

    @property
    def copies(self) -> int:
        """How many of them the vector index leaves out."""
        return sum(held.copies for held in self._held.values())

    def catch_up(self) -> None:
        """Take in all that became visible since the last time."""
        for document, seq in self._library.visible(self.seq):
            self._add(document)
            self.seq = seq

    def _add(self, document: Document) -> None:
        if document.id in self._held:  # it went and came back while this was running
            held = self._held.pop(document.id)
            self._vectors.remove(held.space, document.id, held.passages)
            self._words.remove(document.id)
        chunks = self._library.document_chunks(document.id)
        blocks = [block.vectors for block in self._library.document_vectors(document.id, self._embedder)]
        if chunks and len(chunks) == sum(map(len, blocks)):  # else: removed while this was running
            copies = self._vectors.add(document.space, document.title, chunks, np.vstack(blocks))
            failpoints.reached("build.vectors")
            self._words.add(document, chunks)
            failpoints.reached("build.words")
            self._held[document.id] = _Held(document.space, len(chunks), copies)

    def close(self) -> None:
        """Make all of it durable, and let go of the files."""
        self._words.commit()
        self._words.close()
        self._vectors.close()


def check(library: Library, folder: Path, embedder: str, built: Built) -> None:
    """Raise an error unless the files are as they were left, and the index counts and finds what it should."""
    inspect(folder, built)
    WordIndex(folder / WORDS).count()
    find(library, folder, embedder, built.seq, built.passages - built.copies)


def inspect(folder: Path, built: Built) -> None:
    """Raise OSError, sqlite3.Error or ValueError unless the files are as they were left. Opens no index."""
    if damage.fingerprint(folder / CHROMA) != built.fingerprint:
        raise ValueError("the vector index is not what was built")
    damage.check_words(folder / WORDS, built.opstamp)


def find(library: Library, folder: Path, embedder: str, seq: int, passages: int) -> None:
    """Raise ValueError unless the vector index counts `passages` and finds nearly all of a sample, up to `seq`."""
    index = ChromaIndex(folder / CHROMA)
    if index.count() != passages:
        raise ValueError(f"the vector index holds {index.count()} passages instead of {passages}")
    documents = [document for document, at in library.visible() if at <= seq]
    sample = random.Random(0).sample(documents, min(SAMPLE, len(documents)))  # noqa: S311 - a sample, no secret
    missed = []
    for document in sample:
        for block in library.document_vectors(document.id, embedder):
            found = index.nearest(block.vectors[0], [document.space], 10)
            wanted = Place(document.id, block.position)
            # Equal texts have equal vectors, so any neighbour at cosine 1 will do.
            if not found or (wanted not in dict(found) and found[0][1] < 0.999):  # noqa: PLR2004
                missed.append(f"passage {block.position} of {document.title!r}")
            break
    index.close()
    if len(missed) > MISSED * len(sample):
        raise ValueError(f"the vector index does not find {len(missed)} of {len(sample)}, so {missed[0]}")


def run(arguments: Sequence[str]) -> str:
    """What a child that was started with these arguments wrote. Raises OSError with its last line when it failed."""
    reading, writing = os.pipe()  # never written to; it closes when this process ends, and with it the child
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ingest.index.child", *arguments],
            stdin=reading,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    if done.returncode != 0:
        complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"{arguments[0]} ended with {done.returncode}: {complaint}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Do as the command line says."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(10)  # questions first
    sys.stdout.write(answer(arguments))
    sys.stdout.flush()
    return 0


def answer(arguments: Sequence[str]) -> str:
    """What is printed for a command line. Raises whatever a broken index raises."""
    verb, home_folder, name, *rest = arguments
    home = Home(Path(home_folder))
    folder = home.index / name
    if verb in {"build", "follow"}:
        return json.dumps(asdict(build(Library(home), folder, rest[0], follow=verb == "follow")))
    if verb == "check":
        check(Library(home), folder, rest[0], Built(**json.loads(rest[1])))
    else:
        inspect(folder, Built(**json.loads(rest[0])))
    return "{}"


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

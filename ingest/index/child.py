"""Builds or checks a generation in a process of its own: `python -m ingest.index.child build|check HOME NAME ...`.

A broken Chroma folder can kill the process that opens it, and building one takes cores and memory that the
server wants back; a child can be lost without harm. Prints one JSON object; exit code 0 means sound. It ends when
its standard input does: a child that outlived a killed server would write beside the next one.
"""

import json
import os
import random
import sys
import threading
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
from ingest.records import Place

SAMPLE = 50  # known vectors asked for in a check
# Of these may be missing: a graph of a hundred thousand passages does not reach every one, a broken one hardly any.
MISSED = 0.1
CHROMA, WORDS = "chroma", f"words-{VERSION}"


@dataclass(frozen=True, slots=True)
class Built:
    """What a generation holds."""

    seq: int  # every document made visible up to this one
    passages: int
    fingerprint: str  # of the vector index, see damage.py
    opstamp: int  # of the word index's last commit


def build(library: Library, folder: Path, embedder: str) -> Built:
    """Write every visible passage into new indexes under `folder`, then check them."""
    vectors, words = ChromaIndex(folder / CHROMA), WordIndex(folder / WORDS)
    seq = passages = 0
    for document, document_seq in library.visible():
        chunks = library.document_chunks(document.id)
        blocks = [block.vectors for block in library.document_vectors(document.id, embedder)]
        if chunks and len(chunks) == sum(map(len, blocks)):  # else: removed while this was running
            vectors.add(document.space, chunks, np.vstack(blocks))
            failpoints.reached("build.vectors")
            words.add(document, chunks)
            failpoints.reached("build.words")
            passages += len(chunks)
        seq = document_seq
    words.commit()
    words.close()
    vectors.close()
    failpoints.reached("build.committed")
    find(library, folder, embedder, seq, passages)
    failpoints.reached("build.checked")
    return Built(seq, passages, damage.fingerprint(folder / CHROMA), damage.opstamp(folder / WORDS))


def check(library: Library, folder: Path, embedder: str, built: Built) -> None:
    """Raise an error unless the files are as they were left, and the index counts and finds what it should."""
    inspect(folder, built)
    WordIndex(folder / WORDS).count()
    find(library, folder, embedder, built.seq, built.passages)


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
    if verb == "build":
        return json.dumps(asdict(build(Library(home), folder, rest[0])))
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

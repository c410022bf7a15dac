"""Builds or checks a generation in a process of its own: `python -m ingest.index.child build|check HOME NAME EMBEDDER`.

A broken Chroma folder can kill the process that opens it, and building one takes cores and memory that the
server wants back; a child can be lost without harm. Prints one JSON object; exit code 0 means sound.
"""

import json
import os
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ingest.home import Home
from ingest.index.chroma import ChromaIndex
from ingest.index.tantivy import VERSION, WordIndex
from ingest.library import Library
from ingest.records import Place

SAMPLE = 50  # known vectors asked for in a check
CHROMA, WORDS = "chroma", f"words-{VERSION}"


@dataclass(frozen=True, slots=True)
class Built:
    """What a generation holds."""

    seq: int  # every document made visible up to this one
    passages: int


def build(library: Library, folder: Path, embedder: str) -> Built:
    """Write every visible passage into new indexes under `folder`, then check them."""
    vectors, words = ChromaIndex(folder / CHROMA), WordIndex(folder / WORDS)
    seq = passages = 0
    for document, document_seq in library.visible():
        chunks = library.document_chunks(document.id)
        blocks = [block.vectors for block in library.document_vectors(document.id, embedder)]
        if chunks and len(chunks) == sum(map(len, blocks)):  # else: removed while this was running
            vectors.add(document.space, chunks, np.vstack(blocks))
            words.add(document, chunks)
            passages += len(chunks)
        seq = document_seq
    words.commit()
    words.close()
    vectors.close()
    check(library, folder, embedder, passages)
    return Built(seq, passages)


def check(library: Library, folder: Path, embedder: str, passages: int) -> None:
    """Raise ValueError unless the index counts `passages` and finds a sample of known vectors."""
    index = ChromaIndex(folder / CHROMA)
    if index.count() != passages:
        raise ValueError(f"the vector index holds {index.count()} passages instead of {passages}")
    documents = [document for document, _ in library.visible()]
    for document in random.Random(0).sample(documents, min(SAMPLE, len(documents))):  # noqa: S311 - a sample, no secret
        for block in library.document_vectors(document.id, embedder):
            found = index.nearest(block.vectors[0], [document.space], 10)
            wanted = Place(document.id, block.position)
            # Equal texts have equal vectors, so any neighbour at cosine 1 will do.
            if not found or (wanted not in dict(found) and found[0][1] < 0.999):  # noqa: PLR2004
                raise ValueError(f"the vector index does not find passage {block.position} of {document.title!r}")
            break


def main(arguments: list[str]) -> int:
    """Do as the command line says."""
    os.nice(10)  # questions first
    verb, home_folder, name, embedder = arguments[:4]
    home = Home(Path(home_folder))
    library = Library(home)
    folder = home.index / name
    if verb == "build":
        built = build(library, folder, embedder)
        sys.stdout.write(json.dumps(asdict(built)))
    else:
        check(library, folder, embedder, int(arguments[4]))
        sys.stdout.write("{}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

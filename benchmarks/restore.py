"""How long it takes until a library that was lost answers again.

python -m benchmarks.restore [--passages 10000] makes a library with so many passages, all but one of them made up with
vectors drawn at random, and the one read and embedded as any file; makes a backup of it; and then, the clock running,
restores that into an empty home and asks for what the one file says, each by the program's own command in a process of
its own, with its models to load. The bar: under 2 minutes together.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from ingest.build import build
from ingest.library import Library
from ingest.pipeline import document_id, recipe
from ingest.records import Chunk, Document
from ingest.settings import Settings

BAR = 120  # seconds
OF_A_DOCUMENT = 100  # passages
WORDS = 120  # of a passage
FACT = "# Terms of Lindqvist\n\nThe notice period at Lindqvist is eleven weeks, counted from the end of the month.\n"
QUESTION = "How long is the notice period at Lindqvist?"
ANSWER = "eleven weeks"
SPACE = "documents"


def fill(home: Path, passages: int, seed: int) -> None:
    """Make the library; its one real file is read by the real parts."""
    settings = Settings(home=home)
    parts = build(settings)
    fact = home.parent / "terms.md"
    fact.write_text(FACT)
    parts.intake.add(fact, SPACE)
    parts.worker.work_off()
    dice, random_vectors = random.Random(seed), np.random.default_rng(seed)
    for number in range(0, passages - 1, OF_A_DOCUMENT):
        count = min(OF_A_DOCUMENT, passages - 1 - number)
        vectors = random_vectors.standard_normal((count, parts.embedder.dimensions)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        _put(parts.library, number, [_words(dice) for _ in range(count)], vectors, settings)
    held = parts.library.counts([SPACE]).chunks
    if held != passages:
        raise SystemExit(f"The library holds {held} passages in place of {passages}.")
    parts.index.close()


def _words(dice: random.Random) -> str:
    return " ".join(f"word{dice.randrange(30_000)}" for _ in range(WORDS))


def _put(library: Library, number: int, texts: list[str], vectors: "np.ndarray", settings: Settings) -> None:
    """Store a made-up document with its passages as ingestion would."""
    original = "\n\n".join(texts).encode()
    content = sha256(original).hexdigest()
    (library.home.originals / content).write_bytes(original)
    identifier, name = document_id(SPACE, content), f"{number}.txt"
    chunks = [
        Chunk(
            id=sha256(f"{identifier}{at}".encode()).hexdigest()[:32],
            document_id=identifier,
            position=at,
            page=at + 1,
            first_page=at + 1,
            last_page=at + 1,
            label=str(at + 1),
            heading="",
            text=text,
            start=0,
            end=len(text),
        )
        for at, text in enumerate(texts)
    ]
    added = "2026-01-01T00:00:00+00:00"
    document = Document(
        identifier, SPACE, content, f"Made up {number}", name, len(texts), len(texts), len(original), added
    )
    embedder = library.fact("embedder")
    assert embedder
    library.begin(document, recipe(settings), chunks)
    library.add_vectors(identifier, embedder, 0, vectors)
    library.publish(identifier, SPACE, name, size=len(original), mtime_ns=0)


def run(home: Path, *words: str) -> tuple[float, str]:
    """Seconds that a command of the program took on a home, and what it wrote. Ends where the command fails."""
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "rag_app", *words],
        env={**os.environ, "RAG_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(f"rag {words[0]} ended with {ended.returncode}.")
    return time.perf_counter() - started, ended.stdout


def measured(folder: Path, passages: int, seed: int) -> str:
    """The table: seconds by command, and whether restoring and asking kept to the bar."""
    fill(folder / "home", passages, seed)
    file = folder / "home.backup"
    backup, _ = run(folder / "home", "backup", str(file))
    restore, _ = run(folder / "empty", "restore", str(file))
    ask, answered = run(folder / "empty", "ask", QUESTION, "--json")
    found = ANSWER in json.loads(answered)["text"]
    together = restore + ask
    verdict = "met" if found and together < BAR else "MISSED"
    return (
        f"{passages} passages, a backup of {file.stat().st_size / 1e6:.0f} MB\n"
        f"backup  {backup:6.1f} s\nrestore {restore:6.1f} s\n"
        f"ask     {ask:6.1f} s, {'the right answer' if found else 'WITHOUT the answer'}\n"
        f"restored and asked in {together:.1f} s (bar: {BAR} s, {verdict})"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        print(measured(Path(folder), arguments.passages, arguments.seed))


if __name__ == "__main__":
    main()

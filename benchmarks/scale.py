"""What a library costs as it grows: building, disk, memory, questions, an edit.

    python -m benchmarks.scale [--passages 10000 100000] [--questions 40] [--data DIR] [--home DIR]

Each library is made and its index built. With `--data` it holds the real passages of DIR (benchmarks/real.py) and is
asked its real questions; passages beyond those that there are, and all without it, are made (benchmarks/made.py). Then
a process of its own opens it as `rag serve` does, models warm, and tells:

- its resident memory before and after the questions;
- a question up to the prompt, and of that everything but the models, and a search for its words (p50, milliseconds);
- which share of the exact 50 nearest passages the index finds among as many, over the questions' vectors;
- the exact scan that answers while there is no index (p50, milliseconds);
- an edit: a document of 50 passages comes in place of another one, vectors given; the next question, which must find
  it; and what the worker does afterwards to keep the index current.

With `--home` the libraries are kept in DIR/PASSAGES and not made again. 1000000 passages take about an hour.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import real
from benchmarks.ask import FOUND, asked, made, recall, timed, turned
from benchmarks.ingest import machine, resident_mb
from benchmarks.made import A_DOCUMENT, ROOT, SPACE, document, documented, put, questions
from ingest.index import exact
from rag_app.build import Application, build
from rag_app.commands.serve import prepare
from rag_app.settings import Settings

WORD = "zyxomma"  # stands nowhere but in the edited document
SCANS = 5
RECALLED = 20  # questions whose nearest passages are also scanned for exactly


@dataclass(frozen=True, slots=True)
class Served:
    """What a process that serves a library tells; milliseconds and megabytes."""

    warm_mb: int
    after_mb: int
    question: float  # p50, up to the prompt
    late: float  # p95, of the same
    without_models: float  # p50, of the same questions
    lexical: float  # p50, a search for their words with nothing beside it
    recall: float  # share of the exact nearest passages that the index finds
    scan: float  # p50
    edit: float
    next_question: float  # without reranking
    found: bool  # whether that one found the edited document first, by its words
    kept_up: float  # bringing the index up to date after the edit


@dataclass(frozen=True, slots=True)
class Size:
    """What a library takes on disk, in MB, and to make, in seconds; None where it was there already."""

    library_mb: float
    index_mb: float
    stored: float | None
    indexed: float | None


def application_of(home: Path) -> Application:
    """The application of a home."""
    return build(Settings.from_environment({"RAG_HOME": str(home)}))


def edited(application: Application) -> tuple[float, float, bool, float]:
    """Replace a document, ask for what is new in it, update the index: milliseconds, and whether it is found."""
    parts = application.parts
    old = parts.library.documents([SPACE])[0]
    texts = [f"The {WORD} of case {number} is kept in the annex." for number in range(A_DOCUMENT)]
    dice = np.random.default_rng(len(old.id))
    vectors = dice.standard_normal((A_DOCUMENT, parts.embedder.dimensions), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    new, chunks = document(old.title, texts)
    _, edit = timed(lambda: put(parts.library, parts.embedder.name, new, chunks, vectors))
    answer, asking = timed(lambda: application.pipeline.search(f"Where is the {WORD} kept?", rerank=False))
    first = min(answer.hits, key=lambda hit: hit.lexical_rank or len(answer.hits))
    _, kept_up = timed(parts.index.refresh)
    return edit, asking, first.document.id == new.id, kept_up


def served(home: Path, count: int, data: Path | None) -> Served:
    """Serve a library for so many questions and an edit, in this process."""
    application = application_of(home)
    prepare(application)
    warm = resident_mb()
    asking = questions(documented(), count) if data is None else real.questions(data, count)
    times = [asked(application, question) for question in asking]
    parts = application.parts
    scans = [
        timed(lambda vector=vector: exact.nearest(parts.library.vectors(parts.embedder.name, [SPACE]), vector, 50))[1]  # type: ignore[misc]  # mypy cannot type a default in a lambda
        for vector in turned(parts.library, parts.embedder.name, SCANS)
    ]
    after = resident_mb()
    found = recall(application, [parts.embedder.embed_question(question) for question in asking[:RECALLED]])
    edited_in = edited(application)
    parts.index.close()
    return Served(
        warm,
        after,
        statistics.median(time["all"] for time in times),
        float(np.percentile([time["all"] for time in times], 95)),
        statistics.median(time["all but models"] for time in times),
        statistics.median(time["lexical alone"] for time in times),
        found,
        statistics.median(scans),
        *edited_in,
    )


def served_apart(home: Path, count: int, data: Path | None) -> Served:
    """The same in a process of its own, whose memory nothing else has touched."""
    command = [sys.executable, "-m", "benchmarks.scale", "--serve", str(home), "--questions", str(count)]
    command += [] if data is None else ["--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Served(**json.loads(done.stdout))


def size(home: Path, passages: int, data: Path | None) -> Size:
    """Make a library and its index, unless it is there, and weigh it."""
    application = application_of(home)
    built = made(application, passages, data)
    application.parts.index.close()
    application.parts.library.close()
    library = sum(file.stat().st_size for file in home.glob("library.db*"))
    index = sum(file.stat().st_size for file in (home / "index").rglob("*") if file.is_file())
    return Size(
        library / 1e6,
        index / 1e6,
        None if built is None else built.stored,
        None if built is None else built.indexed,
    )


def rows(passages: int, weighed: Size, told: Served) -> str:
    """The lines about one library."""

    def seconds(value: float | None) -> str:
        return "kept from before" if value is None else f"{value:.0f} s, {passages / value:,.0f} passages/s"

    lines = {
        "stored": seconds(weighed.stored),
        "indexed": seconds(weighed.indexed),
        "disk": f"library {weighed.library_mb:,.0f} MB, index {weighed.index_mb:,.0f} MB",
        "memory": f"{told.warm_mb:,} MB warm, {told.after_mb:,} MB after the questions   bar 2 GB at 100k",
        "question to prompt": f"{told.question:.0f} ms, p95 {told.late:.0f} ms, without the models "
        f"{told.without_models:.1f} ms   bar 40 ms",
        "words alone": f"{told.lexical:.1f} ms   bar 2 ms at 100k, 5 ms at 1M",
        f"recall@{FOUND}": f"{told.recall:.4f}   bar .98 at 100k real vectors",
        "exact scan": f"{told.scan:.0f} ms",
        "an edit": f"{told.edit:.0f} ms, the next question {told.next_question:.0f} ms "
        f"{'finds it' if told.found else 'DOES NOT FIND IT'}, then keeping up {told.kept_up:.0f} ms",
    }
    return "\n".join([f"{passages:,} passages", *(f"  {name:<20}{text}" for name, text in lines.items())])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--data", type=Path, help="a folder with retrieval/ and pairs/")
    parser.add_argument("--home", type=Path, help="where the libraries are made, or are already")
    parser.add_argument("--serve", type=Path, metavar="HOME", help=argparse.SUPPRESS)  # the process that serves
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    if arguments.serve is not None:
        print(json.dumps(asdict(served(arguments.serve, arguments.questions, arguments.data))))
        return
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        for passages in arguments.passages:
            home = (arguments.home or Path(folder)) / str(passages)
            weighed = size(home, passages, arguments.data)
            print(rows(passages, weighed, served_apart(home, arguments.questions, arguments.data)), flush=True)
    print(machine())


if __name__ == "__main__":
    main()

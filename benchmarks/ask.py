"""How long a question takes until the prompt is ready, stage by stage, and how well the index finds.

    python -m benchmarks.ask [--passages 10000] [--questions 100] [--data DIR] [--home DIR] [--slowest 0]

With `--data` the library holds the real passages of DIR (benchmarks/real.py), so many as are wanted and there, and is
asked the real questions of DIR, drawn at random. Without it, or beyond them, passages are made (benchmarks/made.py),
and the questions are those about the handbook and sentences of real passages. Made passages are copies of each other
with other words, so that many are equally good and reranking has to read nearly all: the hardest case there is. With
`--home` the library is kept, and not made again where it is there.

Each question goes through the application's own line, warmed, up to the messages for a language model: embedding,
dense, lexical, joining with the library and fusing ("join"), reranking 50 to 3, writing the prompt. Milliseconds, p50
and p95. Words are searched while the question is embedded, so that the parts may add up to more than the whole;
"lexical alone" is the same search with nothing beside it. "passages read" is how many the reranker read.
`--slowest` shows so many questions, the slowest first, with their stages.

Bars: everything but the models 40 ms; lexical p50 2 ms; recall@50 of Chroma against the exact scan .98, over the
same questions' vectors and over those of made passages turned a little.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks import real
from benchmarks.ingest import machine
from benchmarks.made import A_DOCUMENT, SPACE, Maker, Real, document, documented, documents, put, questions
from ingest.index import exact
from ingest.library import Library
from rag_app.build import Application, build
from rag_app.commands.serve import prepare
from rag_app.prompt import messages
from rag_app.settings import Settings

T = TypeVar("T")
STAGES = ("embed", "dense", "lexical", "join", "rerank", "prompt", "all", "all but models", "lexical alone")
BARS = {
    "lexical alone": "p50 2 ms at 100k, 5 ms at 1M",
    "all": "p50 250, p95 350 ms at 100k",
    "all but models": "p50 40 ms",
}
FOUND = 50  # passages looked at for recall
READ = "passages read"


@dataclass(frozen=True, slots=True)
class Built:
    """Seconds spent making a library."""

    stored: float  # rows, vectors, and making them up
    indexed: float


def made(application: Application, passages: int, data: Path | None) -> Built | None:
    """Fill an empty library and build its index; None where it holds something already."""
    parts = application.parts
    if parts.library.spaces():
        parts.index.open()
        return None
    texts = documented() if data is None else real.passages(data, passages)
    vectors = parts.embedder.embed(texts) if data is None else real.vectors(parts.embedder, texts)
    started = time.perf_counter()
    for start in range(0, min(len(texts), passages), A_DOCUMENT):
        end = min(start + A_DOCUMENT, passages)
        put(parts.library, parts.embedder.name, *document(f"real {start}", texts[start:end]), vectors[start:end])
    for one, chunks, block in documents(Maker(Real(texts, vectors)), passages - min(len(texts), passages)):
        put(parts.library, parts.embedder.name, one, chunks, block)
    stored = time.perf_counter() - started
    parts.index.open()
    return Built(stored, time.perf_counter() - started - stored)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and its milliseconds."""
    started = time.perf_counter()
    value = work()
    return value, (time.perf_counter() - started) * 1000


def asked(application: Application, question: str) -> dict[str, float]:
    """Milliseconds of each stage of one question, up to the prompt."""
    answer, searched = timed(lambda: application.pipeline.search(question))
    _, prompt = timed(lambda: messages(question, [hit for hit in answer.hits if hit.used], ()))
    _, alone = timed(lambda: application.parts.index.lexical(question, [SPACE], FOUND))
    times = answer.timings
    whole = searched + prompt
    return {
        "embed": times.embed,
        "dense": times.dense,
        "lexical": times.lexical,
        "join": searched - times.rerank - times.dense - max(times.embed, times.lexical - times.dense),
        "rerank": times.rerank,
        "prompt": prompt,
        "all": whole,
        "all but models": whole - times.embed - times.rerank,
        "lexical alone": alone,
        READ: sum(hit.relevance is not None for hit in answer.hits),
    }


def recall(application: Application, vectors: Sequence[NDArray[np.float32]]) -> float:
    """The mean share of the exact nearest FOUND passages that the index finds among as many."""
    parts = application.parts
    shares = []
    for vector in vectors:
        blocks = parts.library.vectors(parts.embedder.name, [SPACE])
        nearest = {place for place, _ in exact.nearest(blocks, vector, FOUND)}
        proposed = {place for place, _ in parts.index.dense(vector, [SPACE], FOUND)[:FOUND]}
        shares.append(len(nearest & proposed) / len(nearest))
    return statistics.fmean(shares)


def turned(library: Library, embedder: str, count: int, seed: int = 0) -> list[NDArray[np.float32]]:
    """Vectors near passages drawn at random: questions, as far as the index can tell."""
    dice = np.random.default_rng(seed)
    found = []
    shelf = library.documents([SPACE])
    for number in dice.choice(len(shelf), size=count):
        block = next(library.document_vectors(shelf[number].id, embedder))
        noise = dice.standard_normal(block.vectors.shape[1], dtype=np.float32)
        vector = block.vectors[dice.integers(len(block.vectors))] + 0.8 * noise / np.linalg.norm(noise)
        found.append((vector / np.linalg.norm(vector)).astype(np.float32))
    return found


def table(times: Sequence[Mapping[str, float]]) -> str:
    """p50, p95 and share of the whole, by stage."""
    lines = [f"{'':<16}{'p50 ms':>10}{'p95 ms':>10}{'share':>8}"]
    whole = statistics.fmean(time["all"] for time in times)
    for stage in (*STAGES, READ):
        of_stage = [time[stage] for time in times]
        middle, late = np.percentile(of_stage, [50, 95])
        share = f"{statistics.fmean(of_stage) / whole:>8.1%}" if stage != READ else ""
        bar = f"   bar {BARS[stage]}" if stage in BARS else ""
        lines.append(f"{stage:<16}{middle:>10.1f}{late:>10.1f}{share:<8}{bar}")
    return "\n".join(lines)


def slow(asking: Sequence[str], times: Sequence[Mapping[str, float]], most: int) -> str:
    """A line for each of the slowest questions."""
    columns = [stage for stage in STAGES if stage != "prompt"]
    lines = ["", "".join(f"{name:>16}" for name in ("words", READ, *columns))]
    for question, own in sorted(zip(asking, times, strict=True), key=lambda pair: -pair[1]["all"])[:most]:
        cells = [f"{len(question.split()):>16}{own[READ]:>16.0f}", *(f"{own[name]:>16.1f}" for name in columns)]
        lines.append("".join(cells))
    return "\n".join(lines)


def measured(application: Application, asking: Sequence[str], slowest: int = 0) -> str:
    """The tables of one library that is open and warmed."""
    for question in asking[:3]:
        application.pipeline.search(question)
    times = []
    for number, question in enumerate(asking, start=1):
        times.append(asked(application, question))
        if number % max(1, len(asking) // 5) == 0:
            sys.stderr.write(f"{number} of {len(asking)} questions\n")
    parts = application.parts
    own = recall(application, [parts.embedder.embed_question(question) for question in asking])
    near = recall(application, turned(parts.library, parts.embedder.name, len(asking)))
    state = parts.index.state()
    return (
        f"{parts.library.counts([SPACE]).chunks} passages, {len(asking)} questions, {state.answering} answers, "
        f"embedding by {parts.embedder.engine}\n"
        f"{table(times)}\n"
        f"recall@{FOUND} against the exact scan: questions {own:.4f}, turned passages {near:.4f}   bar .98"
        f"{slow(asking, times, slowest) if slowest else ''}"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--data", type=Path, help="a folder with retrieval/ and pairs/")
    parser.add_argument("--slowest", type=int, default=0, help="questions to be shown one by one")
    parser.add_argument("--home", type=Path, help="where the library is made, or is already")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    with tempfile.TemporaryDirectory(prefix="ask-") as folder:
        home = arguments.home or Path(folder) / "home"
        application = build(Settings.from_environment({"RAG_HOME": str(home)}))
        built = made(application, arguments.passages, arguments.data)
        prepare(application)
        if built is not None:
            print(f"stored in {built.stored:.1f} s, indexed in {built.indexed:.1f} s")
        count, data = arguments.questions, arguments.data
        asking = questions(documented(), count) if data is None else real.questions(data, count)
        print(measured(application, asking, arguments.slowest))
        application.parts.index.close()
    print(machine())


if __name__ == "__main__":
    main()

"""How long a question takes until the prompt is ready, stage by stage, and how well the index finds.

    python -m benchmarks.ask [--passages 10000] [--questions 100] [--data DIR] [--home DIR]

The library is made: see benchmarks/made.py; its first passages are the real ones. With `--home` it is kept, and not
made again where it is there. The questions are those about the handbook and sentences of real passages. Each goes
through the application's own line, warmed, up to the messages for a language model: embedding, dense, lexical, joining
with the library and fusing ("join"), reranking 50 to 3, writing the prompt. Milliseconds, p50 and p95. Words are
searched while the question is embedded, so that the parts may add up to more than the whole; "lexical alone" is the
same search with nothing beside it.

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

from benchmarks.ingest import machine
from benchmarks.made import SPACE, Maker, Real, document, documented, documents, given, put, questions
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
REAL = 5000  # passages of `--data` that are embedded


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
    texts = documented() if data is None else given(data, REAL)
    real = Real(texts, parts.embedder.embed(texts))
    started = time.perf_counter()
    for start in range(0, min(len(texts), passages), FOUND):
        end = min(start + FOUND, passages)
        put(
            parts.library,
            parts.embedder.name,
            *document(f"real {start}", texts[start:end]),
            real.vectors[start:end],
        )
    for one, chunks, vectors in documents(Maker(real), passages - min(len(texts), passages)):
        put(parts.library, parts.embedder.name, one, chunks, vectors)
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
    for stage in STAGES:
        of_stage = [time[stage] for time in times]
        middle, late = np.percentile(of_stage, [50, 95])
        share = statistics.fmean(of_stage) / whole
        bar = f"   bar {BARS[stage]}" if stage in BARS else ""
        lines.append(f"{stage:<16}{middle:>10.1f}{late:>10.1f}{share:>8.1%}{bar}")
    return "\n".join(lines)


def measured(application: Application, texts: Sequence[str], count: int) -> str:
    """The tables of one library that is open and warmed."""
    asking = questions(texts, count)
    for question in asking[:3]:
        application.pipeline.search(question)
    times = []
    for number, question in enumerate(asking, start=1):
        times.append(asked(application, question))
        if number % max(1, count // 5) == 0:
            sys.stderr.write(f"{number} of {len(asking)} questions\n")
    parts = application.parts
    own = recall(application, [parts.embedder.embed_question(question) for question in asking])
    near = recall(application, turned(parts.library, parts.embedder.name, count))
    state = parts.index.state()
    return (
        f"{parts.library.counts([SPACE]).chunks} passages, {len(asking)} questions, {state.answering} answers, "
        f"embedding by {parts.embedder.engine}\n"
        f"{table(times)}\n"
        f"recall@{FOUND} against the exact scan: questions {own:.4f}, turned passages {near:.4f}   bar .98"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--data", type=Path, help="a folder with retrieval/NAME/corpus.jsonl")
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
        print(measured(application, documented(), arguments.questions))
        application.parts.index.close()
    print(machine())


if __name__ == "__main__":
    main()

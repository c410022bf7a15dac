"""How fast files become passages, stage by stage, and whether memory stays flat.

    python -m benchmarks.ingest --data DIR [--pages 300] [--memory-pages 5000] [--lanes N] [--float32]

Speed: files are added, in an order drawn at random, until they have `--pages` pages, by the real parts with the real
embedding model, as one call of `rag ingest` does it: those of DIR/pdf_qa, documents as people have them, and those of
DIR/pdfs, mostly strange ones of a page or two, where starting a reader for each file shows. Several files are on their
way at once, so a stage's seconds are those in which at least one file was in it, and the shares come to more than the
wall time; "store" is what is left, in which none was: the library's transactions and the table of jobs; "index" is what
is left to do of the index once the last file is embedded, since a child builds it beside the files. The bar: embedding
is at least 80 %. With `--lanes 1` one file comes after the other.

Memory: DIR/pdf_qa with hashed words instead of the model, until `--memory-pages` pages. Prints the resident size of
this process every 500 pages. A file that comes again gets a comment at its end, so that it is another one.
"""

import argparse
import os
import platform
import random
import re
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pypdfium2

from benchmarks.kill_life import HashedEmbedder
from ingest import chunking, cleaning, embedding, openvino_bert, reading
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder, Vectors
from ingest.engines import TORCH, Choice, Engines
from ingest.home import Home
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.openvino_bert import FLOAT32
from ingest.pipeline import DocumentEmbedder, Ingestion
from ingest.records import JobState, Reading
from ingest.settings import Settings
from ingest.worker import Worker

SPACE = "documents"
FOLDERS = ("pdf_qa", "pdfs")
STAGES = ("read", "clean", "chunk", "embed", "store", "index")
BAR = 0.8  # share of embedding in the wall time
EVERY = 500  # pages between two looks at the memory


class Clock:
    """Seconds in which at least one file was in a stage."""

    def __init__(self) -> None:
        self.wall = 0.0
        self._spells: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    @property
    def seconds(self) -> dict[str, float]:
        """Of each stage; of "store", in which nothing was in any other."""
        every = [spell for spells in self._spells.values() for spell in spells]
        held = {stage: covered(self._spells[stage]) for stage in STAGES if stage != "store"}
        return {**held, "store": self.wall - covered(every)}

    def around(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, its seconds counted for a stage."""

        def timed(*values: object, **named: object) -> Any:  # noqa: ANN401 - whatever `work` gives
            started = time.perf_counter()
            try:
                return work(*values, **named)
            finally:
                self._spells[stage].append((started, time.perf_counter()))

        return timed

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count cleaning, cutting and the wall time while the block lasts."""
        kept = cleaning.clean, chunking.chunk
        cleaning.clean, chunking.chunk = self.around("clean", kept[0]), self.around("chunk", kept[1])
        started = time.perf_counter()
        try:
            yield
        finally:
            self.wall = time.perf_counter() - started
            cleaning.clean, chunking.chunk = kept


def covered(spells: Sequence[tuple[float, float]]) -> float:
    """Seconds that lie in at least one of the spells, each given by its start and end.

    covered([(0, 2), (1, 3), (5, 6)]) is 4.
    """
    seconds, until = 0.0, float("-inf")
    for start, end in sorted(spells):
        seconds += max(end - max(start, until), 0.0)
        until = max(until, end)
    return seconds


class TimedEmbedder:
    """An embedder whose seconds are counted."""

    def __init__(self, embedder: DocumentEmbedder, clock: Clock) -> None:
        self.name = embedder.name
        self._embed = clock.around("embed", embedder.embed)
        self._pieces = embedder.pieces

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, (texts, dimensions)."""
        vectors: Vectors = self._embed(texts)
        return vectors

    def pieces(self, text: str) -> int:
        """Word pieces of a text; counting them is part of cutting."""
        return self._pieces(text)


class Reader:
    """The real reader, timed, which also looks at the memory every 500 pages."""

    def __init__(self, clock: Clock, look: Callable[[int], None]) -> None:
        self.pages = 0
        self._read = clock.around("read", reading.read)
        self._look = look
        self._counting = threading.Lock()  # files are read side by side

    def __call__(self, file: Path, /, **named: object) -> Reading:
        """The pages of a file."""
        found: Reading = self._read(file, **named)
        with self._counting:
            if (self.pages + found.page_count) // EVERY > self.pages // EVERY:
                self._look(self.pages + found.page_count)
            self.pages += found.page_count
        return found


def ingest(
    folder: Path,
    files: Iterator[Path],
    embedder: DocumentEmbedder,
    pages: int,
    look: Callable[[int], None],
    lanes: int = 0,
) -> tuple[Clock, int, int]:
    """Add files until they have `pages` pages, and work them off; the clock, pages and passages."""
    clock = Clock()
    library = Library(Home(folder).prepare())
    library.claim_embedder(embedder.name)
    index = Index(library, embedder.name)
    index.refresh = clock.around("index", index.refresh)  # type: ignore[method-assign]
    reader = Reader(clock, look)
    settings = Settings(home=folder)
    ingestion = Ingestion(library, TimedEmbedder(embedder, clock), settings, reader)
    intake = Intake(library, settings.max_file_mb)
    worker = Worker(library, ingestion, index, lanes)
    added = 0
    with clock.watching():
        while added < pages:
            file = next(files)
            if intake.add(file, SPACE).state == JobState.WAITING:
                added += page_count(file)
        worker.work_off()
    passages = library.counts([SPACE]).chunks
    index.close()
    library.close()
    return clock, reader.pages, passages


def page_count(file: Path) -> int:
    """The pages of a PDF; 0 where it cannot be opened."""
    try:
        with closing(pypdfium2.PdfDocument(file)) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return 0


def unlike(files: Sequence[Path], folder: Path, seed: int) -> Iterator[Path]:
    """The files in an order drawn at random, then again and again as copies that differ in their last bytes."""
    order = random.Random(seed).sample(files, len(files))
    yield from order
    for turn in count(1):
        for number, file in enumerate(order):
            copy = folder / f"{turn}-{number}.pdf"  # under one name, each would replace the one before
            copy.write_bytes(file.read_bytes() + b"\n%% copy %d" % turn)
            yield copy
            copy.unlink()


def resident_mb() -> int:
    """The resident size of this process."""
    found = re.search(r"^VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def table(clock: Clock, pages: int, passages: int) -> str:
    """Seconds, share of the wall time, pages and passages a second, by stage."""
    lines = [f"{'':<8}{'s':>9}{'share':>8}{'pages/s':>10}{'passages/s':>12}"]
    for stage in (*STAGES, "all"):
        seconds = clock.wall if stage == "all" else clock.seconds[stage]
        rates = f"{pages / max(seconds, 1e-9):>10.1f}{passages / max(seconds, 1e-9):>12.1f}"
        lines.append(f"{stage:<8}{seconds:>9.1f}{seconds / clock.wall:>8.1%}{rates}")
    share = clock.seconds["embed"] / clock.wall
    lines.append(f"{pages} pages, {passages} passages; embedding is {share:.1%} of the wall time (bar: {BAR:.0%})")
    return "\n".join(lines)


def machine() -> str:
    """What the figures were measured on, and the packages that may have computed."""
    import torch

    names = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cores = f"{os.cpu_count()} cores, {len(os.sched_getaffinity(0))} of them for this process"
    numbers = f"{torch.get_num_threads()} threads, weights in {embedding.fast_dtype()}"
    try:
        other = f"OpenVINO {openvino_bert.version()}"
    except ImportError:
        other = "no OpenVINO"
    return f"{names[0] if names else platform.machine()}, {cores}; torch {torch.__version__} with {numbers}; {other}"


def engines(*, float32: bool) -> Engines:
    """Those of this machine, or as on a processor that computes in float32 alone."""
    found = Engines()
    name = found.choice.name
    if float32 and name == TORCH:
        embedding.fast_dtype = _float32
    elif float32:
        vars(found)["choice"] = Choice(f"{name.rpartition(' ')[0]} {FLOAT32}", "the benchmark says so")
    return found


def _float32() -> Any:  # noqa: ANN401 - as ingest.embedding.fast_dtype
    import torch

    return torch.float32


def speed(files: Sequence[Path], pages: int, seed: int, lanes: int, *, float32: bool = False) -> None:
    """Measure and print the stages with the real model."""
    embedder = Embedder(BUNDLED, Compute(), engines(float32=float32))
    embedder.embed(["loaded before the clock starts"])
    embedder.pieces("and its tokenizer too")
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        given = unlike(files, Path(folder), seed)
        clock, done, passages = ingest(Path(folder) / "home", given, embedder, pages, lambda _: None, lanes)
    print(f"{table(clock, done, passages)}\nembedding by {embedder.engine}\n{machine()}\n")


def memory(files: Sequence[Path], pages: int, seed: int) -> None:
    """Print the resident size of this process while files are added with hashed words for a model."""

    def look(done: int) -> None:
        print(f"{done:>7} pages {resident_mb():>6} MB", flush=True)

    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        given = unlike(files, Path(folder), seed)
        _, done, passages = ingest(Path(folder) / "home", given, HashedEmbedder(), pages, look)
    print(f"{done:>7} pages {resident_mb():>6} MB  and {passages} passages in an index, hashed words for a model")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdfs/")
    parser.add_argument("--pages", type=int, default=300, help="with the model; 0: none")
    parser.add_argument("--memory-pages", type=int, default=5000, help="without the model; 0: none")
    parser.add_argument("--float32", action="store_true", help="weights as on a processor without AMX")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the files")
    parser.add_argument("--lanes", type=int, default=0, help="files at once; 0: as the program does it here")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    folders = {name: sorted((arguments.data / name).rglob("*.pdf")) for name in FOLDERS}
    if not folders["pdfs"]:
        raise SystemExit(f"There is no PDF under {arguments.data / 'pdfs'}. --data takes the folder with pdfs/ in it.")
    if arguments.memory_pages:
        memory(folders["pdf_qa"] or folders["pdfs"], arguments.memory_pages, arguments.seed)
    for name, files in folders.items():
        if files and arguments.pages:
            print(name)
            speed(files, arguments.pages, arguments.seed, arguments.lanes, float32=arguments.float32)


if __name__ == "__main__":
    main()

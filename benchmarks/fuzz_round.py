"""One round of `make fuzz`: spoiled files go in at the real door of a library of their own, one after another.

Runs in a process forked by benchmarks/fuzz.py, which takes its death for a finding. Only embedding is a stand-in
(hashed words instead of a model); files are read in the limited child, cleaned, cut, stored and shown as in service.
After the last one the library is verified and its index is built and asked.
"""

import random
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz_mutations import mutated
from benchmarks.kill_life import HashedEmbedder
from ingest.home import Home
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.pipeline import Ingestion
from ingest.records import FileState, Job, JobState
from ingest.settings import Settings

SPACE = "documents"
GRACE_S = 20.0  # what a file may take beyond the reader's time: cleaning, cutting, a busy machine
MOST_MB = 1500  # resident size of the application's process, whatever it was given
GROWTH_MB = 500  # that a process which was larger before may grow by
SAME = 0.999  # cosine of two passages that say the same
STATED = frozenset(map(str, FileState))
_MB = 1 << 20

Say = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Round:
    """Which files a process spoils, and how they are read."""

    seed: int  # of the whole run
    numbers: range  # of the files; seed and number make a file
    seconds: int  # the reader's
    memory_mb: int  # the reader's


def spoiled(seeds: Mapping[str, bytes], seed: int, number: int) -> tuple[bytes, str]:
    """The file that a run's seed and a number make, and how it was made."""
    dice = random.Random(f"{seed}:{number}")
    name = dice.choice(list(seeds))
    file, mutations = mutated(seeds[name], list(seeds.values()), dice)
    return file, f"{name}: {', '.join(mutations)}"


class Application:
    """A library and what takes files into it."""

    def __init__(self, folder: Path, seconds: int, memory_mb: int) -> None:
        """A new home in `folder`. `seconds` and `memory_mb` are the reader's limits."""
        self._seconds = seconds
        self._most_mb = max(MOST_MB, _peak_mb() + GROWTH_MB)  # tests share their process with models
        self._file = folder / "spoiled.pdf"
        self._embedder = HashedEmbedder()
        settings = Settings(home=folder / "home", read_seconds=seconds, read_memory_mb=memory_mb)
        self._library = Library(Home(settings.home).prepare())
        self._library.claim_embedder(self._embedder.name)
        self._intake = Intake(self._library, max_file_mb=settings.max_file_mb)
        self._ingestion = Ingestion(self._library, self._embedder, settings)

    def take(self, file: bytes, name: str) -> tuple[Job | None, str]:
        """The job of a file as it ended, and what is wrong with that ("" where nothing is); no job where it raised."""
        self._file.write_bytes(file)
        started = time.monotonic()
        try:
            job = self._intake.add(self._file, SPACE, name)
            job = job if job.final else self._ingestion.run(job)
        except Exception:  # noqa: BLE001 - any of them is what this looks for
            return None, traceback.format_exc()
        return job, self._complaint(job, time.monotonic() - started)

    def _complaint(self, job: Job, seconds: float) -> str:
        if str(job.state) not in STATED:
            return f"It ended as {job.state}, which is no state of a file."
        if not job.reason and job.state not in {JobState.READY, JobState.UNCHANGED}:
            return f"It ended as {job.state} and nobody is told why."
        if seconds > self._seconds + GRACE_S:
            return f"It took {seconds:.0f} s; the reader had {self._seconds} s."
        if (peak := _peak_mb()) > self._most_mb:
            return f"The application's process took {peak} MB."
        return ""

    def damage(self) -> str:
        """What is wrong with everything that was taken in: the library's rows, the index over it, or asking it."""
        index = Index(self._library, self._embedder.name)
        try:
            if found := self._library.findings():
                return "; ".join(finding.sentence for finding in found[:5])
            if not self._library.documents():
                return ""
            if not index.rebuild():
                return "The index could not be built."
            wanted = self._library.counts([SPACE]).chunks
            dense = index.dense(self._embedder.embed(["plan"])[0], [SPACE], wanted)
            vectors = self._library.vectors_at([place for place, _ in dense], self._embedder.name)
            held = np.vstack(list(vectors.values()))
            lost = sum((held @ vector).max() < SAME for vector in self._kinds())  # of equal passages some are enough
            if lost > 0:
                return f"{lost} of {wanted} passages cannot be found, and none that says the same."
            index.lexical("plan", [SPACE], 50)
        except Exception:  # noqa: BLE001 - as above
            return traceback.format_exc()
        finally:
            index.close()
        return ""

    def _kinds(self) -> NDArray[np.float32]:
        """Every vector of the library once."""
        blocks = [
            block.vectors
            for document in self._library.documents()
            for block in self._library.document_vectors(document.id, self._embedder.name)
        ]
        kinds: NDArray[np.float32] = np.unique(np.vstack(blocks), axis=0)
        return kinds

    def close(self) -> None:
        """Let go of the library and delete it."""
        self._library.close()
        shutil.rmtree(self._library.home.folder)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (_MB if sys.platform == "darwin" else 1024)


def run(folder: Path, seeds: Mapping[str, bytes], wanted: Round, say: Say) -> None:
    """Work off a round. `say` is told of each file's number before, and of its number, state and fault after."""
    application = Application(folder, wanted.seconds, wanted.memory_mb)
    for number in wanted.numbers:
        say("begun", number, "")
        file, _ = spoiled(seeds, wanted.seed, number)
        job, wrong = application.take(file, f"{number}.pdf")
        say(str(job.state) if job else "raised", number, wrong)
    say("whole", wanted.numbers[-1], application.damage())
    application.close()

"""Many chats at once through the real application, with a stub for the language model on loopback.

    python -m benchmarks.load [--chats 1 10 50] [--questions 150] [--documents 200] [--word-ms 10] [--memory 0]

Every document states one fact that no other holds, and every question asks for the fact of one of them: an answer must
state it and cite that document, otherwise it counts as wrong, and as mixed up where it states another's. Questions
go the way they go from the chat page: stored in app.db, answered by a task of the server, followed to their end.

For each number of chats: p50 and p95 in milliseconds from asking to the stored answer, errors, wrong and mixed up
answers, questions a second, and that as a ratio of one chat after another (bar 90 %); the resident memory after it,
and its growth for 1,000 questions (bar 1 MB, of a run of thousands: the first hundreds fill caches).

Then one chat asks while files are ingested (copies of the handbook's PDFs): its p95 beside the idle one's, bar 2 times.

`--memory N` does only this: N questions by 50 chats, and every 500 of them the resident memory, what the C library's
allocator holds in use, and how many blocks Python has. A leak lets all three grow for ever; what is only scattered
about lets the first grow, less and less.
"""

import argparse
import asyncio
import ctypes
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.ingest import machine, resident_mb
from benchmarks.made import ROOT, document, put
from benchmarks.stub_endpoint import StubEndpoint
from rag_app.app_database import AppDatabase
from rag_app.build import Application, build
from rag_app.commands.desk import desk
from rag_app.commands.serve import prepare
from rag_app.conversations import Conversations, StoredTurn, TurnState
from rag_app.settings import Settings
from rag_app.web.answering import Answering

SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
TURNS = 5  # questions of one conversation
EVERY, MANY = 500, 50  # questions between two looks at the memory, and chats at once
FEW = 150  # questions at most that one chat asks idle, and while files are ingested


@dataclass(frozen=True, slots=True)
class Fact:
    """What one document states, and nothing else does."""

    name: str
    code: str

    @property
    def text(self) -> str:
        """The document's only passage."""
        return (
            f"The door code of the {self.name} archive is {self.code}. Whoever enters writes the hour into the book "
            f"that lies beside the door. The {self.name} archive is open on working days and closed in August."
        )

    @property
    def question(self) -> str:
        """Asks for the code."""
        return f"What is the door code of the “{self.name}” archive?"


@dataclass
class Outcome:
    """What a number of chats got."""

    times: list[float] = field(default_factory=list)  # seconds, each question
    errors: int = 0
    wrong: int = 0  # not the fact that was asked for, or not cited from its document
    mixed: int = 0  # of these, another document's fact
    wall: float = 0.0  # seconds

    def judge(self, turn: StoredTurn | None, fact: Fact, codes: Sequence[str]) -> None:
        """Count one answer."""
        if turn is None or turn.state is not TurnState.DONE or turn.answer is None:
            self.errors += 1
            return
        answer = turn.answer
        cited = {citation.title for citation in answer.citations}
        if fact.code not in answer.text or cited != {fact.name}:
            self.wrong += 1
            self.mixed += any(code in answer.text for code in codes if code != fact.code)

    @property
    def rate(self) -> float:
        """Questions a second."""
        return len(self.times) / max(self.wall, 1e-9)


def facts(count: int, seed: int = 0) -> list[Fact]:
    """Facts with names and codes that no two share."""
    dice = random.Random(seed)
    names = sorted({"".join(dice.choices(SYLLABLES, k=4)).capitalize() for _ in range(2 * count + 50)})
    dice.shuffle(names)
    return [Fact(name, f"{dice.randrange(16**4):04x}{number:04d}") for number, name in enumerate(names[:count])]


def fill(application: Application, stated: Sequence[Fact]) -> None:
    """Put a document for each fact into the library."""
    parts = application.parts
    vectors = parts.embedder.embed([f"{fact.name}\n{fact.text}" for fact in stated])
    for fact, vector in zip(stated, vectors, strict=True):
        put(parts.library, parts.embedder.name, *document(fact.name, [fact.text]), vector[None])


async def chatted(
    application: Application,
    stated: Sequence[Fact],
    chats: int,
    count: int,
    seed: int = 0,
    look: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """`count` questions by `chats` people at once, each asking again when answered.

    `look` is called after each answer with how many there were.
    """
    database = AppDatabase(application.parts.home.folder / "app.db")
    conversations = Conversations(database)
    answering = Answering(desk(application).ask, conversations)
    outcome, codes = Outcome(), [fact.code for fact in stated]
    asked = iter(random.Random(seed).choices(stated, k=count))

    async def chat(person: str) -> None:
        for number, fact in enumerate(asked):
            if number % TURNS == 0:
                conversation = await asyncio.to_thread(conversations.begin, person)
            started = time.perf_counter()
            turn = await answering.start(person, conversation, fact.question)
            grown = [turn async for turn in answering.follow(turn)]
            outcome.times.append(time.perf_counter() - started)
            outcome.judge(grown[-1] if grown else None, fact, codes)
            look(len(outcome.times))

    started = time.perf_counter()
    await asyncio.gather(*(chat(f"person {number}") for number in range(chats)))
    outcome.wall = time.perf_counter() - started
    await answering.close()
    database.close()
    return outcome


@contextmanager
def ingesting(application: Application, folder: Path) -> Iterator[list[str]]:
    """Ingest copies of the handbook's PDFs, one after the other, while the block lasts; the names of those done."""
    done: list[str] = []
    ending = threading.Event()

    def work() -> None:
        parts = application.parts
        files = sorted((ROOT / "docs_corpus").glob("*.pdf"))
        while not ending.is_set():
            file = files[len(done) % len(files)]
            copy = folder / f"{len(done)}-{file.name}"
            shutil.copy(file, copy)
            with copy.open("ab") as end:
                end.write(b"\n%% copy %d" % len(done))  # otherwise the same content
            parts.intake.add(copy, "added")
            parts.worker.work_off()
            done.append(copy.name)

    thread = threading.Thread(target=work, name="ingesting")
    thread.start()
    try:
        yield done
    finally:
        ending.set()
        thread.join()


def line(name: str, outcome: Outcome, alone: Outcome, memory: tuple[int, int]) -> str:
    """One row of the table. `memory`: MB before and after."""
    middle, late = np.percentile(outcome.times, [50, 95]) * 1000
    growth = (memory[1] - memory[0]) / len(outcome.times) * 1000
    return (
        f"{name:<18}{len(outcome.times):>10}{middle:>9.0f}{late:>9.0f}{outcome.errors:>8}{outcome.wrong:>7}{outcome.mixed:>7}"
        f"{outcome.rate:>8.2f}{outcome.rate / alone.rate:>8.2f}{memory[1]:>8}{growth:>10.1f}"
    )


HEAD = (
    f"{'chats at once':<18}{'questions':>10}{'p50 ms':>9}{'p95 ms':>9}{'errors':>8}{'wrong':>7}{'mixed':>7}"
    f"{'q/s':>8}{'ratio':>8}{'MB':>8}{'MB/1000':>10}"
)


def measure(application: Application, stated: Sequence[Fact], chats: Sequence[int], count: int, folder: Path) -> None:
    """Print the rows as they come."""
    fill(application, stated)
    prepare(application)
    asyncio.run(chatted(application, stated, 1, 10, seed=9))
    print(HEAD, flush=True)
    first: Outcome | None = None
    for number in chats:
        before = resident_mb()
        outcome = asyncio.run(chatted(application, stated, number, count, seed=number))
        first = first or outcome
        print(line(str(number), outcome, first, (before, resident_mb())), flush=True)
    count = min(count, FEW)
    before = resident_mb()
    idle = asyncio.run(chatted(application, stated, 1, count, seed=0))
    print(line("1, idle", idle, idle, (before, resident_mb())), flush=True)
    before = resident_mb()
    with ingesting(application, folder) as done:
        busy = asyncio.run(chatted(application, stated, 1, count, seed=0))
    print(line("1, ingesting", busy, idle, (before, resident_mb())))
    slower = np.percentile(busy.times, 95) / np.percentile(idle.times, 95)
    print(f"p95 while {len(done)} files were ingested: {slower:.2f} times the idle one (bar 2)")


def in_use_mb() -> float:
    """What the C library's allocator holds in use for this process, on its heaps and mapped."""

    class Mallinfo(ctypes.Structure):
        names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
        _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Mallinfo
    told = mallinfo()
    return float(told.uordblks + told.hblkhd) / 1e6


def remember(application: Application, stated: Sequence[Fact], count: int) -> None:
    """Ask `count` questions and print what memory is held every EVERY of them."""
    fill(application, stated)
    prepare(application)
    print(f"{'questions':>10}{'resident MB':>14}{'in use MB':>12}{'Python blocks':>15}", flush=True)

    def look(done: int) -> None:
        if done % EVERY == 0:
            print(f"{done:>10}{resident_mb():>14}{in_use_mb():>12.1f}{sys.getallocatedblocks():>15,}", flush=True)

    look(0)
    outcome = asyncio.run(chatted(application, stated, MANY, count, look=look))
    print(f"{outcome.rate:.2f} a second, {outcome.errors} errors, {outcome.wrong} wrong, {outcome.mixed} mixed up")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--questions", type=int, default=150, help="for each number of chats")
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument(
        "--word-ms", type=float, default=10.0, help="the language model's pause before each of 4 pieces"
    )
    parser.add_argument("--memory", type=int, default=0, help="questions after which the memory is told, and no more")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    with tempfile.TemporaryDirectory(prefix="load-") as folder, StubEndpoint(arguments.word_ms / 1000) as endpoint:
        environment = {"RAG_HOME": f"{folder}/home", "RAG_LLM_MODEL": "stub", "OPENAI_BASE_URL": endpoint.base_url}
        application = build(Settings.from_environment(environment))
        if arguments.memory:
            remember(application, facts(arguments.documents), arguments.memory)
        else:
            measure(application, facts(arguments.documents), arguments.chats, arguments.questions, Path(folder))
        application.parts.index.close()
    print(machine())
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Spoil PDFs in every way, add each, and see that the application lives and says how each one ended.

    python -m benchmarks.fuzz [--count 10000] [--minutes M] [--data DIR] [--jobs N] [--seed S]

Seeds are PDFs made here and, with --data, those under DIR/pdfs. Files are read in limited children as in service. A
file that ends the application's process, raises, ends in no stated state, hangs it or swells it is a finding: it is
written to --findings with a text beside it that tells how it was made, and tests/test_fuzz.py adds every file of that
folder again from then on. Prints files by state and the rate; exit code 1 when there was a finding.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.fuzz_round import Round, run, spoiled
from benchmarks.fuzz_seeds import made
from benchmarks.kill import MEMORY

FINDINGS = Path("tests/data/fuzz")
PER_ROUND = 250  # files that one process and one library take
LARGEST = 1 << 20  # bytes of a seed; larger ones only slow the run
ENDING_S = 10.0  # from a process's last word to its end
SHOWN_S = 60.0  # seconds between two lines on stderr

_Told = tuple[str, int, str]  # state, number of the file, what was wrong


@dataclass(slots=True)
class Tally:
    """What has come of the files so far."""

    states: Counter[str] = field(default_factory=Counter)
    findings: list[_Told] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def files(self) -> int:
        """Files that ended in any way."""
        return self.states.total()

    @property
    def rate(self) -> float:
        """Files an hour."""
        return self.files / max(self.seconds, 1e-9) * 3600


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    count: int
    first: int
    seconds: float | None  # of the whole run
    jobs: int
    seed: int
    read_seconds: int
    read_memory_mb: int


class Runner:
    """One process with its round. It is started again behind the file that ended it."""

    def __init__(self, seeds: Mapping[str, bytes], wanted: Round, folder: Path) -> None:
        """Start the round in a new folder under `folder`."""
        self._seeds, self._wanted, self._parent = seeds, wanted, folder
        self._at = wanted.numbers[0]  # the file that is being worked on
        self.pipe, self._process = self._start()

    def _start(self) -> tuple[Connection, BaseProcess]:
        self._folder = Path(tempfile.mkdtemp(dir=self._parent))
        reading, writing = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(
            target=_work, args=(self._folder, self._seeds, self._wanted, writing)
        )
        process.start()
        writing.close()
        return reading, process

    def told(self) -> Iterator[_Told]:
        """What the process says next; its death is a finding too."""
        try:
            state, number, wrong = self.pipe.recv()
        except EOFError:
            self.stop(ENDING_S)
            if self._process.exitcode != 0:
                yield "died", self._at, f"The application's process ended with {self._process.exitcode}."
            return
        self._at = number
        if state != "begun":
            yield state, number, wrong

    def rest(self) -> Round | None:
        """What is left of the round after the process ended; None where it got to its end."""
        left = self._wanted.numbers[self._wanted.numbers.index(self._at) + 1 :]
        died = self._process.exitcode != 0 and len(left) > 0
        return Round(self._wanted.seed, left, self._wanted.seconds, self._wanted.memory_mb) if died else None

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.pipe.closed

    def stop(self, patience_s: float = 0) -> None:
        """End the process, if it does not end by itself in the time given, and delete what it made."""
        self.pipe.close()
        self._process.join(timeout=patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def _work(folder: Path, seeds: Mapping[str, bytes], wanted: Round, writing: Connection) -> None:
    run(folder, seeds, wanted, lambda *told: writing.send(told))


def fuzz(seeds: Mapping[str, bytes], options: Options, found: Callable[[_Told], None]) -> Tally:
    """Work off the files in `options.jobs` processes; `found` is told of each finding when it is made."""
    tally, started = Tally(), time.monotonic()
    rounds = _rounds(options)
    shown = started
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        runners = [Runner(seeds, one, Path(folder)) for _, one in zip(range(options.jobs), rounds, strict=False)]
        while runners and not _late(options, started):
            for pipe in wait([runner.pipe for runner in runners], timeout=1.0):
                runner = next(runner for runner in runners if runner.pipe is pipe)
                for told in runner.told():
                    _count(tally, told, found)
                if runner.ended:
                    runners.remove(runner)
                    following = runner.rest() or next(rounds, None)
                    runners += [Runner(seeds, following, Path(folder))] if following else []
            tally.seconds = time.monotonic() - started
            if time.monotonic() - shown > SHOWN_S:
                shown = time.monotonic()
                sys.stderr.write(f"{tally.files} files, {len(tally.findings)} findings, {tally.rate:.0f} an hour\n")
        for runner in runners:
            runner.stop()
    return tally


def _late(options: Options, started: float) -> bool:
    return options.seconds is not None and time.monotonic() - started > options.seconds


def _rounds(options: Options) -> Iterator[Round]:
    size = min(PER_ROUND, -(-options.count // options.jobs))
    last = options.first + options.count
    for start in range(options.first, last, size):
        numbers = range(start, min(start + size, last))
        yield Round(options.seed, numbers, options.read_seconds, options.read_memory_mb)


def _count(tally: Tally, told: _Told, found: Callable[[_Told], None]) -> None:
    state, _, wrong = told
    if state != "whole":
        tally.states[state] += 1
    if wrong:
        tally.findings.append(told)
        found(told)


def keep(folder: Path, seeds: Mapping[str, bytes], seed: int, told: _Told) -> Path:
    """Write a finding's file, and how it was made and what went wrong beside it; returns the text's path."""
    state, number, wrong = told
    file, how = spoiled(seeds, seed, number)
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / f"{seed}-{number}.txt"
    if state != "whole":  # else it is about all files of a round, and the text names the last
        text.with_suffix(".pdf").write_bytes(file)
    text.write_text(f"--seed {seed} --first {number} --count 1\n{how}\n{state}\n{wrong}\n", encoding="utf-8")
    return text


def seeds_of(data: Path | None) -> dict[str, bytes]:
    """The PDFs to spoil, by name. Raises SystemExit where `data` has none."""
    if data is None:
        return made()
    files = sorted((data / "pdfs").rglob("*.pdf"))
    if not files:
        raise SystemExit(f"There is no PDF under {data / 'pdfs'}. --data takes the folder that has pdfs/ in it.")
    small = {file.name: file.read_bytes() for file in files if 0 < file.stat().st_size <= LARGEST}
    return made() | small


def table(tally: Tally) -> str:
    """Files by how they ended, and the rate."""
    rows = [f"{count:>7}  {state}" for state, count in tally.states.most_common()]
    rows.append(
        f"{tally.files} files in {tally.seconds:.0f} s, {tally.rate:.0f} an hour; {len(tally.findings)} findings"
    )
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="files to spoil")
    parser.add_argument("--first", type=int, default=0, help="number of the first one, to make a finding once more")
    parser.add_argument("--minutes", type=float, help="end after this time, whatever was done by then")
    parser.add_argument("--data", type=Path, help="the folder with pdfs/")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read-seconds", type=int, default=12, help="of the reader for one file")
    parser.add_argument("--read-memory-mb", type=int, default=800, help="of the reader for one file")
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="where findings are written")
    asked = parser.parse_args(arguments)
    seeds = seeds_of(asked.data)
    seconds = None if asked.minutes is None else 60 * asked.minutes
    options = Options(
        asked.count, asked.first, seconds, max(asked.jobs, 1), asked.seed, asked.read_seconds, asked.read_memory_mb
    )
    tally = fuzz(seeds, options, lambda told: print(f"FINDING: {keep(asked.findings, seeds, asked.seed, told)}"))
    print(f"{len(seeds)} seeds, seed {asked.seed}, {options.jobs} processes\n{table(tally)}")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())

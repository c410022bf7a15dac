"""Add every PDF of a folder, and see that each ends in a stated state, within its time and memory.

    python -m benchmarks.reading_all --data DIR [--limit N]

Files go in one after another at the real door of a library of its own: read in the limited child, cleaned, cut, stored.
Only embedding is a stand-in (hashed words). The memory of a file is the largest resident size of its readers, looked
at every 20 ms. Prints files by state, the slowest and the largest; exit code 1 when one raised, ended in no stated
state, took longer than 60 s or more than 1.5 GB.
"""

import argparse
import contextlib
import os
import re
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fuzz_round import MOST_MB, Application
from benchmarks.kill import MEMORY
from benchmarks.progress import told
from ingest.settings import Settings

LOOK_S = 0.02  # between two looks at the readers' memory
MOST_S = 60.0  # for one file
SHOWN = 5  # of the slowest, and of the largest


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    name: str
    state: str
    reason: str
    seconds: float
    pages: int
    peak_mb: int  # largest resident size of a reader
    wrong: str

    @property
    def sound(self) -> bool:
        """Whether it ended as it should."""
        return not self.wrong and self.seconds <= MOST_S and self.peak_mb <= MOST_MB


class Peak:
    """The largest resident size of this process's children while the block lasts."""

    def __init__(self) -> None:
        self.kilobytes = 0
        self._over = threading.Event()

    def __enter__(self) -> "Peak":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            self.kilobytes = max([self.kilobytes, *map(_high_water, _children())])


def _children() -> Iterator[int]:
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            yield from map(int, (task / "children").read_text().split())


def _high_water(pid: int) -> int:
    with contextlib.suppress(OSError):  # the child has ended
        found = re.search(r"^VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


def rows(files: Sequence[Path]) -> Iterator[Row]:
    """Add every file, and tell what became of it."""
    limits = Settings()
    with tempfile.TemporaryDirectory(prefix="reading-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        application = Application(Path(folder), limits.read_seconds, limits.read_memory_mb)
        for file in told(files, "files"):
            started = time.monotonic()
            with Peak() as peak:
                job, wrong = application.take(file.read_bytes(), file.name)
            state, reason, pages = (str(job.state), job.reason, job.pages) if job else ("raised", "", 0)
            seconds = time.monotonic() - started
            yield Row(file.name, state, reason, seconds, pages, peak.kilobytes // 1024, wrong)
        wrong = application.damage()
        if wrong:
            yield Row("the library afterwards", "damaged", "", 0, 0, 0, wrong)
        application.close()


def table(found: Sequence[Row]) -> str:
    """Files by state, the slowest, the largest, and everything that is wrong."""
    lines = [f"{count:>6}  {state}" for state, count in Counter(row.state for row in found).most_common()]
    lines += ["", f"{'s':>7} {'MB':>6} {'pages':>6}  slowest"]
    lines += map(_line, sorted(found, key=lambda row: -row.seconds)[:SHOWN])
    lines += ["", f"{'s':>7} {'MB':>6} {'pages':>6}  largest"]
    lines += map(_line, sorted(found, key=lambda row: -row.peak_mb)[:SHOWN])
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    wrong = [row for row in found if not row.sound]
    total, pages = sum(row.seconds for row in found), sum(row.pages for row in found)
    lines += [
        "",
        f"{len(found)} files, {pages} pages in {total:.0f} s; {len(wrong)} wrong",
        f"the application's own process took {own} MB at most",
        *(f"WRONG: {row.name}: {row.wrong or _line(row)}" for row in wrong),
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    return f"{row.seconds:>7.1f} {row.peak_mb:>6} {row.pages:>6}  {row.name}: {row.state}  {row.reason}".rstrip()


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdfs/")
    parser.add_argument("--limit", type=int, help="only so many files")
    arguments = parser.parse_args()
    files = sorted(path for path in (arguments.data / "pdfs").rglob("*") if path.is_file())[: arguments.limit]
    if not files:
        raise SystemExit(f"There is no file under {arguments.data / 'pdfs'}. --data takes the folder with pdfs/ in it.")
    found = list(rows(files))
    print(f"{table(found)}\n{os.cpu_count()} cores, this process may use {len(os.sched_getaffinity(0))} of them")
    return 0 if all(row.sound for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())

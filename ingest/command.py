"""`rag ingest` and `python -m ingest`: paths in, a summary of every file out."""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import HomeBusy
from ingest.home import OwnerLock
from ingest.intake import files_under
from ingest.records import FileState, Job, JobState
from ingest.settings import Settings
from ingest.terminal import printable

if TYPE_CHECKING:
    from ingest.build import Parts

BAD = frozenset({FileState.NEEDS_PASSWORD, FileState.NO_TEXT, FileState.REFUSED, "cancelled"})
_WIDTH = 28  # characters of the bar
_POLL_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a PDF, text or Markdown file, or a folder of them"
    )
    parser.add_argument("--space", help="the shelf to put them on (default: RAG_SPACE, or 'documents')")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Take the paths in; 0 when every file is ready or unchanged, 1 when one was refused."""
    from ingest.build import build

    parts = build(settings)
    jobs = take_in(parts, arguments.paths, arguments.space or settings.space)
    files = [_row(path, job) for path, job in jobs]
    if arguments.json:
        sys.stdout.write(json.dumps({"files": files}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_summary(files))
    return 1 if any(row["state"] in BAD for row in files) else 0


def take_in(parts: "Parts", paths: Sequence[Path], space: str) -> list[tuple[Path, Job]]:
    """Add every file under `paths` and see the jobs to their end, here or by the process that owns the home.

    Where that process ends before it has done them, they are done here.
    """
    added = [(file, parts.intake.add(file, space)) for path in paths for file in files_under(path)]
    waiting = [job for _, job in added if not job.final]
    with OwnerLock(parts.home) as lock:
        busy = _busy(lock)
        if busy is None:
            _work(parts, waiting)
        elif waiting:
            sys.stderr.write(f"The process that owns this library (pid {busy.pid}) does the work.\n")
            if not _follow(parts, waiting, lambda: _busy(lock) is None):
                sys.stderr.write("That process has ended; the work goes on here.\n")
                _work(parts, waiting)
        parts.index.close()
    return _ended(parts, added)


def _busy(lock: OwnerLock) -> HomeBusy | None:
    """Try to become the owner; what stands against it, or None."""
    try:
        lock.acquire()
    except HomeBusy as busy:
        return busy
    return None


def take_in_owned(parts: "Parts", paths: Sequence[Path], space: str) -> list[tuple[Path, Job]]:
    """The same for the process that owns the home already, each file known by its bare name."""
    added = [(file, parts.intake.add(file, space, file.name)) for path in paths for file in files_under(path)]
    _work(parts, [job for _, job in added if not job.final])
    return _ended(parts, added)


def _ended(parts: "Parts", added: Sequence[tuple[Path, Job]]) -> list[tuple[Path, Job]]:
    return [(file, job if job.final else _now(parts, job)) for file, job in added]


def _now(parts: "Parts", job: Job) -> Job:
    """A job as it stands; the table forgets old ones, and those of a document that was purged."""
    try:
        return parts.library.jobs.get(job.id)
    except KeyError:
        return replace(job, state=JobState.CANCELLED, reason="It was removed meanwhile.")


def _work(parts: "Parts", waiting: Sequence[Job]) -> None:
    if not waiting:
        return
    failure: list[BaseException] = []

    def work() -> None:
        try:
            parts.worker.work_off()
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            failure.append(error)

    worker = threading.Thread(target=work, name="worker", daemon=True)
    worker.start()
    _follow(parts, waiting, lambda: not worker.is_alive())
    worker.join()
    if failure:
        raise failure[0]


def _follow(parts: "Parts", waiting: Sequence[Job], stopped: Callable[[], bool]) -> bool:
    """Show progress until every job is final or nobody works any more; whether every job is final."""
    shown = -1
    while True:
        jobs = [_now(parts, job) for job in waiting]
        done = sum(job.final for job in jobs)
        current = next((job for job in jobs if not job.final and job.state != JobState.WAITING), None)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K" + _line(done, len(jobs), current))
            sys.stderr.flush()
        elif done != shown:
            sys.stderr.write(_line(done, len(jobs), current) + "\n")
            shown = done
        if done == len(jobs) or stopped():
            if sys.stderr.isatty():
                sys.stderr.write("\n")
            return done == len(jobs)
        time.sleep(_POLL_SECONDS)


def _line(done: int, total: int, job: Job | None) -> str:
    share = (done + (_share(job) if job else 0)) / total
    filled = round(share * _WIDTH)
    bar = "█" * filled + "░" * (_WIDTH - filled)
    what = ""
    if job is not None:
        name = printable(Path(job.path).name)
        what = f"  {name}: {job.state}"
        if job.state == JobState.READING and job.pages:
            what += f" page {job.pages_done} of {job.pages}"
        elif job.state == JobState.EMBEDDING:
            what += f" passage {job.chunks_done} of {job.chunks}"
    return f"{bar} {done} of {total} files{what}"


def _share(job: Job) -> float:
    if job.state == JobState.EMBEDDING and job.chunks:
        return 0.2 + 0.8 * job.chunks_done / job.chunks
    return 0.2 * job.pages_done / job.pages if job.pages else 0.0


def _row(path: Path, job: Job) -> dict[str, Any]:
    return {
        "path": printable(str(path)),
        "state": str(job.state),
        "reason": job.reason or None,
        "document_id": job.document_id if job.state in {JobState.READY, JobState.UNCHANGED} else None,
        "pages": job.pages,
        "chunks": job.chunks,
        "seconds": round(job.seconds, 3),
    }


def _summary(files: Sequence[dict[str, Any]]) -> str:
    lines = []
    for row in files:
        held = f"{row['pages']} pages, {row['chunks']} passages, {row['seconds']:.1f} s" if row["chunks"] else ""
        told = "; ".join(part for part in (held, row["reason"]) if part)
        lines.append(f"{row['state']:>14}  {row['path']}" + (f"  ({told})" if told else ""))
    states = [row["state"] for row in files]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    lines.append(f"{len(files)} files: {counts}." if files else "No files there.")
    return "\n".join(lines) + "\n"

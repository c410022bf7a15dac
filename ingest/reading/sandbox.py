"""Runs a reader in a child process with limits. The child is not trusted: who asks checks what it says."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from ingest.reading.frames import BadFrames, Frame, Unpacker, pack

POLL_SECONDS = 0.1  # how often a request to stop is noticed
_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.append(sys.argv[1]); from ingest.reading.child import main; main()"
# What a child may know of the environment: how to find libraries, and nothing secret.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "TZ")


class Cause(StrEnum):
    """Why a child ended before it was done."""

    CRASHED = "crashed"
    MEMORY = "memory"
    TIME = "time"  # the wall time for all of it
    STEP = "step"  # the wall time between two frames
    OUTPUT = "output"  # too much of it, or not frames
    CANCELLED = "cancelled"


class Stopped(Exception):
    """The child ended, or was ended, before it was done."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use."""

    seconds: float  # wall time in all
    step_seconds: float  # wall time until the next frame
    memory_mb: int  # address space
    output_mb: int = 96


def run(request: Mapping[str, Any], limits: Limits, cancelled: Callable[[], bool] | None = None) -> Iterator[Frame]:
    """Frames of a fresh child that was given `request`, as they arrive, until its frame with `kind` "end".

    The request's "memory_mb" and "cpu_seconds" are filled in. Raises Stopped when the child does not get to its
    end; the child and everything it started are dead when this returns, raises or is closed.
    """
    filled = {**request, "memory_mb": limits.memory_mb, "cpu_seconds": int(limits.seconds) + 2}
    with tempfile.TemporaryFile() as complaints:
        child = _start(complaints)
        try:
            yield from _frames(child, pack(filled), limits, cancelled)
        except Stopped as stopped:
            _kill(child)
            _raise_if_it_never_started(stopped, child, complaints)
            raise
        finally:
            _kill(child)


def _start(complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,
    )


def _frames(
    child: subprocess.Popen[bytes], request: bytes, limits: Limits, cancelled: Callable[[], bool] | None
) -> Iterator[Frame]:
    assert child.stdin
    assert child.stdout
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(request)
    unpacker = Unpacker(limits.output_mb << 20)
    peak = _Peak(child.pid)
    started = last = time.monotonic()
    while arrived := _wait(child.stdout, min(started + limits.seconds, last + limits.step_seconds), cancelled, peak):
        try:
            for frame in unpacker.feed(arrived):
                kind = frame.get("kind") if isinstance(frame, dict) else ""
                if kind == "end":
                    return
                if kind == "memory":
                    raise Stopped(Cause.MEMORY)
                yield frame
        except BadFrames as error:
            raise Stopped(Cause.OUTPUT) from error
        last = time.monotonic()
    if time.monotonic() >= started + limits.seconds:
        raise Stopped(Cause.TIME)
    raise Stopped(_death(child, limits, peak) if arrived is not None else Cause.STEP)


class _Peak:
    """The largest resident size of a child, looked at while it lives.

    What the system tells after its death will not do: on Linux that counts the parent's own size at the fork.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.kilobytes: int | None = None  # None where the system has no such file

    def look(self) -> None:
        """Read the high-water mark as it stands."""
        with contextlib.suppress(OSError):
            found = re.search(r"^VmHWM:\s*(\d+) kB", self._status.read_text(), re.MULTILINE)
            self.kilobytes = int(found[1]) if found else self.kilobytes


def _wait(pipe: IO[bytes], deadline: float, cancelled: Callable[[], bool] | None, peak: _Peak) -> bytes | None:
    """What arrived next; b"" when the child closed its end; None when the deadline passed."""
    while True:
        if cancelled and cancelled():
            raise Stopped(Cause.CANCELLED)
        peak.look()
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        if select.select([pipe], [], [], min(left, POLL_SECONDS))[0]:
            return os.read(pipe.fileno(), 1 << 16)


def _death(child: subprocess.Popen[bytes], limits: Limits, peak: _Peak) -> Cause:
    """Why a child that closed its pipe without an end is gone, judged by its signal and its largest resident size.

    PDFium aborts when the system gives it no more memory, however little of it is resident by then: what it asks for
    is doubled each time. Its own checks end in a trap, not in an abort.
    """
    give_up = time.monotonic() + 2  # it may have closed its pipe and live on
    pid = 0
    while pid == 0 and time.monotonic() < give_up:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        time.sleep(0 if pid else 0.005)
    if pid == 0:
        return Cause.STEP
    child.returncode = os.waitstatus_to_exitcode(status)
    kilobytes = peak.kilobytes
    if kilobytes is None:
        kilobytes = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    if child.returncode == -signal.SIGXCPU:
        return Cause.TIME
    starved = child.returncode == -signal.SIGABRT or kilobytes > limits.memory_mb * 1024 * 0.6
    return Cause.MEMORY if starved else Cause.CRASHED


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _raise_if_it_never_started(stopped: Stopped, child: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
    """A child whose imports fail says so on stderr before its limits forbid writing: a bug, not a bad file."""
    if stopped.cause is Cause.CRASHED:
        complaints.seek(0)
        said = complaints.read(8000).decode("utf-8", "replace")
        if "Traceback" in said:
            raise RuntimeError(f"The reader's child process failed (exit {child.returncode}):\n{said}") from stopped

"""The child process that opens files from strangers. Takes one request on stdin, answers with frames on stdout."""

import json
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ingest.reading.frames import Frame, pack


def main() -> None:
    """Read the request, give up every right that is not needed, answer, leave."""
    request = _request()
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    answer = _tasks(request["format"])[request["task"]]
    path = Path(request["path"])
    with path.open("rb") as file:
        take_limits(int(request["memory_mb"]), int(request["cpu_seconds"]))
        os.dup2(nowhere, 2)
        for frame in _until_memory_ends(answer(file, request)):
            _write(out, pack(frame))
        _write(out, pack({"kind": "end"}))
    os._exit(0)  # pdfium's clean-up of a damaged file can crash, and there is nothing to clean


def _tasks(kind: str) -> dict[str, Callable[..., Iterator[Frame]]]:
    """What can be done with a file of this kind; only the readers of that kind are loaded."""
    if kind == "text":
        from ingest.reading import sheet, text

        return {"read": text.pages, "draw": sheet.draw}
    from ingest.reading import draw, pdf

    return {"read": pdf.pages, "draw": draw.draw}


def _request() -> dict[str, Any]:
    _, length = struct.unpack(">cI", sys.stdin.buffer.read(5))
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
    return request


def _until_memory_ends(frames: Iterator[Frame]) -> Iterator[Frame]:
    try:
        yield from frames
    except MemoryError:
        yield {"kind": "memory"}
        os._exit(1)


def _write(out: int, packed: bytes) -> None:
    view = memoryview(packed)
    while view:
        view = view[os.write(out, view) :]


def take_limits(memory_mb: int, cpu_seconds: int) -> None:
    """No new files, no writing to files, no core dumps, no more memory or processor time than was given."""
    os.nice(10)
    memory = memory_mb << 20
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory),
    ):
        hard = resource.getrlimit(which)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (ceiling, ceiling))

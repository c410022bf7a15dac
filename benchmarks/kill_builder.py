"""Builds generations for `make kill` in forked processes, which saves them the second that importing Chroma takes.

A process that has opened an index runs threads and must not fork. So a life forks a helper first of all, and the
helper forks a builder for every request. As in service, a builder ends when the life does: its standard input is a
pipe that only the life holds open.
"""

import contextlib
import io
import json
import os
import socket
import sys
import traceback
from collections.abc import Sequence

from ingest import failpoints
from ingest.index import child

_LIMIT = 1 << 20  # bytes of a request or an answer


class Builder:
    """Runs ingest.index.child elsewhere. Make one before any thread is started."""

    def __init__(self, step: str, passes: int, *, group: bool) -> None:
        """A builder is killed at the failpoint `step` after `passes` others, with its whole `group` or alone."""
        self.died = False  # whether a builder was killed
        self._mine, theirs = socket.socketpair()
        reading, self._alive = os.pipe()
        if os.fork() == 0:
            self._mine.close()
            os.close(self._alive)
            _serve(theirs, reading, (step, passes, group))
        theirs.close()
        os.close(reading)

    def run(self, arguments: Sequence[str]) -> str:
        """What the child wrote. Raises OSError when it failed."""
        self._mine.sendall(json.dumps(list(arguments)).encode() + b"\n")
        answer = json.loads(_line(self._mine))
        if answer["code"] != 0:
            self.died = self.died or answer["code"] < 0
            raise OSError(f"{arguments[0]} ended with {answer['code']}: {answer['written'][-300:]}")
        return str(answer["written"])


def _serve(requests: socket.socket, alive: int, plan: tuple[str, int, bool]) -> None:
    """Build whatever is asked for, until the life that asks is gone."""
    with contextlib.suppress(ConnectionError):
        while line := _line(requests):
            reading, writing = os.pipe()
            builder = os.fork()
            if builder == 0:
                _build(json.loads(line), alive, writing, plan)
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8") as source:
                written = source.read()
            _, status = os.waitpid(builder, 0)
            answer = {"code": os.waitstatus_to_exitcode(status), "written": written}
            requests.sendall(json.dumps(answer).encode() + b"\n")
    os._exit(0)


def _build(arguments: list[str], alive: int, writing: int, plan: tuple[str, int, bool]) -> None:
    os.dup2(alive, 0)
    step, passes, group = plan
    if step.startswith("build."):
        failpoints.arm(step, passes, group=group)
    sys.stdout = io.StringIO()
    try:
        code = child.main(arguments)
        written = sys.stdout.getvalue()
    except BaseException:  # noqa: BLE001 - told to the life, as the real child tells it on stderr
        code, written = 1, traceback.format_exc()
    os.write(writing, written.encode())
    os._exit(code)


def _line(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        piece = connection.recv(_LIMIT)
        if not piece:
            return b""
        received += piece
    return received

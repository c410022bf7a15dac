"""Memory that was freed goes back to the system, and threads share few heaps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_app.web.memory import HEAPS, few_heaps, give_back

# Many small blocks with one that stays behind each thousand: what a server's heap looks like after some answers.
PROGRAM = """
import gc, re
from pathlib import Path
from rag_app.web.memory import give_back
def held():
    return int(re.search(r"RssAnon:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
blocks = [bytes(1000) for _ in range(200_000)]
kept = blocks[::1000]
full = held()
del blocks
gc.collect()
before, given = held(), give_back()
print(full, before, held(), given)
"""

# Thirty-two threads that hold blocks at the same time: each would have a heap of its own, up to eight for each core.
THREADS = """
import sys, threading, time
from rag_app.web.memory import few_heaps
print(few_heaps() if sys.argv[1] == "few" else None, flush=True)
together = threading.Barrier(33)
def hold():
    blocks = [bytes(2000) for _ in range(100)]
    together.wait()
    time.sleep(60)
for _ in range(32):
    threading.Thread(target=hold, daemon=True).start()
together.wait()
print("held", flush=True)
sys.stdin.read()
"""
HEAP_PIECES = 2 * HEAPS  # of a server, at most; it had 19 with glibc's own number on two cores
HEAP = 64 * 2**20  # bytes; a heap of a thread begins at a multiple of them


def heaps(pid):
    """The heaps of a process beside its first, each piece of 64 MB counted."""
    lines = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    begins = [int(words[0].partition("-")[0], 16) for words in lines if len(words) == 5 and words[1] == "rw-p"]
    return sum(begin % HEAP == 0 for begin in begins)


def held_by_threads(how):
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command, pipe = [sys.executable, "-c", THREADS, how], subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as program:
        given = program.stdout.readline().strip()
        assert program.stdout.readline() == "held\n"
        found = heaps(program.pid)
        program.kill()
    return given, found


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's C library has several heaps")
def test_threads_share_few_heaps():
    _, left_to_itself = held_by_threads("all")
    given, few = held_by_threads("few")

    assert left_to_itself > HEAPS  # else there is nothing to limit, and this tells nothing
    assert given == "True"
    assert few < HEAPS


def test_a_number_of_heaps_that_was_set_counts(monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "16")

    assert few_heaps() is False


def test_what_lies_between_blocks_in_use_is_given_back():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split()
    full, before, after = map(int, said[:3])

    assert before > full - 50  # else there is nothing to give back, and this tells nothing
    assert after < before - 100
    assert said[3] == "True"


def test_where_the_c_library_cannot_nothing_is_given_back(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    assert give_back() is False

"""Memory that was freed goes back to the system."""

import subprocess
import sys

from rag_app.web.memory import give_back

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


def test_what_lies_between_blocks_in_use_is_given_back():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split()
    full, before, after = map(int, said[:3])

    assert before > full - 50  # else there is nothing to give back, and this tells nothing
    assert after < before - 100
    assert said[3] == "True"


def test_where_the_c_library_cannot_nothing_is_given_back(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    assert give_back() is False

"""A line about every tenth part of a long piece of work, with the time left."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def told(items: Sequence[T], name: str) -> Iterable[T]:
    """The items, with a line on stderr about every tenth part and the time left."""
    started = time.monotonic()
    step = max(1, len(items) // 10)
    for done, item in enumerate(items):
        if done and done % step == 0:
            left = (time.monotonic() - started) / done * (len(items) - done)
            sys.stderr.write(f"{done} of {len(items)} {name}, about {left:.0f} s left\n")
        yield item

"""What the server makes of the C library's memory: few heaps, and what was freed goes back to the system."""

import ctypes
import os
import sys

HEAPS = 4  # that all threads share; glibc's own number is eight for each core
_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>


def few_heaps(count: int = HEAPS) -> bool:
    """Let all threads share `count` heaps from now on; returns whether they do. Only GNU's C library has several.

    Left to itself it opens a heap for a new thread wherever those there are in use, up to eight for each core, and the
    end of each stays in memory for good, also after `give_back`: with the files taken in one by one, 100 MB more on two
    cores (`benchmarks/leaks.py`). MALLOC_ARENA_MAX, where it is set, counts instead.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return bool(mallopt is not None and mallopt(_ARENA_MAX, count))


def give_back() -> bool:
    """Give what was freed back; returns whether any was. Only GNU's C library can, and does not by itself.

    It keeps what lies between blocks in use for later, which grew by 16 MB with every 50 questions asked in a browser
    (`benchmarks/leaks.py`), while what was in use grew by one.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return bool(trim is not None and trim(0))

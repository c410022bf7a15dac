"""Gives memory that was freed back to the system."""

import ctypes
import sys


def give_back() -> bool:
    """Give what was freed back; returns whether any was. Only GNU's C library can, and does not by itself.

    It keeps what lies between blocks in use for later, which grew by 16 MB with every 50 questions asked in a browser
    (`benchmarks/leaks.py`), while what was in use grew by one.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return bool(trim is not None and trim(0))

"""How far a long piece of work is, on stderr, with the time left."""

import sys
import time

_EVERY_S = 10.0  # seconds between two lines of a log
_DRAWN_S = 0.2  # seconds between two drawings on a terminal
_MINUTE = 60


class Progress:
    """Counts what is done. Draws over itself on a terminal, writes a line now and then elsewhere."""

    def __init__(self, what: str, total: int, every_s: float | None = None) -> None:
        """`every_s` seconds at least lie between two lines; None: as suits where stderr goes."""
        self._what, self._total = what, total
        self._done = 0
        self._started = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._every_s = every_s if every_s is not None else _DRAWN_S if self._terminal else _EVERY_S

    def add(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._told >= self._every_s and self._done < self._total:
            self._told = now
            left = (now - self._started) / self._done * (self._total - self._done)
            self._write(f"{self._what}: {self._done:,} of {self._total:,}, about {told_time(left)} left")

    def end(self) -> None:
        """Say how long it took, where there was anything to do."""
        if self._total:
            took = told_time(time.monotonic() - self._started)
            self._write(f"{self._what}: {self._done:,} in {took}")
            if self._terminal:
                sys.stderr.write("\n")

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()


def told_time(seconds: float) -> str:
    """A time for people: "42 s", "3 min 5 s"."""
    whole = round(seconds)
    return f"{whole} s" if whole < _MINUTE else f"{whole // _MINUTE} min {whole % _MINUTE} s"

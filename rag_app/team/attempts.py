"""How often something may be tried: so many times within so many seconds, counted before it is tried."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

KEYS = 4096  # addresses or names remembered; the one tried longest ago is forgotten first


class Attempts:
    """Counts by a key, such as an address. Safe to use from several threads."""

    def __init__(self, most: int, within_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """At most `most` in `within_s` seconds; `now` gives seconds."""
        self._most, self._within_s, self._now = most, within_s, now
        self._made: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def allow(self, key: str) -> bool:
        """Count an attempt and return True, or False where there were too many; those refused do not count."""
        with self._lock:
            now = self._now()
            made = self._made.setdefault(key, deque())
            self._made.move_to_end(key)
            while made and made[0] <= now - self._within_s:
                made.popleft()
            if len(made) >= self._most:
                return False
            made.append(now)
            while len(self._made) > KEYS:
                self._made.popitem(last=False)
            return True

    def forgive(self, key: str) -> None:
        """Take the last attempt back, because it was right."""
        with self._lock:
            made = self._made.get(key)
            if made:
                made.pop()

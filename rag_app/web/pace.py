"""How long files on their way will still take, from how fast they were seen to go. Pure but for what it has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from ingest.records import Job, JobState

SETTLED_S = 1.5  # seconds of one step that must have been seen before its speed says anything
_MINUTE = 60
_SOON = 5  # seconds below which counting them is of no use


@dataclass(frozen=True, slots=True)
class _Seen:
    state: JobState
    done: int  # pages or passages when this step was first seen
    at: float  # seconds of the clock then


class Pace:
    """Watches the files on their way. The same for all who look, so any number of pages may be open."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._embedded_per_s = 0.0  # as last seen, of any file
        self._lock = Lock()

    def left(self, jobs: Sequence[Job], now: float) -> dict[int, float]:
        """Seconds left by the id of each file under way, where they can be told; `now` is a steady clock's seconds."""
        with self._lock:
            under_way = [job for job in jobs if not job.final]
            self._seen = {job.id: self._first(job, now) for job in under_way}
            per_page = _passages_per_page(jobs)
            told = {job.id: self._left(job, now, per_page) for job in under_way}
        return {identifier: seconds for identifier, seconds in told.items() if seconds is not None}

    def _first(self, job: Job, now: float) -> _Seen:
        known = self._seen.get(job.id)
        return known if known is not None and known.state is job.state else _Seen(job.state, _done(job), now)

    def _left(self, job: Job, now: float, per_page: float) -> float | None:
        first = self._seen[job.id]
        gone, made = now - first.at, _done(job) - first.done
        speed = made / gone if gone >= SETTLED_S and made > 0 else 0.0
        if job.state is JobState.EMBEDDING:
            self._embedded_per_s = speed or self._embedded_per_s
            return (job.chunks - job.chunks_done) / self._embedded_per_s if self._embedded_per_s else None
        if job.state is JobState.READING and speed and self._embedded_per_s and per_page:
            return (job.pages - job.pages_done) / speed + job.pages * per_page / self._embedded_per_s
        return None


def left_words(seconds: float) -> str:
    """Time left as people say it, never more exact than it is known."""
    if seconds < _SOON:
        return "a few seconds left"
    if seconds < _MINUTE:
        return f"about {round(seconds / 5) * 5} s left"
    if seconds < _MINUTE * _MINUTE:
        return f"about {max(1, round(seconds / _MINUTE))} min left"
    return f"about {seconds / _MINUTE / _MINUTE:.0f} h left"


def _done(job: Job) -> int:
    return job.chunks_done if job.state is JobState.EMBEDDING else job.pages_done


def _passages_per_page(jobs: Sequence[Job]) -> float:
    """Of the files that lately went in; 0 where none did."""
    ready: Mapping[int, int] = {job.id: job.pages for job in jobs if job.state is JobState.READY and job.pages}
    pages = sum(ready.values())
    return sum(job.chunks for job in jobs if job.id in ready) / pages if pages else 0.0

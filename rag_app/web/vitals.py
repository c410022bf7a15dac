"""What monitoring may ask of a running server, beside the desk: callables and records, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figures:
    """How the library and its index stand. Counts only: no name, no text."""

    documents: int = 0
    passages: int = 0
    jobs: Mapping[str, int] = field(default_factory=dict)  # files by state: under way, and those ended that are kept
    waiting: int = 0  # files on their way in
    indexed: int = 0  # passages in the index
    newer: int = 0  # passages not in it yet, found by the exact scan
    gone: int = 0  # passages in it that were removed since
    exact: bool = False  # the exact scan answers in its place
    rebuilding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Plain functions, called from worker threads."""

    lacking: Callable[[], Sequence[str]] = tuple  # a sentence for each thing without which no question is answered
    figures: Callable[[], Figures] = Figures
    pieces: Callable[[str], int] = lambda text: len(text.split())  # word pieces of a text
    strict: bool = False  # sentences that the sources do not say are taken out of answers

"""The guided tour: questions over the handbook that show what reranking does, and both orders of what they find. Pure.

`benchmarks/tour.py` measures what reranking does to questions; tests/test_tour.py holds that the tour still shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rag_app.fusion import fused_places
from rag_app.records import Answer, Hit


@dataclass(frozen=True, slots=True)
class Stop:
    """One question of the tour."""

    question: str
    changes: bool  # whether reranking puts another passage first


TOUR = (
    Stop("What happens if I drop the exact same PDF in twice?", changes=True),
    Stop("Is it guaranteed that wiped text can never be recovered from the hard drive?", changes=True),
    Stop("What should I use for a library in French and Japanese?", changes=True),
    Stop("Can I add Word files?", changes=True),
    Stop("Which reranking models can I use?", changes=False),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """The same candidates in both orders, best first."""

    before: tuple[Hit, ...]  # as both searches together had them
    after: tuple[Hit, ...]  # as the reranker had them in the end

    @property
    def changed(self) -> bool:
        """Whether another passage came first."""
        return bool(self.after) and self.before[0] is not self.after[0]


def compared(answer: Answer) -> Compared:
    """Both orders of what a reranked search found."""
    hits: Sequence[Hit] = answer.hits
    places = fused_places([(hit.dense_rank, hit.lexical_rank) for hit in hits])
    before = tuple(hits[index] for index in sorted(range(len(hits)), key=places.__getitem__))
    return Compared(before, tuple(hits))

"""Leaves passages out that the reader has put aside. Pure."""

from collections.abc import Collection, Sequence

from rag_app.copies import wording
from rag_app.records import Hit, Timings
from rag_app.stages import Retriever


class ExcludingRetriever:
    """Finds what another retriever finds, but none of some passages, nor a copy of one in another document."""

    def __init__(self, retriever: Retriever, passages: Collection[str]) -> None:
        """`passages` are whole texts of passages; they are told apart by their words alone."""
        self._retriever = retriever
        self._excluded = {wording(passage) for passage in passages}

    def retrieve(self, question: str, spaces: Sequence[str], limit: int) -> tuple[list[Hit], Timings]:
        """The `limit` best of the others, best first; the next ones take the places of those left out."""
        hits, timings = self._retriever.retrieve(question, spaces, limit + len(self._excluded))
        left = [hit for hit in hits if wording(hit.chunk.text) not in self._excluded]
        return left[:limit], timings

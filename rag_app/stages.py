"""The seams of the question's line: one verb each. Implementations inherit nothing."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from rag_app.records import Hit, Mode, Timings, Turn


class Retriever(Protocol):
    """Finds candidates."""

    def retrieve(self, question: str, spaces: Sequence[str], limit: int) -> tuple[list[Hit], Timings]:
        """The `limit` passages of `spaces` that are about the question, best first, and the time it took."""
        ...


class Reranker(Protocol):
    """Reads question and passage together."""

    name: str

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All `hits`, best first, with rerank_rank and relevance (0 to 1) filled in."""
        ...


class SentenceScorer(Protocol):
    """The bundled cross-encoder, asked about sentences."""

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability (0 to 1) that it answers the question, in the order given."""
        ...


class Generator(Protocol):
    """Writes an answer from passages and nothing else."""

    mode: Mode
    model: str  # "" where no language model is used

    def generate(self, question: str, passages: Sequence[Hit], turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
        """The answer in pieces, as it is written; passages are numbered from 1 in the order given.

        The iterator is closed by the caller (`aclosing`) when the reader stops; it must then let go of its
        socket at once. Raises GeneratorError with a sentence for the reader.
        """
        ...


class Rewriter(Protocol):
    """Makes a follow-up stand alone."""

    async def rewrite(self, question: str, turns: Sequence[Turn]) -> str:
        """The question as it would be asked without the conversation; unchanged where it stands alone."""
        ...

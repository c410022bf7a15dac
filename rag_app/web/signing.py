"""Names with each citation of an approved answer who approved it and when."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from rag_app.records import Answer, Citation, Turn
from rag_app.team.approved import Approved, signed
from rag_app.web.desk import Ask


class Signing:
    """Asks as before; a citation says whose word it is."""

    def __init__(self, ask: Ask, approved: Approved) -> None:
        self._ask, self._approved = ask, approved

    async def __call__(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        """Growing answers, as Ask says."""
        answers = self._ask(question, turns, rerank=rerank, without=without, spaces=spaces)
        async with aclosing(cast("AsyncGenerator[Answer, None]", answers)):
            async for answer in answers:
                cited = await asyncio.to_thread(self._signed, answer.citations) if answer.citations else ()
                yield replace(answer, citations=cited)

    def _signed(self, citations: Sequence[Citation]) -> tuple[Citation, ...]:
        found = [(citation, self._approved.behind(citation.path)) for citation in citations]
        return tuple(
            citation if behind is None else replace(citation, approved=signed(behind)) for citation, behind in found
        )

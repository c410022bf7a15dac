"""Places for answers: a few are searched for at once, a few wait for a language model's first words, each person's few.

More would gain nothing: searching and ranking share the cores, which do one thing after the other, and a language model
that has not said anything yet has others to answer first. Once it speaks, its answer holds no place: a model that
serves many gets many, and one that serves one at a time does not get a queue in which its time runs out.
"""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from ingest.compute import asking
from rag_app.records import Answer, Mode, Stage

AT_ONCE = 4  # answers being searched for, and as many that wait for first words
EACH = 2  # of each for one person, so that nobody's many questions hold up everybody's


class Limit:
    """So many at once of one person, and of all together where there is a limit for all."""

    def __init__(self, each: int, together: int | None = None) -> None:
        self._each = each
        self._together = None if together is None else Semaphore(together)
        self._own: WeakValueDictionary[str, Semaphore] = WeakValueDictionary()  # of those who hold or want a place

    @asynccontextmanager
    async def of(self, person: str) -> AsyncIterator[None]:
        """Hold a place of that person's; waits for it."""
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._own.setdefault(person, Semaphore(self._each)))
            if self._together is not None:
                await held.enter_async_context(self._together)
            yield


class Places:
    """Who may have an answer made now. Belongs to the server's event loop."""

    def __init__(self) -> None:
        self._searching = Limit(EACH, AT_ONCE)
        self._silent = Limit(EACH, AT_ONCE)

    @asynccontextmanager
    async def of(self, person: str) -> AsyncIterator["Place"]:
        """A place in which one question of that person's is answered; waits for it.

        What is computed inside is one question of theirs, and withdrawn from the queue when it is left.
        """
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._searching.of(person))
            with asking(person):
                yield Place(person, held, self._silent)


class Place:
    """What one answer holds while it is made."""

    def __init__(self, person: str, held: AsyncExitStack, silent: Limit) -> None:
        self._person, self._held, self._silent = person, held, silent
        self._asked = False  # the language model

    async def grown(self, answer: Answer) -> None:
        """Hold what the answer needs from here on; waits for it where that is another place.

        To be called with each growing answer, before the next one is asked for.
        """
        if answer.mode is not Mode.MODEL or answer.stage is not Stage.WRITING:
            return
        if answer.text:
            await self._held.aclose()
        elif not self._asked:
            self._asked = True
            await self._held.aclose()
            await self._held.enter_async_context(self._silent.of(self._person))

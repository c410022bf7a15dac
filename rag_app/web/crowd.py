"""Keeps a crowd at the door from taking the whole server: some come in at once, some wait, the rest is told to."""

import asyncio

from rag_app.team.entrance import TooManyTries

BUSY = "Many are trying to sign in at this moment. Wait a minute and try again."


class Crowd:
    """At most `at_once` do something at the same time, and at most `waiting` wait for it. Use with `async with`."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._most, self._there = at_once + waiting, 0

    async def __aenter__(self) -> None:
        """Wait for a place. Raises TooManyTries where too many wait already."""
        if self._there >= self._most:
            raise TooManyTries(BUSY)
        self._there += 1
        try:
            await self._places.acquire()
        except BaseException:
            self._there -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        """Give the place to the next."""
        self._there -= 1
        self._places.release()

import asyncio

import pytest

from rag_app.team.entrance import TooManyTries
from rag_app.web.crowd import Crowd


async def test_some_come_in_some_wait_and_the_rest_is_told_to():
    crowd, inside, go = Crowd(at_once=1, waiting=1), [], asyncio.Event()

    async def enter(name):
        async with crowd:
            inside.append(name)
            await go.wait()

    first, second = asyncio.create_task(enter("first")), asyncio.create_task(enter("second"))
    await asyncio.sleep(0)
    assert inside == ["first"]
    with pytest.raises(TooManyTries, match="Wait a minute"):
        await enter("third")

    go.set()
    await asyncio.gather(first, second)
    await enter("fourth")
    assert inside == ["first", "second", "fourth"]


async def test_whoever_gives_up_waiting_makes_room():
    crowd, go = Crowd(at_once=1, waiting=1), asyncio.Event()

    async def enter():
        async with crowd:
            await go.wait()

    first, second = asyncio.create_task(enter()), asyncio.create_task(enter())
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    third = asyncio.create_task(enter())
    await asyncio.sleep(0)
    go.set()

    await asyncio.gather(first, third)

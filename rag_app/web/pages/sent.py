"""Questions that open pages have sent: each is begun once, however often it is heard.

A page draws a ticket for each question. Where it hears nothing of one it sends the same again, also after it was opened
anew, and what was only late comes twice. What a page hears of its tickets is written here too.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rag_app.conversations import StoredTurn
from rag_app.escape import escape
from rag_app.web.answering import StillAnswering

SENT_KEPT = 4096  # questions remembered; the oldest is forgotten first


@dataclass(frozen=True, slots=True)
class Begun:
    """A question that is stored and being answered."""

    asked_in: str  # the conversation its page was in; "" for a new one
    turn: StoredTurn  # as it was when its answer began


class Sent:
    """Remembers what began with each ticket of each sender. Called from one event loop."""

    def __init__(self, kept: int = SENT_KEPT) -> None:
        self._kept = kept
        self._by_ticket: OrderedDict[tuple[str, int], asyncio.Task[Begun]] = OrderedDict()
        self._by_page: dict[str, tuple[str, asyncio.Task[Begun]]] = {}  # not stored yet: the question and its beginning

    def begin(
        self, page: str, question: str, ticket: tuple[str, int], begin: Callable[[], Awaitable[Begun]]
    ) -> tuple[asyncio.Task[Begun], bool]:
        """What begins with a question, and whether it was heard before; it goes on where the page leaves.

        `ticket` is its sender and number; 0 is no ticket. Raises StillAnswering where the page has another question on
        its way.
        """
        known = self._by_ticket.get(ticket)
        if known is not None:
            return known, True
        waiting, task = self._by_page.get(page, (None, None))
        if task is not None and waiting != question:
            raise StillAnswering
        again = task is not None  # a key or a button pressed twice
        if task is None:  # and remembered before anything is waited for
            task = asyncio.create_task(self._brought(page, begin))
            task.add_done_callback(_look_at)
            self._by_page[page] = question, task
        if ticket[1]:
            self._by_ticket[ticket] = task
        while len(self._by_ticket) > self._kept:
            self._by_ticket.popitem(last=False)
        return task, again

    async def _brought(self, page: str, begin: Callable[[], Awaitable[Begun]]) -> Begun:
        try:
            return await begin()
        finally:
            del self._by_page[page]


def heard_html(ticket: int) -> str:
    """That a question has arrived; what becomes of it is told next."""
    return f'<p hidden data-heard="{ticket}"></p>' if ticket else ""


def taken_html(ticket: int) -> str:
    """That a question is stored."""
    return f'<p hidden data-ticket="{ticket}"></p>' if ticket else ""


def refused_html(words: str, ticket: int) -> str:
    """Why a question is not taken."""
    return f'<p class="notice" role="alert" data-ticket="{ticket}">{escape(words)}</p>'


def _look_at(task: asyncio.Task[Begun]) -> None:
    """Take note of an error, which whoever waits is told; asyncio logs those that nobody took note of."""
    if not task.cancelled():
        task.exception()

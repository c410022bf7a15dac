"""Answers for other programs: each key's in turn, stored as a person's are, and stopped when nobody waits for them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from ingest.errors import RagError
from rag_app.access import Who, readable
from rag_app.conversations import Conversations, StoredTurn, TurnState, stored
from rag_app.records import Answer, Stage, Turn
from rag_app.team.people import PROGRAM
from rag_app.web.answering import TURNS_READ, log_fault
from rag_app.web.desk import Ask, Desk
from rag_app.web.places import Places
from rag_app.web.refusal import Detail, RequestRefused, busy, needs_key, nothing_there

MOST = 64  # questions of programs that are waiting or being answered; further ones are refused
MOST_EACH = 32  # of these with one key
RETRY_S = 5  # seconds after which a program that was refused may ask again
LOOK_S = 2.0  # seconds between two looks whether a program may still ask

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a program asks for, and what they may reach."""

    who: Who
    desk: Desk  # narrowed to what they may read and do
    good: Callable[[], bool]  # whether they may still ask: False once their key is revoked
    key: str = ""  # the public part of the key, 12 hex digits; "" where none is needed

    @property
    def owner(self) -> str:
        """Whose conversations a program's are: beside those of its person, not among them."""
        return f"{PROGRAM}{self.who.id}"

    @property
    def asker(self) -> str:
        """Whose turn it is among all who ask: each key counts as a person."""
        return f"{PROGRAM}{self.key}"

    def spaces(self) -> list[str]:
        """The spaces that they may read, by name; also those of theirs that hold nothing yet."""
        return readable(self.who, sorted({*self.desk.spaces(), *(self.who.roles or ())}))

    def check(self, spaces: Sequence[str] | None) -> None:
        """Raise RequestRefused where one of some spaces is not theirs to read, as if it were not there."""
        missing = sorted(set(spaces or ()) - set(self.spaces()))
        if missing:
            raise nothing_there(
                f"There is no space {missing[0]!r} that may be read with this key. GET /v1/models lists them.",
                param="spaces",
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a program puts it."""

    question: str
    turns: Sequence[Turn] = ()
    spaces: Sequence[str] | None = None  # None: all that may be read
    rerank: bool = True
    store: bool = True


@dataclass(frozen=True, slots=True)
class Growing:
    """An answer on its way, and the turn it is kept as."""

    answer: Answer
    turn: str  # 32 hex digits; "" where nothing is kept


class Programs:
    """Makes answers. Belongs to the server's event loop."""

    def __init__(self, conversations: Conversations, watch: Callable[[Ask], Ask]) -> None:
        """`watch` gives the same `ask`, its answers counted; a search is none."""
        self._conversations = conversations
        self._watch = watch
        self._places = Places()
        self._asking: Counter[str] = Counter()  # questions of each asker
        self._saving: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait until everything is stored."""
        if self._saving:
            await asyncio.wait(self._saving)

    async def ask(self, caller: Caller, asked: Asked) -> AsyncGenerator[Growing, None]:
        """The growing answer to a question; the last has stage DONE. Close the generator to stop.

        Raises RequestRefused when too many wait or the caller may ask no more.
        """
        with self._counted(caller):
            async with self._kept(caller, asked) as keeping, aclosing(self._made(caller, asked)) as answers:
                looked = time.monotonic()
                async for answer in answers:
                    if time.monotonic() > looked + LOOK_S:
                        looked = time.monotonic()
                        if not await asyncio.to_thread(caller.good):
                            raise needs_key()
                    keeping.answer = answer
                    yield Growing(answer, keeping.turn)

    async def search(self, caller: Caller, question: str, spaces: Sequence[str] | None, *, rerank: bool) -> Answer:
        """The candidates for a question, best first: an answer that is stopped before it is written."""
        with self._counted(caller):
            async with self._places.of(caller.asker):
                answers = caller.desk.ask(question, (), spaces=spaces, rerank=rerank)
                async with aclosing(answers):  # type: ignore[type-var]  # `ask` is an async generator, as Ask says
                    async for answer in answers:
                        if answer.stage in {Stage.WRITING, Stage.DONE}:
                            return answer
        raise AssertionError("an answer ended before it was done")

    async def _made(self, caller: Caller, asked: Asked) -> AsyncGenerator[Answer, None]:
        """The growing answer, made by a task of its own: whose question it is must not hang on who reads on."""
        grown: asyncio.Queue[Answer | None] = asyncio.Queue()
        making = asyncio.create_task(self._make(caller, asked, grown))
        making.add_done_callback(lambda _: grown.put_nowait(None))
        try:
            while (answer := await grown.get()) is not None:
                yield answer
                grown.task_done()
            await making  # raises what went wrong
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _make(self, caller: Caller, asked: Asked, grown: asyncio.Queue[Answer | None]) -> None:
        async with self._places.of(caller.asker) as place:
            answers = self._watch(caller.desk.ask)(
                asked.question, asked.turns[-TURNS_READ:], spaces=asked.spaces, rerank=asked.rerank
            )
            async with aclosing(answers):  # type: ignore[type-var]  # as above
                async for answer in answers:
                    grown.put_nowait(answer)
                    await place.grown(answer)
                    await grown.join()  # until the next one is wanted

    @contextmanager
    def _counted(self, caller: Caller) -> Iterator[None]:
        """Count a question while it waits and is answered. Raises RequestRefused where there are too many."""
        if self._asking[caller.asker] >= MOST_EACH or self._asking.total() >= MOST:
            raise busy(RETRY_S)
        self._asking[caller.asker] += 1
        try:
            yield
        finally:
            self._asking[caller.asker] -= 1
            self._asking += Counter()  # without those who ask nothing

    @asynccontextmanager
    async def _kept(self, caller: Caller, asked: Asked) -> AsyncIterator["_Keeping"]:
        """Store a question now, and what became of it in the end."""
        keeping = _Keeping()
        turn = await asyncio.to_thread(self._begun, caller, asked) if asked.store else None
        if turn is not None:
            keeping.turn = turn.id
        state, failure = TurnState.STOPPED, ""
        try:
            yield keeping
            state = TurnState.DONE if keeping.answer and keeping.answer.stage is Stage.DONE else TurnState.STOPPED
        except RagError as error:
            state, failure = TurnState.FAILED, str(error)
            raise
        except Exception as error:  # noqa: BLE001 - logged under the reference that the sentence names
            state, failure = TurnState.FAILED, log_fault("answering a program", error)
            raise RequestRefused(failure, Detail(500, "error")) from None
        finally:
            if turn is not None:
                answer = None if keeping.answer is None else stored(keeping.answer)
                self._save(replace(turn, state=state, failure=failure, answer=answer))

    def _begun(self, caller: Caller, asked: Asked) -> StoredTurn:
        conversation = self._conversations.begin(caller.owner)
        return self._conversations.add(conversation, asked.question, spaces=asked.spaces or ())

    def _save(self, turn: StoredTurn) -> None:
        """Store a turn in a task of its own, because whoever asked may be cancelled at any moment."""
        task = asyncio.create_task(self._saved(turn))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _saved(self, turn: StoredTurn) -> None:
        try:
            await asyncio.to_thread(self._conversations.save, turn)
        except Exception:
            # The program has its answer; nobody waits for this task.
            logger.exception("storing an answer to a program failed")


@dataclass
class _Keeping:
    turn: str = ""
    answer: Answer | None = None  # as far as it has come

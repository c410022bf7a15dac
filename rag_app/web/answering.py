"""Answers are made here, by tasks of the server's own; a page only follows one, and may come and go."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from ingest.errors import RagError
from rag_app.candidates import Candidate, candidates
from rag_app.conversations import Conversations, Excluded, StoredAnswer, StoredTurn, TurnState, past_turns, stored
from rag_app.records import Answer, Stage, Turn
from rag_app.web.desk import Ask
from rag_app.web.places import EACH, Limit, Place, Places

DRAW_S = 0.08  # seconds at least between two looks at a growing answer
TURNS_READ = 10  # latest turns a question may lean on
SAVE_S = 1.0  # seconds between two savings of a growing answer

OUR_FAULT = (
    "Something failed here that should not have. It is logged as %s. Your documents are safe; ask again, and if it "
    "happens again, show the log to whoever runs this server."
)

NOT_KEPT = (
    "This answer could not be stored; the disk may be full. Ask again, and if it happens again, show the log to "
    "whoever runs this server."
)

logger = logging.getLogger(__name__)


class Unasked(RagError):
    """A question that is not taken; the text says why."""


class StillAnswering(Unasked):
    """The question before it has no whole answer yet."""

    def __init__(self) -> None:
        super().__init__("The question before this one is still being answered. Wait for it, or stop it.")


def log_fault(what: str, error: Exception) -> str:
    """Log an error that nobody foresaw, with its traceback; return what the reader is told of it."""
    reference = secrets.token_hex(3).upper()
    logger.error("%s: %s failed", reference, what, exc_info=error)
    return OUR_FAULT % reference


@dataclass
class _Run:
    turn: StoredTurn
    ask: Ask
    browser: str  # whose answer it is
    task: asyncio.Task[None] | None = None
    ended: bool = False  # the answer grows no more; what is left is to store it
    found: tuple[Candidate, ...] = ()  # known once the answer is whole
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    saved: float = 0.0  # time.monotonic() of the last saving
    saving: asyncio.Task[bool] | None = None  # of an answer that is not whole yet
    begun: float = field(default_factory=time.monotonic)
    first_words: float = 0.0  # milliseconds from there to the first words; 0 before they come

    def timed(self, answer: StoredAnswer) -> StoredAnswer:
        """The answer with the time its first words took, as whoever asked has waited for them."""
        if answer.text and not self.first_words:
            self.first_words = (time.monotonic() - self.begun) * 1000
        return replace(answer, first_words=self.first_words)

    def show(self, turn: StoredTurn) -> None:
        self.turn = turn
        self.changed.set()
        self.changed = asyncio.Event()


class Answering:
    """Starts, follows and stops answers."""

    def __init__(self, ask: Ask, conversations: Conversations) -> None:
        self._ask = ask
        self._conversations = conversations
        self._runs: dict[str, _Run] = {}
        self._beginning: set[str] = set()  # conversations that a question is being stored in
        self._places = Places()
        self._own = Limit(EACH)  # answers of one person that are being made, also while they are written

    def running(self, conversation: str) -> StoredTurn | None:
        """The turn of `conversation` that is being answered, or None."""
        turns = (run.turn for run in self._runs.values())
        return next((turn for turn in turns if turn.conversation == conversation), None)

    async def start(
        self,
        browser: str,
        conversation: str,
        question: str,
        *,
        instead_of: str = "",
        excluded: Sequence[Excluded] = (),
        spaces: Sequence[str] = (),
        ask: Ask | None = None,
    ) -> StoredTurn:
        """Store the question, begin to answer it and return its turn; the last turn goes where it is `instead_of`.

        It is searched in `spaces`, or in all that may be searched where there are none.
        `ask` answers it, narrowed to what whoever asks may read; None asks without anybody's limits.
        Raises StillAnswering where the conversation has a question that is still being answered.
        """
        if conversation in self._beginning or self.running(conversation) is not None:
            raise StillAnswering
        self._beginning.add(conversation)  # before anything is waited for: another page may ask in the same moment
        # A reader who leaves in this moment cancels the caller, but not what would be stored and then never answered.
        begun = asyncio.create_task(
            self._begin(
                conversation,
                lambda: self._store(browser, conversation, question, instead_of, excluded, spaces=spaces, ask=ask),
            )
        )
        return await asyncio.shield(begun)

    async def _begin(self, conversation: str, store: Callable[[], Awaitable[StoredTurn]]) -> StoredTurn:
        try:
            return await store()
        finally:
            self._beginning.discard(conversation)

    async def _store(
        self,
        browser: str,
        conversation: str,
        question: str,
        instead_of: str,
        excluded: Sequence[Excluded],
        *,
        spaces: Sequence[str],
        ask: Ask | None,
    ) -> StoredTurn:
        before = await asyncio.to_thread(self._conversations.turns, browser, conversation, last=TURNS_READ)
        earlier = past_turns([turn for turn in before if turn.id != instead_of])
        turn = await asyncio.to_thread(
            self._conversations.add, conversation, question, instead_of=instead_of, excluded=excluded, spaces=spaces
        )
        run = _Run(turn, ask or self._ask, browser)
        self._runs[turn.id] = run
        run.task = asyncio.create_task(self._answer(run, earlier), name=f"answer {turn.id}")
        await asyncio.sleep(0)  # a task that is cancelled before its first step would not even say so
        return turn

    def settled(self, turns: Sequence[StoredTurn]) -> list[StoredTurn]:
        """Stored turns of one conversation as they are: what nobody is answering any more has failed to be stored."""
        return [replace(turn, state=TurnState.FAILED, failure=NOT_KEPT) if self._lost(turn) else turn for turn in turns]

    def _lost(self, turn: StoredTurn) -> bool:
        alive = turn.id in self._runs or turn.conversation in self._beginning
        return turn.state is TurnState.WORKING and not alive

    async def follow(self, turn: StoredTurn) -> AsyncIterator[StoredTurn]:
        """The turn as it grows; ends with its final state. Yields nothing where nobody is answering it."""
        run = self._runs.get(turn.id)
        while run is not None:
            changed, shown = run.changed, run.turn
            yield shown
            drawn = time.monotonic()
            if shown.state is not TurnState.WORKING:
                return
            await changed.wait()
            if run.turn is not shown:  # otherwise the page was only woken
                await asyncio.sleep(max(0.0, drawn + DRAW_S - time.monotonic()))

    def wake(self, turn_id: str) -> None:
        """Let those who follow an answer look up, although it has not grown."""
        run = self._runs.get(turn_id)
        if run is not None:
            run.show(run.turn)

    async def stop(self, turn_id: str) -> None:
        """Stop an answer; what was written so far is kept. Nothing happens where it is not being made."""
        run = self._runs.get(turn_id)
        if run is not None and run.task is not None:
            if not run.ended:  # storing it is not to be stopped
                run.task.cancel()
            await asyncio.wait([run.task])

    def browsers(self) -> set[str]:
        """Whose answers are being made."""
        return {run.browser for run in self._runs.values()}

    async def stop_all(self, browser: str) -> None:
        """Stop every answer of one browser or person."""
        for run in [run for run in self._runs.values() if run.browser == browser]:
            await self.stop(run.turn.id)

    async def unreranked(self, turn: StoredTurn, ask: Ask | None = None) -> Answer:
        """What the question of a finished turn is answered with when nothing is reranked; waits for its place.

        `ask` is as in `start`.
        """
        question = turn.answer.rewritten if turn.answer is not None and turn.answer.rewritten else turn.question
        aside, spaces = [one.passage for one in turn.excluded], turn.spaces or None
        async with self._place(turn.conversation):
            answers = (ask or self._ask)(question, (), rerank=False, without=aside, spaces=spaces)
            return [answer async for answer in answers][-1]

    async def close(self) -> None:
        """Stop all answers; they count as cut off."""
        for run in list(self._runs.values()):
            run.turn = replace(run.turn, state=TurnState.CUT)
            await self.stop(run.turn.id)

    @asynccontextmanager
    async def _place(self, person: str) -> AsyncIterator[Place]:
        """Wait for a place; what is computed there is one question of that person, and dropped when it is left."""
        async with self._own.of(person), self._places.of(person) as place:
            yield place

    async def _answer(self, run: _Run, earlier: Sequence[Turn]) -> None:
        try:
            async with self._place(run.browser) as place:
                await self._grow(run, earlier, place)
            final = replace(run.turn, state=TurnState.DONE)
        except asyncio.CancelledError:
            cut = run.turn.state is TurnState.CUT
            final = replace(run.turn, state=TurnState.CUT if cut else TurnState.STOPPED)
        except RagError as error:
            final = replace(run.turn, state=TurnState.FAILED, failure=str(error))
        except Exception as error:  # noqa: BLE001 - logged, with a reference by which its traceback is found
            # Whatever a stage raises, the reader must not be left waiting.
            final = replace(run.turn, state=TurnState.FAILED, failure=log_fault("answering", error))
        run.ended = True
        try:
            final = await self._keep(run, final)
        finally:
            self._runs.pop(final.id, None)
            run.show(final)

    async def _keep(self, run: _Run, final: StoredTurn) -> StoredTurn:
        """Store what became of a question and return it; where that fails, the question has failed."""
        if run.saving is not None:
            await asyncio.wait([run.saving])  # it would write over this when it comes later
        lost = replace(final, state=TurnState.FAILED, failure=NOT_KEPT, answer=None)
        for turn, found in ((final, run.found), (lost, ())):
            if await self._saved(turn, found):
                return turn
        return lost

    async def _saved(self, turn: StoredTurn, found: Sequence[Candidate] = ()) -> bool:
        try:
            await asyncio.to_thread(self._conversations.save, turn, found)
        except Exception:
            # Nobody waits for this but the reader, who would otherwise see the answer being made for ever.
            logger.exception("storing an answer failed")
            return False
        return True

    async def _grow(self, run: _Run, earlier: Sequence[Turn], place: Place) -> None:
        aside, spaces = [one.passage for one in run.turn.excluded], run.turn.spaces or None
        answers = run.ask(run.turn.question, earlier, without=aside, spaces=spaces)
        async with aclosing(answers):  # type: ignore[type-var]  # `ask` is an async generator, as Ask says
            async for answer in answers:
                kept = run.timed(stored(answer))
                if answer.stage is Stage.DONE:
                    run.found = candidates(answer, kept.sources)
                run.show(replace(run.turn, answer=kept))
                if time.monotonic() - run.saved > SAVE_S:
                    run.saved = time.monotonic()
                    run.saving = asyncio.create_task(self._saved(run.turn))
                    await asyncio.shield(run.saving)
                await place.grown(answer)

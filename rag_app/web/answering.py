"""Answers are made here, by tasks of the server's own; a page only follows one, and may come and go."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from ingest.errors import RagError
from rag_app.candidates import Candidate, candidates
from rag_app.conversations import Conversations, Excluded, StoredTurn, TurnState, past_turns, stored
from rag_app.records import Answer, Stage, Turn
from rag_app.web.desk import Ask

AT_ONCE = 4  # answers being made at the same time; further ones wait their turn
DRAW_S = 0.08  # seconds at least between two looks at a growing answer
TURNS_READ = 10  # latest turns a question may lean on
SAVE_S = 1.0  # seconds between two savings of a growing answer

OUR_FAULT = (
    "Something failed here that should not have. It is logged as %s. Your documents are safe; ask again, and if it "
    "happens again, show the log to whoever runs this server."
)

logger = logging.getLogger(__name__)


@dataclass
class _Run:
    turn: StoredTurn
    task: asyncio.Task[None] | None = None
    found: tuple[Candidate, ...] = ()  # known once the answer is whole
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    saved: float = 0.0  # time.monotonic() of the last saving

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
        self._places = asyncio.Semaphore(AT_ONCE)

    def running(self, conversation: str) -> StoredTurn | None:
        """The turn of `conversation` that is being answered, or None."""
        turns = (run.turn for run in self._runs.values())
        return next((turn for turn in turns if turn.conversation == conversation), None)

    async def start(
        self, browser: str, conversation: str, question: str, *, instead_of: str = "", excluded: Sequence[Excluded] = ()
    ) -> StoredTurn:
        """Store the question, begin to answer it and return its turn; the last turn goes where it is `instead_of`."""
        before = await asyncio.to_thread(self._conversations.turns, browser, conversation, last=TURNS_READ)
        earlier = past_turns([turn for turn in before if turn.id != instead_of])
        turn = await asyncio.to_thread(
            self._conversations.add, conversation, question, instead_of=instead_of, excluded=excluded
        )
        run = _Run(turn)
        self._runs[turn.id] = run
        run.task = asyncio.create_task(self._answer(run, earlier), name=f"answer {turn.id}")
        await asyncio.sleep(0)  # a task that is cancelled before its first step would not even say so
        return turn

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
            run.task.cancel()
            await asyncio.wait([run.task])

    async def unreranked(self, turn: StoredTurn) -> Answer:
        """What the question of a finished turn is answered with when nothing is reranked; waits for its place."""
        question = turn.answer.rewritten if turn.answer is not None and turn.answer.rewritten else turn.question
        async with self._places:
            answers = self._ask(question, (), rerank=False, without=[one.passage for one in turn.excluded])
            return [answer async for answer in answers][-1]

    async def close(self) -> None:
        """Stop all answers; they count as cut off."""
        for run in list(self._runs.values()):
            run.turn = replace(run.turn, state=TurnState.CUT)
            await self.stop(run.turn.id)

    async def _answer(self, run: _Run, earlier: Sequence[Turn]) -> None:
        try:
            async with self._places:
                await self._grow(run, earlier)
            final = replace(run.turn, state=TurnState.DONE)
        except asyncio.CancelledError:
            cut = run.turn.state is TurnState.CUT
            final = replace(run.turn, state=TurnState.CUT if cut else TurnState.STOPPED)
        except RagError as error:
            final = replace(run.turn, state=TurnState.FAILED, failure=str(error))
        except Exception:
            # Whatever a stage raises, the reader must not be left waiting; the traceback is found by the reference.
            reference = secrets.token_hex(3).upper()
            logger.exception("%s: answering failed", reference)
            final = replace(run.turn, state=TurnState.FAILED, failure=OUR_FAULT % reference)
        try:
            await asyncio.to_thread(self._conversations.save, final, run.found)
        finally:
            self._runs.pop(final.id, None)
            run.show(final)

    async def _grow(self, run: _Run, earlier: Sequence[Turn]) -> None:
        answers = self._ask(run.turn.question, earlier, without=[one.passage for one in run.turn.excluded])
        async with aclosing(answers):  # type: ignore[type-var]  # `ask` is an async generator, as Ask says
            async for answer in answers:
                kept = stored(answer)
                if answer.stage is Stage.DONE:
                    run.found = candidates(answer, kept.sources)
                run.show(replace(run.turn, answer=kept))
                if time.monotonic() - run.saved > SAVE_S:
                    run.saved = time.monotonic()
                    await asyncio.to_thread(self._conversations.save, run.turn)

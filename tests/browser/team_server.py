"""The real application over scripted answers and three spaces, as a process of its own: HOME PORT.

A language model that always writes the same reply is configured, and eight weeks of questions were asked.
"""

import asyncio
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback, Verdict
from rag_app.web.server import create_app

PRICES = replace(OWN, id="5" * 32, space="sales", title="Prices 2026", path="prices.pdf")
ASKED_BEFORE = "browser of somebody else".ljust(32, "0")


class TeamDesk(ScriptedDesk):
    """Says which spaces it searched."""

    async def ask(self, question, turns, *, rerank=True, without=(), spaces=None):
        searched = tuple(spaces or ("documents", "sales"))
        async for answer in super().ask(question, turns, rerank=rerank, without=without, spaces=spaces):
            yield replace(answer, spaces=searched)


class Writer:
    """A language model that writes one sentence the sources say and one that they do not."""

    model = "llama3"

    async def stream(self, _told):
        yield "Your notice period is three months [1]. "
        yield "You get a cake [1]."


def ask_for_weeks(home):
    """Questions of the last eight weeks, as if somebody else had asked them."""
    with closing(AppDatabase(home / "app.db")) as database:
        store, feedback = Conversations(database), Feedback(database)
        conversation = store.begin(ASKED_BEFORE)
        for number in range(60):
            spaces = (("documents",), ("sales",), ("documents", "sales"))[number % 3]
            turn = store.add(conversation, "Who won the cup?" if number % 5 == 0 else f"Question {number % 7}?")
            answer = replace(
                stored(answered(turn.question)), spaces=spaces, first_words=600.0 + 37 * (number % 11),
                abstained=number % 5 == 0,
            )  # fmt: skip
            answer = replace(answer, citations=()) if answer.abstained else answer
            turn = replace(turn, state=TurnState.DONE, answer=answer)
            store.save(turn)
            if number % 4 == 1:
                feedback.give(turn, Verdict.POOR if number % 3 == 0 else Verdict.GOOD)
    now = datetime.now(UTC)
    with closing(sqlite3.connect(home / "app.db")) as connection:
        for number, (turn,) in enumerate(connection.execute("SELECT id FROM turn ORDER BY rowid").fetchall()):
            when = now - timedelta(days=(number * number) % 55)
            connection.execute("UPDATE turn SET asked=? WHERE id=?", (when.isoformat(), turn))
        connection.commit()


async def serve(home, port):
    ask_for_weeks(home)
    desk = replace(TeamDesk(home, (HANDBOOK, OWN, PRICES)).desk(), writer=Writer())
    app = create_app(desk, home=home, port=port)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)).serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

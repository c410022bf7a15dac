"""The real application over scripted answers for people who are registered, as a process of its own: HOME PORT.

`root` looks after everything and `dana` edits one space; questions of some weeks wait in the inbox, one is answered.
"""

import asyncio
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import uvicorn
from fakes import HashEmbedder
from scripted_desk import HANDBOOK, OWN, ScriptedDesk

from browser.team_server import PRICES, Writer, ask_for_weeks
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.team import passwords
from rag_app.team.approved import Approved, Draft, Source
from rag_app.team.people import Roster
from rag_app.web.server import create_app

PASSWORD = "three words in a row"


class WordEmbedding:
    """Vectors of words alone."""

    name = "hash:1"

    def vectors(self, asked):
        return HashEmbedder().embed([question for question, _ in asked])


def register(home):
    """Two people, and an answer that one of them approved."""
    with closing(AppDatabase(home / "app.db")) as database:
        roster = Roster(database)
        root = roster.add("root", password=passwords.hashed(PASSWORD), administrator=True)
        dana = roster.add("dana example with a rather long name", password=passwords.hashed(PASSWORD))
        for space, role in (("documents", Role.EDITOR), ("sales", Role.READER)):
            roster.add_space(space)
            roster.grant(dana.id, space, role)
        source = Source(OWN.id, OWN.title, 12, "12")
        draft = Draft("documents", "How long is the notice period?", "Three *months*.", sources=(source,))
        Approved(database).write(roster.who(root.id), draft)


async def serve(home, port):
    ask_for_weeks(home)
    register(home)
    scripted = ScriptedDesk(home, (HANDBOOK, OWN, PRICES))
    desk = replace(scripted.desk(), writer=Writer(), embedding=WordEmbedding(), publish=lambda *_: None)
    app = create_app(desk, home=home, port=port)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)).serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

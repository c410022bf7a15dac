"""The real application for two people, one of whom may read one space only, as a process of its own: HOME PORT.

`anna` has asked four questions; `ben` may read the documents, but not what belongs to sales.
"""

import asyncio
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import uvicorn
from scripted_desk import HANDBOOK, OTHER, OWN, ScriptedDesk, answered, citation

from browser.team_server import PRICES
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.records import Mode, Sentence, Support
from rag_app.team import passwords
from rag_app.team.openid import Provider
from rag_app.team.people import Roster
from rag_app.web.server import create_app

PASSWORD = "three words in a row"
PRICE = "A zebra costs ninety crowns."
QUESTIONS = ("How long is the notice period?", "And what does it cost?", "What does a zebra cost?", "Who won the cup?")


def said(sources, sentences):
    whole = answered("x")
    cited = tuple(
        citation(number, document=document, quote=quote, passage=f"{quote} {OTHER}", relevance=relevance)
        for number, (document, quote, relevance) in enumerate(sources, start=1)
    )
    text = " ".join(f"{one.text} {' '.join(f'[{marker}]' for marker in one.markers)}" for one in sentences)
    return replace(
        stored(whole), citations=cited, uncited=(), sentences=sentences, text=text, spaces=("documents", "sales")
    )


def answers():
    notice = "The notice period is three months from the first day of the following month."
    yield stored(answered("x"))
    both = (Sentence(notice, (1,), Support.SUPPORTED), Sentence(PRICE, (2,), Support.SUPPORTED))
    yield said(((OWN, notice, 0.94), (PRICES, PRICE, 0.6)), both)
    yield said(((PRICES, PRICE, 0.9),), (Sentence(PRICE, (1,), Support.SUPPORTED),))
    nearest = (
        citation(1, page=3, label="3", relevance=0.2),
        citation(2, document=PRICES, passage=PRICE, relevance=0.1),
    )
    yield replace(said((), ()), text="", uncited=nearest, abstained=True, mode=Mode.ABSTAINED, searched=1284)


def ask_before(home):
    with closing(AppDatabase(home / "app.db")) as database:
        roster, conversations = Roster(database), Conversations(database)
        roster.add("root", password=passwords.hashed(PASSWORD), administrator=True)
        anna, ben = (roster.add(name, password=passwords.hashed(PASSWORD)).id for name in ("anna", "ben"))
        for person, space in ((anna, "documents"), (anna, "sales"), (ben, "documents")):
            roster.grant(person, space, Role.READER)
        conversation = conversations.begin(anna)
        for question, answer in zip(QUESTIONS, answers(), strict=True):
            turn = conversations.add(conversation, question)
            conversations.save(replace(turn, state=TurnState.DONE, answer=replace(answer, rewritten=question)))


async def serve(home, port):
    ask_before(home)
    desk = ScriptedDesk(home, (HANDBOOK, OWN, PRICES)).desk()
    app = create_app(desk, home=home, port=port, provider=Provider("http://127.0.0.1:9/o", "rag"))
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)).serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

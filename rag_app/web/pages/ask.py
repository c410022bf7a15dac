"""The Ask page: a conversation, and the evidence beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import gradio

from rag_app.conversations import Conversations, StoredTurn, TurnState
from rag_app.web.answering import Answering
from rag_app.web.desk import Desk
from rag_app.web.escape import escape
from rag_app.web.library_html import header_html
from rag_app.web.pages.parts import block, listener
from rag_app.web.people import People
from rag_app.web.render import evidence_html, question_html, stage_words, turn_html, welcome_html

QUESTION_LIMIT = 4000  # characters
TURNS_SHOWN = 20
EXAMPLES_SHOWN = 3
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

Updates = dict[Any, Any]


class AskPage:
    """Builds the page and holds its handlers; each is a few lines over the desk and the store."""

    def __init__(self, desk: Desk, conversations: Conversations, answering: Answering, people: People) -> None:
        self._desk = desk
        self._conversations = conversations
        self._answering = answering
        self._people = people

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        self._header = block("header")
        with gradio.Row(elem_id="ask"):
            with gradio.Column(elem_id="conversation", min_width=280):
                self._top = block("top")
                self._chat = gradio.Chatbot(
                    elem_id="turns",
                    label="Conversation",
                    show_label=False,
                    container=False,
                    height="auto",
                    layout="panel",
                    allow_tags=False,
                    latex_delimiters=[],
                    buttons=[],
                    sanitize_html=True,
                    group_consecutive_messages=False,
                    allow_file_downloads=False,
                    feedback_options=None,
                )
                self._welcome = block("welcome")
                self._live = block("live")
                self._box = gradio.Textbox(
                    elem_id="question",
                    label="Question",
                    placeholder="Ask about your documents",
                    lines=1,
                    max_lines=6,
                    submit_btn="Ask",
                    autofocus=True,
                    html_attributes=gradio.InputHTMLAttributes(enterkeyhint="send"),
                )
            with gradio.Column(elem_id="evidence", min_width=280):
                self._evidence = block("evidence-panel", evidence_html(None))
        self._join_events()

    def _join_events(self) -> None:
        heard = listener("cite", "example", "fresh", "resume")
        drawn = [self._header, self._top, self._chat, self._welcome, self._live, self._box, self._evidence]
        asking: dict[str, Any] = {**QUIET, "concurrency_id": "answer", "concurrency_limit": 64}
        self._box.submit(self._ask, self._box, drawn, trigger_mode="once", **asking)
        self._box.stop(self._stop, None, None, queue=False, **QUIET)
        heard.example(self._ask_example, None, drawn, **asking)
        heard.fresh(self._begin_anew, None, drawn, queue=False, **QUIET)
        heard.cite(self._show_source, None, self._evidence, queue=False, **QUIET)
        heard.resume(self._resume, None, drawn, **asking)

    async def _ask(self, question: str, request: gradio.Request) -> AsyncIterator[Updates]:
        browser = self._browser(request)
        refusal = await asyncio.to_thread(self._refusal, browser, question)
        if refusal:
            yield {self._live: f'<p class="notice" role="alert">{escape(refusal)}</p>'}
            return
        conversation = await asyncio.to_thread(self._place, browser)
        turn = await self._answering.start(browser, conversation, question.strip())
        async for update in self._follow(browser, turn, first={self._box: self._busy_box(clear=True)}):
            yield update

    async def _ask_example(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        index = event.n if isinstance(event.n, int) else -1
        questions = await asyncio.to_thread(self._examples)
        if 0 <= index < len(questions):
            async for update in self._ask(questions[index], request):
                yield update

    async def _resume(self, request: gradio.Request) -> AsyncIterator[Updates]:
        """What a page shows when it is opened; an answer still being made is followed to its end."""
        browser = self._browser(request)
        turns = await asyncio.to_thread(self._turns, browser)
        yield await asyncio.to_thread(self._drawn, turns)
        if turns and turns[-1].state is TurnState.WORKING:
            async for update in self._follow(browser, turns[-1], first={}):
                yield update

    async def _follow(self, browser: str, turn: StoredTurn, first: Updates) -> AsyncIterator[Updates]:
        before = [one for one in await asyncio.to_thread(self._turns, browser) if one.id != turn.id]
        yield {
            **first,
            self._chat: self._messages([*before, turn]),
            self._welcome: "",
            self._top: self._top_html(asked=True),
            self._live: self._live_html(turn),
            self._evidence: evidence_html(None),
        }
        async for grown in self._answering.follow(turn):
            turn = grown
            yield {self._chat: self._messages([*before, turn]), self._live: self._live_html(turn)}
        final = await asyncio.to_thread(self._conversations.turn, browser, turn.id) or turn
        yield await asyncio.to_thread(self._drawn, [*before, final])

    def _begin_anew(self, request: gradio.Request) -> Updates:
        self._conversations.begin(self._browser(request))
        return self._drawn([])

    async def _stop(self, request: gradio.Request) -> None:
        conversation = await asyncio.to_thread(self._conversations.current, self._browser(request))
        running = self._answering.running(conversation) if conversation else None
        if running is not None:
            await self._answering.stop(running.id)

    def _show_source(self, event: gradio.EventData, request: gradio.Request) -> str:
        turn = self._conversations.turn(self._browser(request), str(event.turn))
        return evidence_html(turn, event.source if isinstance(event.source, int) else None)

    def _drawn(self, turns: list[StoredTurn]) -> Updates:
        """Everything on the page, from what is stored."""
        status = self._desk.status()
        last = turns[-1] if turns else None
        working = last is not None and last.state is TurnState.WORKING
        return {
            self._header: header_html("Ask", status),
            self._top: self._top_html(asked=bool(turns)),
            self._chat: self._messages(turns),
            self._welcome: "" if turns else welcome_html(status, self._examples()),
            self._live: self._live_html(last),
            self._box: self._busy_box(clear=False) if working else gradio.update(submit_btn="Ask", stop_btn=False),
            self._evidence: evidence_html(last),
        }

    @staticmethod
    def _busy_box(*, clear: bool) -> Mapping[str, Any]:
        change: Mapping[str, Any] = gradio.update(submit_btn=False, stop_btn="Stop", **({"value": ""} if clear else {}))
        return change

    @staticmethod
    def _messages(turns: list[StoredTurn]) -> list[dict[str, str]]:
        shown = turns[-TURNS_SHOWN:]
        pairs = [(("user", question_html(turn)), ("assistant", turn_html(turn))) for turn in shown]
        return [{"role": role, "content": content} for pair in pairs for role, content in pair]

    @staticmethod
    def _top_html(*, asked: bool) -> str:
        anew = '<button type="button" class="quiet" data-fresh>New question</button>' if asked else ""
        return f'<div class="top"><h1 class="visually-hidden">Ask</h1>{anew}</div>'

    @staticmethod
    def _live_html(turn: StoredTurn | None) -> str:
        """What is happening, said once for those who do not see the conversation."""
        if turn is None:
            return '<p class="visually-hidden" role="status"></p>'
        words = stage_words(turn.answer) if turn.state is TurnState.WORKING else ""
        if turn.state is TurnState.DONE and turn.answer is not None:
            words = f"Answer ready, {len(turn.answer.citations)} sources"
        return f'<p class="visually-hidden" role="status" data-state="{turn.state}" data-turn="{turn.id}">{words}</p>'

    def _place(self, browser: str) -> str:
        return self._conversations.current(browser) or self._conversations.begin(browser)

    def _turns(self, browser: str) -> list[StoredTurn]:
        conversation = self._conversations.current(browser)
        return self._conversations.turns(browser, conversation) if conversation else []

    def _examples(self) -> list[str]:
        return list(self._desk.examples[:EXAMPLES_SHOWN]) if self._desk.status().handbook_only else []

    def _refusal(self, browser: str, question: str) -> str:
        if not question.strip():
            return "Write a question first."
        if len(question) > QUESTION_LIMIT:
            return (
                f"This question has {len(question):,} characters; at most {QUESTION_LIMIT:,} can be asked. Shorten it."
            )
        conversation = self._conversations.current(browser)
        if conversation and self._answering.running(conversation):
            return "The question before this one is still being answered. Wait for it, or stop it."
        return ""

    def _browser(self, request: gradio.Request) -> str:
        browser = self._people.browser(request.cookies)
        if browser is None:
            raise gradio.Error("This browser keeps no cookies from this server. Allow them and reload the page.")
        return browser

"""The Ask page: conversations on the left, one of them in the middle, and the evidence beside it.

Which conversation a page shows stands in its address (`?c=`), which comes with every event; so two tabs may show
two conversations, and a reload shows the same one again. It is checked against the browser's cookie each time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio

from rag_app.conversations import Conversations, Excluded, StoredTurn, TurnState, put_aside
from rag_app.escape import escape
from rag_app.web.answering import Answering
from rag_app.web.desk import Desk, Status
from rag_app.web.history_html import HEAD, history_html
from rag_app.web.library_html import header_html
from rag_app.web.pages.parts import block, listener
from rag_app.web.pages.tabs import Tabs
from rag_app.web.people import People
from rag_app.web.render import evidence_html, messages, stage_words, top_html
from rag_app.web.welcome_html import welcome_html

QUESTION_LIMIT = 4000  # characters
TURNS_SHOWN = 20
TURNS_MOST = 1280  # that one page may show where the earlier ones are asked for
CONVERSATIONS_SHOWN = 30
CONVERSATIONS_MOST = 2000  # that one page may list
NEW = "new"  # in the address: a conversation that nothing was asked in yet
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

Updates = dict[Any, Any]


class AskPage:
    """Builds the page and holds its handlers; each is a few lines over the desk and the store."""

    def __init__(self, desk: Desk, conversations: Conversations, answering: Answering, people: People) -> None:
        self._desk = desk
        self._conversations = conversations
        self._answering = answering
        self._people = people
        self._tabs = Tabs(answering.wake)

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        self._header = block("header")
        with gradio.Row(elem_id="ask"):
            with gradio.Column(elem_id="history", min_width=200):
                block("history-head", HEAD)
                self._history = block("history-list")
            with gradio.Column(elem_id="conversation", min_width=280):
                self._lay_out_conversation()
            with gradio.Column(elem_id="evidence", min_width=280):
                self._evidence = block("evidence-panel", evidence_html(None))
        self._join_events()

    def _lay_out_conversation(self) -> None:
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

    def _join_events(self) -> None:
        heard = listener("cite", "example", "again", "aside", "restore", "resume", "listed")
        drawn = [self._header, self._top, self._chat, self._welcome, self._live, self._box, self._evidence]
        asking: dict[str, Any] = {**QUIET, "concurrency_id": "answer", "concurrency_limit": 64}
        self._box.submit(self._ask, self._box, drawn, trigger_mode="once", **asking)
        self._box.stop(self._stop, None, None, queue=False, **QUIET)
        heard.example(self._ask_example, None, drawn, **asking)
        heard.again(self._ask_again, None, drawn, **asking)
        heard.aside(self._ask_without, None, drawn, **asking)
        heard.restore(self._ask_with, None, drawn, **asking)
        # A page that follows an answer may turn to another conversation meanwhile.
        heard.resume(self._resume, None, drawn, trigger_mode="multiple", **asking)
        heard.cite(self._show_source, None, self._evidence, queue=False, trigger_mode="multiple", **QUIET)
        heard.listed(self._list, None, self._history, queue=False, trigger_mode="always_last", **QUIET)

    async def _ask(self, question: str, request: gradio.Request) -> AsyncIterator[Updates]:
        edited = request.query_params.get("edit", "")
        async for update in self._asked(question, request, instead_of=edited, typed=True):
            yield update

    async def _ask_example(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        async for update in self._asked(str(event.question), request):
            yield update

    async def _ask_again(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        if turn is not None:
            async for update in self._asked(turn.question, request, instead_of=turn.id, excluded=turn.excluded):
                yield update

    async def _ask_without(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """The answer again, without one of its sources."""
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        sources = turn.answer.sources if turn is not None and turn.answer is not None else ()
        if turn is not None and isinstance(event.source, int) and 0 <= event.source < len(sources):
            excluded = (*turn.excluded, put_aside(sources[event.source]))
            async for update in self._asked(turn.question, request, instead_of=turn.id, excluded=excluded):
                yield update

    async def _ask_with(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """The answer again, with a passage that it was made without."""
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        if turn is not None:
            excluded = tuple(one for place, one in enumerate(turn.excluded) if place != event.place)
            async for update in self._asked(turn.question, request, instead_of=turn.id, excluded=excluded):
                yield update

    async def _asked(
        self,
        question: str,
        request: gradio.Request,
        *,
        instead_of: str = "",
        excluded: Sequence[Excluded] = (),
        typed: bool = False,
    ) -> AsyncIterator[Updates]:
        """The page while a question is answered, in the place of the last turn where it is `instead_of`."""
        browser, conversation = await asyncio.to_thread(self._place, request)
        refusal = self._refusal(conversation, question)
        if refusal:
            yield {self._live: f'<p class="notice" role="alert">{escape(refusal)}</p>'}
            return
        if conversation is None:
            conversation = await asyncio.to_thread(self._conversations.begin, browser)
        turn = await self._answering.start(
            browser, conversation, question.strip(), instead_of=instead_of, excluded=excluded
        )
        async for update in self._follow(turn, request, first={self._box: _busy_box(clear=typed)}):
            yield update

    async def _resume(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """What the address names, as it is stored; an answer still being made is followed to its end."""
        browser, conversation = await asyncio.to_thread(self._place, request)
        self._tabs.turn_to(_tab(request), "")
        wanted = getattr(event, "turns", None)
        shown = min(max(wanted, TURNS_SHOWN), TURNS_MOST) if isinstance(wanted, int) else TURNS_SHOWN
        yield await asyncio.to_thread(self._drawn, browser, conversation or "", shown)
        running = self._answering.running(conversation) if conversation else None
        if running is not None:
            async for update in self._follow(running, request, first={}):
                yield update

    async def _follow(self, turn: StoredTurn, request: gradio.Request, first: Updates) -> AsyncIterator[Updates]:
        """The page as the answer grows; ends early where the page turns to something else."""
        browser, here = self._browser(request), self._tabs.turn_to(_tab(request), turn.id)
        stored = await asyncio.to_thread(self._conversations.turns, browser, turn.conversation, last=TURNS_SHOWN)
        held = await asyncio.to_thread(self._conversations.count, browser, turn.conversation)
        before = [one for one in stored if one.id != turn.id]
        yield {
            **first,
            self._chat: messages([*before, turn]),
            self._welcome: "",
            self._top: top_html(shown=len(stored), held=held),
            self._live: _live_html(turn),
            self._evidence: evidence_html(None),
        }
        async for grown in self._answering.follow(turn):
            if not self._tabs.still(_tab(request), here):
                return
            turn = grown
            yield {self._chat: messages([*before, turn]), self._live: _live_html(turn)}
        updates = await asyncio.to_thread(self._drawn, browser, turn.conversation)
        if self._tabs.still(_tab(request), here):
            yield updates

    async def _stop(self, request: gradio.Request) -> None:
        _, conversation = await asyncio.to_thread(self._place, request)
        running = self._answering.running(conversation) if conversation else None
        if running is not None:
            await self._answering.stop(running.id)

    def _show_source(self, event: gradio.EventData, request: gradio.Request) -> str:
        browser = self._browser(request)
        turn = self._conversations.turn(browser, str(event.turn))
        newest = self._conversations.turns(browser, turn.conversation, last=1) if turn is not None else []
        chosen = event.source if isinstance(event.source, int) else None
        return evidence_html(turn, chosen, last=turn in newest)

    def _list(self, event: gradio.EventData, request: gradio.Request) -> str:
        """The list of conversations: what was searched for, as far as it was opened, in the reader's own days."""
        browser, shown = self._place(request)
        holding = str(event.holding)[:QUESTION_LIMIT]
        limit = event.shown if isinstance(event.shown, int) else 0
        limit = min(max(limit, CONVERSATIONS_SHOWN), CONVERSATIONS_MOST)
        minutes = event.zone if isinstance(event.zone, int) and abs(event.zone) <= 24 * 60 else 0
        found = self._conversations.listed(browser, holding=holding, limit=limit + 1)
        return history_html(
            found[:limit],
            shown or "",
            now=datetime.now(UTC),
            zone=timedelta(minutes=minutes),
            holding=holding,
            more=len(found) > limit,
        )

    def _drawn(self, browser: str, conversation: str, shown: int = TURNS_SHOWN) -> Updates:
        """Everything on the page, from what is stored; of the turns the last `shown`."""
        status = self._desk.status()
        turns = self._conversations.turns(browser, conversation, last=shown)
        last = turns[-1] if turns else None
        working = last is not None and last.state is TurnState.WORKING
        return {
            self._header: header_html("Ask", status),
            self._top: top_html(shown=len(turns), held=self._conversations.count(browser, conversation)),
            self._chat: messages(turns),
            self._welcome: "" if turns else self._first_page(status),
            self._live: _live_html(last),
            self._box: _busy_box(clear=False) if working else gradio.update(submit_btn="Ask", stop_btn=False),
            self._evidence: evidence_html(last, last=True),
        }

    def _first_page(self, status: Status) -> str:
        shelf = [one for one in self._desk.documents() if one.space != self._desk.handbook]
        return welcome_html(status, self._desk.suggestions(), shelf)

    def _place(self, request: gradio.Request) -> tuple[str, str | None]:
        """Who asks, and the conversation their page shows; None for a new one."""
        browser, named = self._browser(request), request.query_params.get("c", "")
        if named == NEW:
            return browser, None
        if named and self._conversations.owns(browser, named):
            return browser, named
        return browser, self._conversations.current(browser)

    def _refusal(self, conversation: str | None, question: str) -> str:
        if not question.strip():
            return "Write a question first."
        if len(question) > QUESTION_LIMIT:
            return (
                f"This question has {len(question):,} characters; at most {QUESTION_LIMIT:,} can be asked. Shorten it."
            )
        if conversation and self._answering.running(conversation):
            return "The question before this one is still being answered. Wait for it, or stop it."
        return ""

    def _browser(self, request: gradio.Request) -> str:
        browser = self._people.browser(request.cookies)
        if browser is None:
            raise gradio.Error("This browser keeps no cookies from this server. Allow them and reload the page.")
        return browser


def _tab(request: gradio.Request) -> str:
    return str(request.session_hash)


def _busy_box(*, clear: bool) -> Mapping[str, Any]:
    change: Mapping[str, Any] = gradio.update(submit_btn=False, stop_btn="Stop", **({"value": ""} if clear else {}))
    return change


def _live_html(turn: StoredTurn | None) -> str:
    """What is happening, said once for those who do not see the conversation; app.js reads where the page is."""
    if turn is None:
        return f'<p class="visually-hidden" role="status" data-conversation="{NEW}"></p>'
    words = stage_words(turn.answer) if turn.state is TurnState.WORKING else ""
    if turn.state is TurnState.DONE and turn.answer is not None:
        words = f"Answer ready, {len(turn.answer.citations)} sources"
    return (
        f'<p class="visually-hidden" role="status" data-state="{turn.state}" data-turn="{turn.id}" '
        f'data-conversation="{turn.conversation}">{words}</p>'
    )

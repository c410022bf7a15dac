"""The Ask page: conversations on the left, one of them in the middle, and the evidence beside it.

Which conversation a page shows stands in its address (`?c=`), which comes with every event; so two tabs may show
two conversations, and a reload shows the same one again. It is checked against the browser's cookie each time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio

from ingest.errors import RagError
from rag_app.access import Who
from rag_app.conversations import Conversations, Excluded, StoredTurn, TurnState, put_aside
from rag_app.web.answering import Answering, Unasked, log_fault
from rag_app.web.desk import Desk, Status
from rag_app.web.header_html import header_html
from rag_app.web.history_html import HEAD, history_html
from rag_app.web.narrowed import narrowed
from rag_app.web.pages.parts import block, listener, visitor
from rag_app.web.pages.sent import Begun, Sent, heard_html, refused_html, taken_html
from rag_app.web.pages.tabs import Here, Tabs
from rag_app.web.people import People
from rag_app.web.render import evidence_html, messages, stage_words, top_html
from rag_app.web.spaces_html import ask_in_html, chosen, to_ask_in
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
        self._sent = Sent()

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
        self._notice = block("notice")
        self._spaces = block("spaces")
        self._box = gradio.Textbox(
            elem_id="question",
            label="Question",
            placeholder="Ask about your documents",
            lines=1,
            max_lines=6,
            submit_btn="Ask",
            autofocus=True,
            interactive=True,
            html_attributes=gradio.InputHTMLAttributes(enterkeyhint="send"),
        )

    def _join_events(self) -> None:
        heard = listener("ask", "again", "aside", "restore", "resume", "listed", "cite")
        drawn = [self._header, self._top, self._chat, self._welcome]
        drawn += [self._live, self._notice, self._spaces, self._box, self._evidence]
        asking: dict[str, Any] = {**QUIET, "concurrency_id": "answer", "concurrency_limit": 64}
        # An event lasts until its answer is whole and a little longer. Gradio drops what comes meanwhile unless it may
        # come several times, so it may, and what comes too early is refused here, in words.
        asking["trigger_mode"] = "multiple"
        self._box.stop(self._stop, None, None, queue=False, **QUIET)
        heard.ask(self._ask, None, drawn, **asking)  # the box itself is read, cleared and kept by lasting.js
        heard.again(self._ask_again, None, drawn, **asking)
        heard.aside(self._ask_without, None, drawn, **asking)
        heard.restore(self._ask_with, None, drawn, **asking)
        heard.resume(self._resume, None, drawn, **asking)
        heard.cite(self._show_source, None, self._evidence, queue=False, trigger_mode="multiple", **QUIET)
        heard.listed(self._list, None, self._history, queue=False, trigger_mode="always_last", **QUIET)

    async def _ask(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        edited = request.query_params.get("edit", "")
        async for update in self._asked(str(event.question), request, instead_of=edited, ticket=_ticket(event)):
            yield update

    async def _ask_again(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        if turn is not None:
            async for update in self._asked_again(turn, request, turn.excluded):
                yield update

    async def _ask_without(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """The answer again, without one of its sources."""
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        sources = turn.answer.sources if turn is not None and turn.answer is not None else ()
        if turn is not None and isinstance(event.source, int) and 0 <= event.source < len(sources):
            excluded = (*turn.excluded, put_aside(sources[event.source]))
            async for update in self._asked_again(turn, request, excluded):
                yield update

    async def _ask_with(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """The answer again, with a passage that it was made without."""
        turn = await asyncio.to_thread(self._conversations.turn, self._browser(request), str(event.turn))
        if turn is not None:
            excluded = tuple(one for place, one in enumerate(turn.excluded) if place != event.place)
            async for update in self._asked_again(turn, request, excluded):
                yield update

    async def _asked_again(
        self, turn: StoredTurn, request: gradio.Request, excluded: Sequence[Excluded]
    ) -> AsyncIterator[Updates]:
        """The question of a turn in its place and in the spaces it was asked in."""
        async for update in self._asked(
            turn.question, request, instead_of=turn.id, excluded=excluded, spaces=turn.spaces
        ):
            yield update

    async def _asked(
        self,
        question: str,
        request: gradio.Request,
        *,
        instead_of: str = "",
        excluded: Sequence[Excluded] = (),
        spaces: Sequence[str] | None = None,
        ticket: int = 0,
    ) -> AsyncIterator[Updates]:
        """The page while a question is answered, in the place of the last turn where it is `instead_of`.

        It is asked in `spaces`; None is what the address says. By the `ticket` the page knows which of the questions it
        sent is taken or refused.
        """
        tab, question = _tab(request), question.strip()
        before = self._tabs.at(tab)

        async def begin() -> Begun:
            return await self._begin(question, request, instead_of, excluded, spaces)

        try:
            _check(question)
            begun, again = self._sent.begin(tab, question, (str(request.username), ticket), begin)
            yield {self._notice: heard_html(ticket)}
            there = await asyncio.shield(begun)
        except RagError as refusal:
            yield {self._notice: refused_html(str(refusal), ticket)}
            return
        except gradio.Error:
            raise
        except Exception as error:  # noqa: BLE001 - logged; whatever storing raises, the reader is told where they asked
            yield {self._notice: refused_html(log_fault("asking", error), ticket)}
            return
        turn = await asyncio.to_thread(self._as_it_is, there.turn, request) if again else there.turn
        if turn is not None and self._is_there(tab, before, there, again=again):
            async for update in self._follow(turn, request, ticket):
                yield update
        else:
            yield {self._notice: taken_html(ticket)}

    def _as_it_is(self, turn: StoredTurn, request: gradio.Request) -> StoredTurn | None:
        """A turn as it is stored by now; None where it was deleted, or is not of whoever asks."""
        stored = self._conversations.turn(self._browser(request), turn.id)
        return self._answering.settled([stored])[0] if stored is not None else None

    def _is_there(self, tab: str, before: Here | None, there: Begun, *, again: bool) -> bool:
        """Whether a page that sent a question still shows where; otherwise the reader has gone elsewhere."""
        now = self._tabs.at(tab)
        if now is None or now.conversation == there.asked_in:
            return True
        return now.conversation == there.turn.conversation if again else now is before

    async def _begin(
        self,
        question: str,
        request: gradio.Request,
        instead_of: str,
        excluded: Sequence[Excluded],
        spaces: Sequence[str] | None,
    ) -> Begun:
        """Store a question and begin to answer it. Raises RagError where it is refused."""
        who, named = await asyncio.to_thread(self._place, request)
        asked_in = named or ""
        shown = asked_in or await asyncio.to_thread(self._shown, who.id, _tab(request))
        running = self._answering.running(shown)
        if running is not None and running.question == question:
            return Begun(asked_in, running)  # pressed twice, or asked on another page
        conversation = asked_in or await asyncio.to_thread(self._conversations.begin, who.id)
        desk = narrowed(self._desk, who)
        picked = chosen(_named(request) if spaces is None else spaces, to_ask_in(desk.spaces()))
        turn = await self._answering.start(
            who.id, conversation, question, instead_of=instead_of, excluded=excluded, spaces=picked, ask=desk.ask
        )
        return Begun(asked_in, turn)

    def _shown(self, browser: str, tab: str) -> str:
        """What an open page shows, whose address may not name it yet; the tab's name is only what a client claims."""
        here = self._tabs.at(tab)
        return here.conversation if here is not None and self._conversations.owns(browser, here.conversation) else ""

    async def _resume(self, event: gradio.EventData, request: gradio.Request) -> AsyncIterator[Updates]:
        """What the address names, as it is stored; an answer still being made is followed to its end."""
        who, conversation = await asyncio.to_thread(self._place, request)
        # A page that is slow to be drawn asks for it again, and may be drawn and have sent a question meanwhile; its
        # address names where that was asked a little later.
        here = self._tabs.at(_tab(request)) if getattr(event, "undrawn", None) is True else None
        again = here is not None
        if here is None or (not here.turn and here.conversation != (conversation or "")):
            here = self._tabs.turn_to(_tab(request), "", conversation or "")
        wanted = getattr(event, "turns", None)
        shown = min(max(wanted, TURNS_SHOWN), TURNS_MOST) if isinstance(wanted, int) else TURNS_SHOWN
        choices = to_ask_in(await asyncio.to_thread(narrowed(self._desk, who).spaces))
        page = await asyncio.to_thread(self._drawn, who, conversation or "", shown)
        if again and (here.turn or not self._tabs.still(_tab(request), here)):
            return
        yield {
            self._notice: taken_html(_ticket(event)),
            self._spaces: ask_in_html(choices, chosen(_named(request), choices)),
            **page,
        }
        running = self._answering.running(conversation) if conversation else None
        if running is not None:
            async for update in self._follow(running, request, _ticket(event)):
                yield update

    async def _follow(self, turn: StoredTurn, request: gradio.Request, ticket: int = 0) -> AsyncIterator[Updates]:
        """The page as the answer grows; ends early where the page turns to something else."""
        who = await asyncio.to_thread(self._who, request)
        here = self._tabs.turn_to(_tab(request), turn.id, turn.conversation)
        stored = await asyncio.to_thread(self._conversations.turns, who.id, turn.conversation, last=TURNS_SHOWN)
        held = await asyncio.to_thread(self._conversations.count, who.id, turn.conversation)
        before = [one for one in stored if one.id != turn.id]
        yield {
            **self._growing(before, turn),
            self._welcome: "",
            self._notice: taken_html(ticket),
            self._top: top_html(shown=len(stored), held=held),
            self._evidence: evidence_html(None),
        }
        async for grown in self._answering.follow(turn):
            if not self._tabs.still(_tab(request), here):
                return
            turn = grown
            if turn.state is TurnState.WORKING:  # its end comes with its evidence, which would replace what is chosen
                yield self._growing(before, turn)
        updates = await asyncio.to_thread(self._drawn, who, turn.conversation)
        if self._tabs.still(_tab(request), here):
            yield {**updates, self._notice: taken_html(ticket)}

    def _growing(self, before: Sequence[StoredTurn], turn: StoredTurn) -> Updates:
        """What changes as an answer grows, and the box, over which the last answer's end may have been drawn."""
        return {self._chat: messages([*before, turn]), self._live: _live_html(turn), self._box: _box(turn)}

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
        who, shown = self._place(request)
        holding = str(event.holding)[:QUESTION_LIMIT]
        limit = event.shown if isinstance(event.shown, int) else 0
        limit = min(max(limit, CONVERSATIONS_SHOWN), CONVERSATIONS_MOST)
        minutes = event.zone if isinstance(event.zone, int) and abs(event.zone) <= 24 * 60 else 0
        found = self._conversations.listed(who.id, holding=holding, limit=limit + 1)
        return history_html(
            found[:limit],
            shown or "",
            now=datetime.now(UTC),
            zone=timedelta(minutes=minutes),
            holding=holding,
            more=len(found) > limit,
        )

    def _drawn(self, who: Who, conversation: str, shown: int = TURNS_SHOWN) -> Updates:
        """Everything on the page, from what is stored; of the turns the last `shown`."""
        desk = narrowed(self._desk, who)
        status = desk.status()
        turns = self._answering.settled(self._conversations.turns(who.id, conversation, last=shown))
        last = turns[-1] if turns else None
        return {
            self._header: header_html("Ask", status, who),
            self._top: top_html(shown=len(turns), held=self._conversations.count(who.id, conversation)),
            self._chat: messages(turns),
            self._welcome: "" if turns else self._first_page(desk, status),
            self._live: _live_html(last),
            self._box: _box(last),
            self._evidence: evidence_html(last, last=True),
        }

    def _first_page(self, desk: Desk, status: Status) -> str:
        shelf = [one for one in desk.documents() if one.space != desk.handbook]
        return welcome_html(status, desk.suggestions(), shelf)

    def _place(self, request: gradio.Request) -> tuple[Who, str | None]:
        """Who asks, and the conversation their page shows; None for a new one."""
        who, named = self._who(request), request.query_params.get("c", "")
        if named == NEW:
            return who, None
        if named and self._conversations.owns(who.id, named):
            return who, named
        return who, self._conversations.current(who.id)

    def _who(self, request: gradio.Request) -> Who:
        return visitor(self._people, request)

    def _browser(self, request: gradio.Request) -> str:
        return self._who(request).id


def _tab(request: gradio.Request) -> str:
    return str(request.session_hash)


def _ticket(event: gradio.EventData) -> int:
    """The number by which a page knows what it has sent; 0 for none."""
    ticket = getattr(event, "ticket", 0)
    return ticket if isinstance(ticket, int) else 0


def _named(request: gradio.Request) -> str:
    """The spaces to ask in, as the address names them."""
    return str(request.query_params.get("in", ""))


def _check(question: str) -> None:
    """Raise Unasked for a question that nobody can answer."""
    if not question:
        raise Unasked("Write a question first.")
    if len(question) > QUESTION_LIMIT:
        raise Unasked(
            f"This question has {len(question):,} characters; at most {QUESTION_LIMIT:,} can be asked. Shorten it."
        )


def _box(turn: StoredTurn | None) -> Mapping[str, Any]:
    """The box beside a conversation that ends with `turn`; what is written in it is the reader's alone."""
    working = turn is not None and turn.state is TurnState.WORKING
    change: Mapping[str, Any] = gradio.update(
        submit_btn=False if working else "Ask", stop_btn="Stop" if working else False
    )
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

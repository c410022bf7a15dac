"""The Inbox page: questions that want an answer, and the answers that were approved, for those who edit a space.

Which groups are shown stands in the page's address.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import gradio

from ingest.errors import ModelError
from rag_app.access import Role, Who, may
from rag_app.escape import escape
from rag_app.team.approved import to_review
from rag_app.team.inbox import Group, Inbox
from rag_app.web.approved_html import approved_html
from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.inbox_html import NOT_YOURS, SHOWN, STATES, Nearest, Wanted, fits, inbox_html
from rag_app.web.narrowed import narrowed
from rag_app.web.pages.parts import block, listener, visitor
from rag_app.web.people import People
from rag_app.web.render import page_words
from rag_app.web.stores import Stores

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
PASSAGES = 3  # nearest ones shown with a group
COMING = '<p class="told">Grouping the questions. The first look after a start takes some seconds.</p>'


class InboxPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk, stores: Stores, inbox: Inbox, people: People) -> None:
        self._desk, self._stores, self._inbox, self._people = desk, stores, inbox, people

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        header = block("header")
        with gradio.Column(elem_id="inbox"):
            body = block("asked", COMING)
        heard = listener("changed", "resume")
        heard.changed(self._draw, None, [header, body], trigger_mode="always_last", **QUIET)
        heard.resume(self._draw, None, [header, body], **QUIET)

    def _draw(self, request: gradio.Request) -> tuple[str, str]:
        """Everything from what is stored, for whoever looks."""
        who, query = visitor(self._people, request), request.query_params
        state = query.get("state", "open")
        want = Wanted(
            state if state in STATES else "open",
            query.get("kind", ""),
            query.get("space", ""),
            query.get("assigned", ""),
        )
        return header_html("Inbox", narrowed(self._desk, who).status(), who), self._body(who, want)

    def _body(self, who: Who, want: Wanted) -> str:
        desk = narrowed(self._desk, who)
        mine = frozenset(one for one in (self._desk.space, *desk.spaces(), *(who.roles or ())) if _edits(who, one))
        if not mine:
            return f'<h1>Inbox</h1><p class="told">{NOT_YOURS}</p>'
        coming = {job.path for job in self._desk.jobs() if not job.final}  # before the documents: one may arrive now
        documents = desk.documents()
        titles = frozenset(document.id for document in documents)
        asked = self._asked(who, want, titles, mine)
        answers = [one for one in self._stores.approved.listed(who) if one.space in mine]
        today = datetime.now(UTC).date()
        reasons = {one.id: to_review(one, documents, today, coming) for one in answers}
        return f'<h1>Inbox</h1><div class="quality">{asked}{approved_html(answers, reasons, mine)}</div>'

    def _asked(self, who: Who, want: Wanted, titles: frozenset[str], mine: frozenset[str]) -> str:
        try:
            groups, left = self._inbox.groups(who)
        except ModelError as error:
            return f'<p class="told">The questions cannot be grouped. {escape(str(error))}</p>'
        shown = [group for group in groups if fits(group, want)][:SHOWN]
        nearest = {group.asked[0].turn: self._nearest(group, titles) for group in shown}
        return inbox_html(groups, want, nearest, people=self._editors(mine), left=left)

    def _nearest(self, group: Group, readable: frozenset[str]) -> Sequence[Nearest]:
        """The passages that stood with the latest question, as far as they are there and may be read."""
        found = [one for one in self._inbox.sources(group.asked[0].turn) if one.document_id in readable]
        return [
            Nearest(one.document_id, one.title, page_words(one), one.page, one.quote or one.passage)
            for one in found[:PASSAGES]
        ]

    def _editors(self, spaces: frozenset[str]) -> list[str]:
        """Names of those who may look after questions of some spaces."""
        held = [self._stores.roster.who(person.id) for person in self._stores.roster.people()]
        return [who.name for who in held if who is not None and any(_edits(who, space) for space in spaces)]


def _edits(who: Who, space: str) -> bool:
    return may(who, Role.EDITOR, space)

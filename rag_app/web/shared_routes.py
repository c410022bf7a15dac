"""Our own addresses for conversations shared by a link: making one, taking it back, and what it shows whom."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from rag_app.conversations import Conversations
from rag_app.team.audit import Audit
from rag_app.team.shares import Share, Shares
from rag_app.team.sharing import Seen, as_told, seen_by
from rag_app.web.conversation_routes import NOT_YOURS
from rag_app.web.desk import Desk
from rag_app.web.export import conversation_markdown, file_name
from rag_app.web.login import notice_html
from rag_app.web.narrowed import narrowed
from rag_app.web.routes import Id, error
from rag_app.web.shared_html import shared_html

ENDED = "This link leads nowhere. Whoever shared the conversation has taken it back, or it was deleted. Ask them."
NOTHING_ASKED = "Nothing was asked in this conversation yet, so there is nothing to share."
_PRIVATE = {"cache-control": "private, no-store"}
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Sharing:
    """Shares conversations of whoever asks, and shows those of others as far as they may be seen."""

    def __init__(self, desk: Desk, conversations: Conversations, shares: Shares, audit: Audit) -> None:
        self._desk, self._conversations = desk, conversations
        self._shares, self._audit = shares, audit

    def router(self) -> APIRouter:
        """The addresses and who answers them."""
        router = APIRouter()
        router.add_api_route("/conversations/{conversation}/share", self.state)
        router.add_api_route("/conversations/{conversation}/share", self.share, methods=["POST"])
        router.add_api_route("/conversations/{conversation}/share", self.end, methods=["DELETE"])
        router.add_api_route("/shared/{token}.md", self.markdown)
        router.add_api_route("/shared/{token}", self.page)
        return router

    def state(self, request: Request, conversation: Id) -> Response:
        """The link to a conversation of one's own; an empty one where it has none."""
        browser = request.state.browser
        if not self._conversations.owns(browser, conversation):
            return error(NOT_YOURS, 404)
        return _told(self._shares.of_conversation(browser, conversation))

    def share(self, request: Request, conversation: Id) -> Response:
        """Make a link, or have the one there is show what was asked since."""
        browser = request.state.browser
        if not self._conversations.owns(browser, conversation):
            return error(NOT_YOURS, 404)
        share = self._shares.share(browser, conversation)
        if share is None:
            return error(NOTHING_ASKED, 409)
        self._audit.note(request.state.who, "share", conversation)  # its name would be a question
        return _told(share)

    def end(self, request: Request, conversation: Id) -> Response:
        """Take a link back."""
        if not self._conversations.owns(request.state.browser, conversation):
            return error(NOT_YOURS, 404)
        if self._shares.end(request.state.browser, conversation):
            self._audit.note(request.state.who, "share ended", conversation)
        return _told(None)

    def page(self, request: Request, token: str) -> Response:
        """A shared conversation, as far as whoever asks may see it."""
        share = self._found(token)
        if share is None:
            return HTMLResponse(notice_html(ENDED, "Back to asking", "/"), 404)
        name, seen, spaces = self._seen(request, share)
        readable = frozenset(one.id for one in narrowed(self._desk, request.state.who).documents())
        page = shared_html(name, share.name, share.made, seen, readable & spaces.keys(), f"/shared/{token}")
        return HTMLResponse(page, headers=_PRIVATE)

    def markdown(self, request: Request, token: str) -> Response:
        """The same, to be saved."""
        share = self._found(token)
        if share is None:
            return error(ENDED, 404)
        name, seen, _ = self._seen(request, share)
        text = conversation_markdown(name, [as_told(one) for one in seen])
        headers = {**_PRIVATE, "content-disposition": f"attachment; filename*=utf-8''{quote(file_name(name), safe='')}"}
        return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)

    def _found(self, token: str) -> Share | None:
        return self._shares.opened(token) if _TOKEN.fullmatch(token) else None

    def _seen(self, request: Request, share: Share) -> tuple[str, Sequence[Seen], Mapping[str, str]]:
        """Name, turns and the space of each document."""
        summary = self._conversations.summary(share.owner, share.conversation)
        turns = [one for one in self._conversations.turns(share.owner, share.conversation) if one.asked <= share.made]
        spaces = {one.id: one.space for one in self._desk.documents()}
        return summary.name if summary else "", seen_by(request.state.who, turns, spaces), spaces


def _told(share: Share | None) -> Response:
    address = f"/shared/{share.token}" if share is not None else ""
    return JSONResponse({"address": address, "made": share.made if share is not None else ""}, headers=_PRIVATE)

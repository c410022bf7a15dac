"""The Gradio application: one Blocks, its pages as routes."""

import gradio

from rag_app.team.inbox import Inbox
from rag_app.team.report import Reports, to_look_at
from rag_app.web.answering import Answering
from rag_app.web.desk import Desk
from rag_app.web.office import Office
from rag_app.web.pages.ask import AskPage
from rag_app.web.pages.inbox import InboxPage
from rag_app.web.pages.library import LibraryPage
from rag_app.web.pages.quality import QualityPage
from rag_app.web.pages.report import ReportPage
from rag_app.web.pages.settings import SettingsPage
from rag_app.web.people import People
from rag_app.web.stores import Stores


def site(desk: Desk, office: Office, stores: Stores, people: People, answering: Answering) -> gradio.Blocks:
    """All pages, not yet mounted."""
    with gradio.Blocks(title="Ask your PDFs", analytics_enabled=False, fill_width=True) as blocks:
        AskPage(desk, stores.conversations, answering, people).build()
    with blocks.route("Library", "library"):
        LibraryPage(desk, office, people, stores.roster.spaces).build()
    with blocks.route("Inbox", "inbox"):
        InboxPage(desk, stores, Inbox(stores.database, desk.embedding), people).build()
    with blocks.route("Report", "report"):
        ReportPage(
            desk, Reports(stores.ledger, desk.documents, to_look_at(stores.approved, desk.documents)), people
        ).build()
    with blocks.route("Quality", "quality"):
        QualityPage(desk, office, stores.unanswered, people).build()
    with blocks.route("Settings", "settings"):
        SettingsPage(desk, office, people).build()
    return blocks

"""What app.db holds, each part opened once."""

from pathlib import Path

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations
from rag_app.feedback import Feedback
from rag_app.team.approved import Approved
from rag_app.team.audit import Audit
from rag_app.team.identities import Identities
from rag_app.team.people import Roster
from rag_app.team.replies import Replies
from rag_app.team.report import Ledger
from rag_app.team.sessions import Invitations, Sessions
from rag_app.team.shares import Shares
from rag_app.unanswered import Unanswered


class Stores:
    """All stores over one file."""

    def __init__(self, home: Path) -> None:
        """Raises LibraryError when the file in `home` is too new or damaged."""
        self.database = AppDatabase(home / "app.db")
        self.conversations = Conversations(self.database)
        self.feedback = Feedback(self.database)
        self.unanswered = Unanswered(self.database)
        self.replies = Replies(self.database)
        self.shares = Shares(self.database)
        self.ledger = Ledger(self.database)
        self.approved = Approved(self.database)
        self.roster = Roster(self.database)
        self.sessions = Sessions(self.database)
        self.invitations = Invitations(self.database)
        self.audit = Audit(self.database)
        self.identities = Identities(self.database, self.roster, self.sessions, self.audit)

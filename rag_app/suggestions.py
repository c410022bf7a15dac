"""Questions to begin with, made from the library's own documents and tried before they are offered."""

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ingest.library import Library
from ingest.records import Document
from rag_app.copies import wording
from rag_app.question_rules import Proposal, mixed, proposals
from rag_app.records import Answer

WANTED = 3  # questions that are offered
DOCUMENTS = 8  # newest documents that are looked at
PASSAGES = 60  # first passages of a document that are looked at
TRIED = 16  # proposals that are searched for at most; each costs as much as a question

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Questions to begin with."""

    questions: tuple[str, ...] = ()  # each finds the passage it was made of, and relevant enough to answer from
    pending: bool = False  # the library has changed, and others are being looked for


class Suggester:
    """Makes suggestions in a thread of its own and keeps them, in memory only, until the library changes.

    They are words of documents: on disk they would outlive a document that is removed.
    """

    def __init__(
        self,
        library: Library,
        search: Callable[[str], Answer],
        *,
        handbook: str,
        within: Collection[str] | None = None,
    ) -> None:
        """`search` is a reranked search as a question would make it; documents of the space `handbook` are left out.

        Where `within` names spaces, documents of all others are left out too.
        """
        self._library, self._search, self._handbook, self._within = library, search, handbook, within
        self._lock = threading.Lock()
        self._known: Suggestions | None = None
        self._state: tuple[int, int] | None = None  # of the library, for which `_known` was made
        self._working = False

    def suggestions(self) -> Suggestions:
        """What is known now; where the library has changed, making others begins once no file is on its way."""
        state = self._library_state()
        busy = any(not job.final for job in self._library.jobs.latest())
        with self._lock:
            if self._known is not None and self._state == state:
                return self._known
            start = not self._working and not busy
            self._working = self._working or start
        if start:
            threading.Thread(target=self._make, args=(state,), name="suggestions", daemon=True).start()
        return Suggestions(pending=True)

    def _make(self, state: tuple[int, int]) -> None:
        made = Suggestions()
        try:
            made = Suggestions(self._questions())
        except Exception:
            # Without suggestions the page is poorer, not wrong; the next change of the library tries again.
            logger.exception("making suggestions failed")
        finally:
            with self._lock:
                self._known, self._state, self._working = made, state, False

    def _questions(self) -> tuple[str, ...]:
        newest = sorted(self._documents(), key=lambda document: document.added, reverse=True)[:DOCUMENTS]
        made = [proposals(self._library.document_chunks(document.id)[:PASSAGES]) for document in newest]
        kept: list[str] = []
        for tried, proposal in enumerate(mixed(made)):
            if len(kept) == WANTED or tried == TRIED:
                break
            if self._answers(proposal):
                kept.append(proposal.question)
        return tuple(kept)

    def _answers(self, proposal: Proposal) -> bool:
        """Whether the question finds what it was made of among the passages an answer would be made from."""
        found = self._search(proposal.question)
        words = wording(proposal.chunk.text)
        return not found.abstained and any(hit.used and wording(hit.chunk.text) == words for hit in found.hits)

    def _documents(self) -> list[Document]:
        return self._library.documents(self._spaces())

    def _spaces(self) -> list[str]:
        own = [space for space in self._library.spaces() if space != self._handbook]
        return own if self._within is None else [space for space in own if space in self._within]

    def _library_state(self) -> tuple[int, int]:
        return self._library.seq(), self._library.counts(self._spaces()).documents

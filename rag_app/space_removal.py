"""Takes a space's documents out of the library, so that it can go; what app.db knows of it is `team/leaving.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest import emptying
from ingest.library import Library
from ingest.records import Document
from rag_app.access import HANDBOOK
from rag_app.purge import Receipt, purge_all
from rag_app.team.leaving import Forgotten
from rag_app.team.people import TeamError

HANDBOOKS = (
    "The space handbook belongs to the program and cannot be removed. Its documents can be, one by one, on the Library "
    "page."
)
USUAL = (
    "{space} is the space of files that name none, so it stays. Remove its documents instead, or set RAG_SPACE to "
    "another space and start the server again."
)
HOLDS = "The space {space} holds {what}. Say that they may go with it, or remove them first."
CAME = "Files came into the space {space} while it was emptied. Do this once more."


@dataclass(frozen=True, slots=True)
class Emptied:
    """What was taken out of a space."""

    space: str
    documents: tuple[Document, ...] = ()
    stopped: int = 0  # files that were on their way in
    receipts: tuple[Receipt, ...] = ()  # of the documents, where no byte of them was to stay

    def told(self, forgotten: Forgotten) -> str:
        """Everything that went with the space, for the audit log and whoever removed it: "3 documents, 1 member"."""
        counts = {
            "document": len(self.documents),
            "file on its way": self.stopped,
            "member": forgotten.members,
            "approved answer": forgotten.approved,
            "key revoked": forgotten.revoked,
            "key limited to fewer spaces": forgotten.keys,
        }
        return ", ".join(_counted(count, what) for what, count in counts.items() if count) or "nothing was in it"


def check_removable(space: str, usual: str) -> None:
    """Raise TeamError for the handbook's space and for the one that files go to where nobody says which."""
    if space == HANDBOOK:
        raise TeamError(HANDBOOKS)
    if space == usual:
        raise TeamError(USUAL.format(space=space))


def empty(
    library: Library,
    space: str,
    *,
    documents: bool,
    purge: bool = False,
    build_index: Callable[[], None] | None = None,
) -> Emptied:
    """Take everything out of a space, only where it may (`documents`); with `purge` so that no byte of it stays.

    Raises TeamError where something is in it that may not go, or came in meanwhile; LibraryError where a file that is
    on its way does not stop.
    """
    held, coming = library.documents([space]), emptying.under_way(library, space)
    if (held or coming) and not documents:
        raise TeamError(HOLDS.format(space=space, what=_held(len(held), len(coming))))
    stopped = emptying.stop(library, space)
    held = library.documents([space])
    receipts = purge_all(library, [one.id for one in held], build_index) if purge and held else []
    if not purge:
        _remove(library, held)
    if library.documents([space]) or emptying.under_way(library, space):
        raise TeamError(CAME.format(space=space))
    emptying.forget(library, space)
    return Emptied(space, tuple(held), stopped, tuple(receipts))


def _remove(library: Library, documents: list[Document]) -> None:
    for document in documents:
        library.remove(document.id)


def _held(documents: int, coming: int) -> str:
    counts = {"document": documents, "file on its way": coming}
    return " and ".join(_counted(count, what) for what, count in counts.items() if count)


def _counted(count: int, what: str) -> str:
    """Example: 2, "file on its way" -> "2 files on its way"."""
    if count == 1:
        return f"1 {what}"
    first, _, rest = what.partition(" ")
    if first == "approved":
        return f"{count:,} approved answers"
    return f"{count:,} {first}s{f' {rest}' if rest else ''}".replace("on its way", "on their way")

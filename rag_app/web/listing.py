"""One page of the list of documents: searched, filtered, sorted, cut. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.records import Document

SHOWN = 50  # documents a page
HOLDING_LIMIT = 200  # characters of what is searched for
LOOK = "look"  # the state that asks for documents with pages that need a look
# What can be sorted by, as the address names it. Titles and spaces sort as people read them: capital or small.
ORDERS: Mapping[str, Callable[[Document], Any]] = {
    "title": lambda document: document.title.casefold(),
    "pages": lambda document: document.pages,
    "passages": lambda document: document.chunks,
    "size": lambda document: document.size,
    "added": lambda document: document.added,
    "space": lambda document: document.space.casefold(),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants to see of the library."""

    holding: str = ""  # in the title or the path
    order: str = "title"  # one of ORDERS
    falling: bool = False  # the largest first
    space: str = ""  # "" for all of them
    state: str = ""  # LOOK, or "" for all of them
    page: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list, and what is beyond it."""

    documents: tuple[Document, ...]
    found: int  # documents that fit what is wanted
    held: int  # documents there are
    page: int  # 1-based
    pages: int  # at least 1
    spaces: tuple[str, ...]  # that hold anything
    look: int  # documents with pages that need a look, of all


def wanted(query: Mapping[str, str]) -> Wanted:
    """What the address of a page asks for; what makes no sense there is left at its default."""
    order, page = query.get("sort", ""), query.get("page", "")
    return Wanted(
        holding=query.get("q", "")[:HOLDING_LIMIT].strip(),
        order=order if order in ORDERS else "title",
        falling=query.get("down", "") == "1",
        space=query.get("space", ""),
        state=LOOK if query.get("state", "") == LOOK else "",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1,  # noqa: PLR2004 - digits
    )


def needs_look(document: Document) -> bool:
    """Whether pages gave no text, letters may be wrong, or text was left out that no reader of the page can see."""
    return bool(document.failed_pages or document.empty_pages or document.hidden_words or document.doubt)


def listed(documents: Sequence[Document], want: Wanted) -> Listing:
    """The page that is wanted, or the last one where there are not so many."""
    part = want.holding.casefold()
    found = [document for document in documents if _fits(document, want, part)]
    key = ORDERS[want.order]
    # Twice, so that equals stand by title whichever way the list runs.
    found.sort(key=lambda document: (ORDERS["title"](document), document.id))
    found.sort(key=key, reverse=want.falling)
    pages = max(1, -(-len(found) // SHOWN))
    page = min(max(want.page, 1), pages)
    return Listing(
        documents=tuple(found[(page - 1) * SHOWN : page * SHOWN]),
        found=len(found),
        held=len(documents),
        page=page,
        pages=pages,
        spaces=tuple(sorted({document.space for document in documents})),
        look=sum(map(needs_look, documents)),
    )


def other_way(want: Wanted, order: str) -> Wanted:
    """What a click on the head of a column asks for: its order, or the other way round where it is in that already."""
    return replace(want, order=order, falling=want.order == order and not want.falling, page=1)


def _fits(document: Document, want: Wanted, part: str) -> bool:
    if want.space and document.space != want.space:
        return False
    if want.state == LOOK and not needs_look(document):
        return False
    return part in document.title.casefold() or part in document.path.casefold()

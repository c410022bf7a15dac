"""What stands on the Ask page before anything was asked, as escaped HTML. Pure."""

from collections.abc import Sequence

from ingest.records import Document
from rag_app.escape import escape, escape_name
from rag_app.suggestions import Suggestions
from rag_app.web.desk import Status
from rag_app.web.render import counted

NAMED = 4  # documents that are named; the newest
_EMPTY = (
    '<section class="welcome"><h2>Put documents in, ask, see the page.</h2>'
    "<p>Nothing to ask about yet. Drop PDF or text files here, or choose them.</p>"
    '<p><button type="button" class="primary" data-choose>Choose files</button></p></section>'
)
_DROP = (
    '<p class="drop-hint">Drop {more}PDF or text files anywhere on this page, or '
    '<button type="button" class="quiet" data-choose>choose files</button></p>'
)
_TOUR = '<button type="button" class="quiet" data-found="/tour/0">See what reranking does, in five questions</button>'


def welcome_html(status: Status, suggestions: Suggestions, documents: Sequence[Document] = ()) -> str:
    """What is in the library, questions to begin with, where to drop a file, and the way to the tour.

    `documents` are those that questions are answered from; the newest are named.
    """
    if not status.documents:
        return _EMPTY
    shelf = f"{counted(status.documents, 'document')}, {counted(status.passages, 'passage')}."
    if status.handbook_only:
        shelf = "Only the handbook of this software is here so far. Add your own, and answers come from them."
    return (
        f'<section class="welcome" data-pending="{str(suggestions.pending).lower()}">'
        f"<h2>Short answers. Every sentence shows its page.</h2><p>{shelf} {_lead(suggestions)}</p>"
        f"{_questions(suggestions)}{_titles(status, documents)}"
        f"{_DROP.format(more='' if status.handbook_only else 'more ')}"
        f'<p class="speaker">Who answers: {escape(status.generator)}</p>{_TOUR if status.handbook else ""}</section>'
    )


def _lead(suggestions: Suggestions) -> str:
    if suggestions.pending:
        return "Ask a question below; a few to begin with are being looked for."
    return "Try one of these, or ask your own." if suggestions.questions else "Ask a question below."


def _questions(suggestions: Suggestions) -> str:
    buttons = "".join(
        f'<li><button type="button" class="example" data-example>{escape(question)}</button></li>'
        for question in suggestions.questions
    )
    return f'<ul class="examples">{buttons}</ul>' if buttons else ""


def _titles(status: Status, documents: Sequence[Document]) -> str:
    if status.handbook_only or not documents:
        return ""
    newest = sorted(documents, key=lambda document: document.added, reverse=True)[:NAMED]
    named = "".join(
        f'<li><button type="button" class="title foreign" data-view="/documents/{escape(one.id)}/view">'
        f"{escape_name(one.title)}</button></li>"
        for one in newest
    )
    rest = len(documents) - len(newest)
    more = f'<li><a href="/library">{counted(rest, "other")}</a></li>' if rest > 0 else ""
    return f'<ul class="shelf-titles" aria-label="Newest documents">{named}{more}</ul>'

"""Approved answers as escaped HTML: the list, the form they are written in, and one as its readers see it. Pure."""

from collections.abc import Mapping, Sequence

from rag_app.escape import escape, escape_name
from rag_app.team.approved import (
    ANSWER_LIMIT,
    QUESTION_LIMIT,
    ApprovedAnswer,
    Draft,
    Source,
    Version,
)
from rag_app.web.models_html import time_html
from rag_app.web.render import counted, number

SHOWN = 200
_NONE = '<p class="none-fit">None yet. Answers that are approved or written here stand in this list.</p>'
EXPLAINED = (
    "It is found, quoted and cited like a document from then on. Everybody who may read the space sees it with your "
    "name and the date."
)


def approved_html(answers: Sequence[ApprovedAnswer], reasons: Mapping[str, Sequence[str]], mine: frozenset[str]) -> str:
    """The list, those to be looked at first; `reasons` by id, `mine` are the spaces that may be changed."""
    ordered = sorted(answers, key=lambda one: (bool(one.withdrawn), not reasons.get(one.id)))
    rows = "".join(_row(one, reasons.get(one.id, ()), changeable=one.space in mine) for one in ordered[:SHOWN])
    waiting = sum(bool(reasons.get(one.id)) for one in answers)
    told = f", {number(waiting)} to look at again" if waiting else ""
    title = f"Approved answers ({number(sum(not one.withdrawn for one in answers))}{told})"
    new = (
        '<p><button type="button" class="open" data-approve="/approved/new">Write an answer</button></p>'
        if mine
        else ""
    )
    return f"<section><h2>{title}</h2>{new}{rows or _NONE}</section>"


def _row(answer: ApprovedAnswer, reasons: Sequence[str], *, changeable: bool) -> str:
    latest = answer.latest
    state = f"; withdrawn {time_html(answer.withdrawn)}" if answer.withdrawn else ""
    why = "".join(f'<p class="notice foreign">{escape_name(reason)}</p>' for reason in reasons)
    change = ""
    if changeable:
        words = "Approve again" if answer.withdrawn else "Correct"
        change = f'<button type="button" class="open" data-approve="/approved/{answer.id}/edit">{words}</button>'
        if not answer.withdrawn:
            name = escape_name(latest.question)
            change += (
                f'<button type="button" class="quiet" data-withdraw="{answer.id}" data-name="{name}">Withdraw</button>'
            )
    return (
        f'<article class="approved-row"><h3 class="foreign">{escape(latest.question)}</h3>'
        f'<p class="told">{signature(latest)}, in <span class="foreign">{escape_name(answer.space)}</span>, look at it '
        f"again {time_html(latest.review)}{state}</p>{why}"
        f'<p class="actions"><button type="button" class="quiet" data-view="/approved/{answer.id}">Open</button>'
        f"{change}</p></article>"
    )


def signature(version: Version) -> str:
    """Who approved it and when, as HTML."""
    by = f'by <span class="foreign">{escape_name(version.name)}</span>, ' if version.name else ""
    return f"Approved {by}{time_html(version.written)}"


def answer_view_html(answer: ApprovedAnswer, readable: frozenset[str]) -> str:
    """An approved answer instead of a page: its text, who stands for it, its sources; `readable` are documents' ids."""
    latest = answer.latest
    gone = '<p class="notice">This answer was withdrawn.</p>' if answer.withdrawn else ""
    earlier = "".join(_earlier(one) for one in reversed(answer.versions[:-1]))
    versions = (
        f"<details><summary>Earlier versions ({number(len(answer.versions) - 1)})</summary>{earlier}</details>"
        if earlier
        else ""
    )
    return (
        '<div class="viewer approved-view"><div class="viewer-head"><h2 tabindex="-1"><span class="foreign">'
        f'{escape(latest.question)}</span> <span class="printed">Approved answer</span></h2>'
        f'<button type="button" class="quiet" data-close>Close</button></div><div class="approved-body">{gone}'
        f'<p class="told">{signature(latest)}; look at it again {time_html(latest.review)}</p>'
        f'<div class="approved-text foreign">{escape(latest.answer)}</div>'
        f"{_sources(latest.sources, readable)}{versions}"
        "</div></div>"
    )


def _earlier(version: Version) -> str:
    return (
        f'<article><p class="told">{signature(version)}</p><p class="foreign">{escape(version.question)}</p>'
        f'<div class="approved-text foreign">{escape(version.answer)}</div></article>'
    )


def _sources(sources: Sequence[Source], readable: frozenset[str]) -> str:
    """What it leans on; documents that may not be read, or are gone, are only counted."""
    if not sources:
        return '<p class="told">It names no sources.</p>'
    open_ones = [one for one in sources if one.document_id in readable]
    items = "".join(
        f'<li><button type="button" class="quiet" data-view="/documents/{escape(one.document_id)}/view?page='
        f'{one.page}">{_place(one)}</button></li>'
        for one in open_ones
    )
    rest = len(sources) - len(open_ones)
    more = f'<p class="told">{counted(rest, "source")} cannot be opened: gone, or in a space you do not read.</p>'
    return f'<h3>It leans on</h3><ul class="leans-on">{items}</ul>{more if rest else ""}'


def _place(source: Source) -> str:
    page = source.label or str(source.page)
    return f'<span class="foreign">{escape_name(source.title)}</span>, page {escape(page)}'


def form_html(draft: Draft, spaces: Sequence[str], *, identifier: str = "", group: str = "") -> str:
    """The inside of the dialog in which an answer is written; another version where it has an `identifier`."""
    title = "Correct the approved answer" if identifier else "Approve an answer"
    options = "".join(
        f'<option value="{escape(one)}"{" selected" if one == draft.space else ""}>{escape_name(one)}</option>'
        for one in spaces
    )
    space = "" if identifier else f'<label class="pick">Space <select id="approve-space">{options}</select></label>'
    sources = "".join(
        f'<li><label><input type="checkbox" data-source-document="{escape(one.document_id)}" '
        f'data-source-page="{one.page}" checked> {_place(one)}</label></li>'
        for one in draft.sources
    )
    leans = f'<fieldset><legend>It leans on</legend><ul class="leans-on">{sources}</ul></fieldset>' if sources else ""
    close = (
        '<label><input type="checkbox" id="approve-closes" checked> Close the questions in the inbox</label>'
        if group
        else ""
    )
    return (
        f'<div class="reply approve"><div class="viewer-head"><h2 tabindex="-1">{title}</h2>'
        '<button type="button" class="quiet" data-close>Close</button></div><div class="reply-body">'
        f'<p class="told">{EXPLAINED}</p><label for="approve-question">Question</label>'
        f'<textarea id="approve-question" class="line" rows="2" maxlength="{QUESTION_LIMIT}">{escape(draft.question)}'
        '</textarea><label for="approve-answer">Answer</label>'
        f'<textarea id="approve-answer" class="line" rows="9" maxlength="{ANSWER_LIMIT}">{escape(draft.answer)}'
        f'</textarea>{leans}<div class="filters">{space}<label class="pick">Look at it again '
        f'<input type="date" id="approve-review" value="{escape(draft.review)}"></label></div>{close}'
        f'<p class="actions"><button type="button" class="primary" data-save-approved="{escape(identifier)}" '
        f'data-group="{escape(group)}">Approve</button><span class="told" role="status"></span></p></div></div>'
    )

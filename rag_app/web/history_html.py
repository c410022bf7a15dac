"""The list of conversations as escaped HTML. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from rag_app.conversations import Summary
from rag_app.escape import escape

_WEEK = 7  # days
HEAD = (
    '<div class="history-head"><button type="button" class="new" data-fresh>New question</button>'
    '<label class="visually-hidden" for="history-search">Search conversations</label>'
    '<input type="search" id="history-search" placeholder="Search conversations" autocomplete="off" maxlength="200">'
    "</div>"
)


def history_html(
    found: Sequence[Summary], shown: str, *, now: datetime, zone: timedelta, holding: str = "", more: bool = False
) -> str:
    """Conversations by day, latest first; `shown` is the open one.

    `now` is in UTC and `zone` is what the reader's clock adds to it; `more` says that the list goes on.
    """
    if not found:
        return f'<nav class="history-list" aria-label="Conversations"><p class="none">{_none(holding)}</p></nav>'
    today = (now + zone).date()
    groups = groupby(found, lambda one: _day_words(today, (datetime.fromisoformat(one.touched) + zone).date()))
    parts = [
        f"<h2>{day}</h2><ul>{''.join(_row(one, current=one.id == shown) for one in group)}</ul>"
        for day, group in groups
    ]
    further = f'<button type="button" class="quiet" data-further="{len(found)}">Show earlier ones</button>'
    return (
        f'<nav class="history-list" aria-label="Conversations" data-shown="{len(found)}">{"".join(parts)}'
        f"{further if more else ''}</nav>"
    )


def _none(holding: str) -> str:
    if holding.strip():
        quoted = f"\N{LEFT DOUBLE QUOTATION MARK}<bdi>{escape(holding.strip())}</bdi>\N{RIGHT DOUBLE QUOTATION MARK}"
        return f"No name and no question holds {quoted}."
    return "What you ask is kept here, for you alone."


def _day_words(today: date, day: date) -> str:
    ago = (today - day).days
    if ago <= 0:
        return "Today"
    if ago == 1:
        return "Yesterday"
    return "Last 7 days" if ago < _WEEK else "Earlier"


def _row(one: Summary, *, current: bool) -> str:
    name, identity = escape(" ".join(one.name.split())), escape(one.id)
    here = ' aria-current="page"' if current else ""
    return (
        f'<li class="kept{" current" if current else ""}"><a class="conversation foreign" href="/?c={identity}" '
        f'data-open="{identity}" title="{name}"{here}>{name}</a>'
        f'<button type="button" class="more" data-menu="{identity}" data-name="{name}" aria-haspopup="menu" '
        f'aria-label="More for {name}"><span aria-hidden="true">\N{MIDLINE HORIZONTAL ELLIPSIS}</span></button></li>'
    )

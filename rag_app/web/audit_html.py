"""The audit log as a page and as a table for spreadsheets. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import urlencode

from rag_app.escape import escape, escape_name
from rag_app.team.audit import KEPT, Entry, Wanted
from rag_app.team.spreadsheet import as_csv
from rag_app.web.team_page import team_page

PAGE = 100  # entries on one page
COLUMNS = ("at", "who", "id", "act", "subject", "detail")
_TOLD = (
    "Sign-ins, uploads, deletions, approvals, and what was done about people, spaces and keys, newest first. No "
    f"question, passage or password is in it. The last {KEPT:,} entries are kept; times are UTC."
)


def audit_html(
    bar: str,
    entries: Sequence[Entry],
    wanted: Wanted,
    *,
    found: int,
    page: int = 1,
    names: Sequence[str] = (),
    acts: Sequence[str] = (),
    wrong: str = "",
) -> str:
    """One `page` (1-based) of the log under the `bar` of every page.

    `found` entries are wanted in all; `names` and `acts` are those there are to choose from; `wrong` says what of the
    choice could not be read.
    """
    notice = f'<p class="notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    table = _table(entries) if entries else "<p>Nothing of this kind was done.</p>"
    pager = _pager(wanted, found, page)
    return team_page(
        "Audit log", bar, f"<p>{_TOLD}</p>{notice}{_choice(wanted, names, acts)}{_count(wanted, found)}{table}{pager}"
    )


def audit_csv(entries: Sequence[Entry]) -> str:
    """The entries as CSV in which no text is a formula."""
    return as_csv(COLUMNS, [(one.at, one.name, one.person, one.act, one.subject, one.detail) for one in entries])


def pages(found: int) -> int:
    """How many pages that many entries take; at least one."""
    return max(1, -(-found // PAGE))


def _choice(wanted: Wanted, names: Sequence[str], acts: Sequence[str]) -> str:
    days = "".join(
        f'<label>{words} <input type="date" name="{name}" value="{escape(value)}"></label>'
        for words, name, value in (("From", "since", wanted.since), ("Until", "until", wanted.until))
    )
    return (
        '<form method="get" action="/audit" class="choice" role="search" aria-label="Entries to show">'
        f"{_select('Who', 'name', 'everybody', wanted.name, names)}"
        f"{_select('What', 'act', 'everything', wanted.act, acts)}"
        f'{days}<button type="submit" class="open">Show</button></form>'
    )


def _select(words: str, name: str, all_of_them: str, chosen: str, values: Sequence[str]) -> str:
    known = sorted({*values, chosen} - {""})
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape_name(value)}</option>'
        for value in known
    )
    return f'<label>{words} <select name="{name}"><option value="">{all_of_them}</option>{options}</select></label>'


def _count(wanted: Wanted, found: int) -> str:
    entries = f"{found:,} {'entry' if found == 1 else 'entries'}"
    everything = ' <a href="/audit">Show everything</a>' if wanted != Wanted() else ""
    saved = f' <a href="/audit.csv{_query(wanted)}" download>Save as CSV</a>' if found else ""
    return f'<p class="count"><span>{entries}</span>{everything}{saved}</p>'


def _table(entries: Sequence[Entry]) -> str:
    heads = "".join(f'<th scope="col">{words}</th>' for words in ("When", "Who", "What", "To what", "More"))
    return (
        '<div class="entries" role="region" aria-label="Entries" tabindex="0"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(map(_row, entries))}</tbody></table></div>"
    )


def _row(entry: Entry) -> str:
    when = escape(entry.at[:19].replace("T", " "))
    who = escape_name(entry.name) if entry.name else escape(entry.person[:8]) or "nobody signed in"
    cells = (who, escape(entry.act), escape_name(entry.subject), escape_name(entry.detail))
    names = ("Who", "What", "To what", "More")
    rest = "".join(
        f'<td data-name="{name}"{"" if cell else " class=none"}><bdi>{cell}</bdi></td>'
        for name, cell in zip(names, cells, strict=True)
    )
    return f'<tr><td class="when"><time datetime="{escape(entry.at)}">{when}</time></td>{rest}</tr>'


def _pager(wanted: Wanted, found: int, page: int) -> str:
    last = pages(found)
    if last == 1:
        return ""
    newer = f'<a rel="prev" href="/audit{_query(wanted, page - 1)}">Newer</a>' if page > 1 else ""
    older = f'<a rel="next" href="/audit{_query(wanted, page + 1)}">Older</a>' if page < last else ""
    return (
        f'<nav class="pager" aria-label="Pages of the log">{newer}<span>page {page:,} of {last:,}</span>{older}</nav>'
    )


def _query(wanted: Wanted, page: int = 1) -> str:
    values = {name: value for name, value in asdict(wanted).items() if value} | ({"page": page} if page > 1 else {})
    return f"?{escape(urlencode(values))}" if values else ""

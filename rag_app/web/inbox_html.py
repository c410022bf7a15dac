"""The inbox as escaped HTML: groups of questions, what can be done with each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_app.escape import escape, escape_name
from rag_app.team.grouping import named
from rag_app.team.inbox import NOTE_LIMIT, Closed, Group, Kind
from rag_app.web.models_html import time_html
from rag_app.web.render import counted, number, shortened

SHOWN = 50  # groups on a page
LISTED = 25  # questions of a group
NOT_YOURS = "There is no inbox for you: it is for those who may change the documents of a space."
NOTHING = "Nothing waits here. Questions that are not answered well come by themselves."
KINDS = {
    Kind.BELOW: "not in the documents",
    Kind.UNANSWERED: "no answer written",
    Kind.WRONG: "marked as poor",
    Kind.AGAIN: "asked again in other words",
}
REASONS = {
    Closed.ANSWERED: "it is answered now",
    Closed.NOT_OURS: "not for this library",
    Closed.FINE: "the answer was right",
}
STATES = {"open": "open", "closed": "closed", "all": "all"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups are to be shown; "" is no wish."""

    state: str = "open"  # of STATES
    kind: str = ""
    space: str = ""
    assigned: str = ""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A passage that stood nearest to a question."""

    document_id: str
    title: str
    place: str  # "page 3"
    page: int  # 1-based physical page
    text: str


def fits(group: Group, want: Wanted) -> bool:
    """Whether a group is to be shown."""
    return (
        (want.state == "all" or group.is_open == (want.state != "closed"))
        and (not want.kind or any(one.kind == want.kind for one in group.asked))
        and (not want.space or want.space in group.spaces)
        and (not want.assigned or group.case.assigned == want.assigned)
    )


def inbox_html(
    groups: Sequence[Group], want: Wanted, nearest: Mapping[str, Sequence[Nearest]], *, people: Sequence[str], left: int
) -> str:
    """All that fit, each with what may be done; `nearest` by the turn of a question, `people` may be assigned."""
    shown = [group for group in groups if fits(group, want)]
    rows = "".join(_group(group, nearest, people) for group in shown[:SHOWN])
    more = f'<p class="told">and {counted(len(shown) - SHOWN, "other group")}</p>' if len(shown) > SHOWN else ""
    later = f'<p class="told">{counted(left, "question")} more are grouped with the next look.</p>' if left else ""
    empty = "" if shown else f"<p>{NOTHING if not groups else 'No group fits.'}</p>"
    title = f"Questions that want an answer ({number(len(shown))})"
    return f"<section><h2>{title}</h2>{_filters(groups, want)}{empty}{rows}{more}{later}</section>"


def _filters(groups: Sequence[Group], want: Wanted) -> str:
    if not groups:
        return ""
    spaces = sorted({space for group in groups for space in group.spaces})
    assigned = sorted({group.case.assigned for group in groups} - {""})
    picks = [
        _pick("state", "Show", list(STATES.items()), want.state),
        _pick("kind", "why", [("", "any reason"), *((kind.value, words) for kind, words in KINDS.items())], want.kind),
        _pick("space", "space", [("", "all"), *((one, one) for one in spaces)], want.space) if spaces[1:] else "",
        _pick("assigned", "with", [("", "anybody"), *((one, one) for one in assigned)], want.assigned)
        if assigned
        else "",
    ]
    return f'<div class="filters">{"".join(picks)}</div>'


def _pick(name: str, words: str, choices: Sequence[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape_name(told)}</option>'
        for value, told in choices
    )
    return f'<label class="pick">{words} <select data-filter="{name}">{options}</select></label>'


def _group(group: Group, nearest: Mapping[str, Sequence[Nearest]], people: Sequence[str]) -> str:
    kinds = ", ".join(words for kind, words in KINDS.items() if any(one.kind is kind for one in group.asked))
    where = f' in <span class="foreign">{escape_name(", ".join(group.spaces))}</span>' if group.spaces else ""
    facts = f"{counted(len(group.asked), 'time')}, last {time_html(group.asked[0].asked)}{where}; {kinds}"
    return (
        f'<details class="asked-group" id="group-{group.key}"><summary><span class="foreign">'
        f'{escape(named(group.question))}</span> <span class="told">{facts}{_state(group)}</span></summary>'
        f'<div class="group-body">{_questions(group)}{_nearest(nearest.get(group.asked[0].turn, ()))}'
        f"{_form(group, people)}</div></details>"
    )


def _state(group: Group) -> str:
    case = group.case
    parts = [f'with <span class="foreign">{escape_name(case.assigned)}</span>'] if case.assigned else []
    if case.closed:
        why = REASONS[Closed(case.reason)] if case.reason else ""
        parts.append(f"closed {time_html(case.closed)}: {why}")
        if group.since:
            parts.append(f"<strong>asked {counted(group.since, 'time')} since</strong>")
    return "".join(f"; {part}" for part in parts)


def _questions(group: Group) -> str:
    items = "".join(
        f'<li><q class="foreign">{escape(shortened(one.question, 400))}</q> <span class="told">{time_html(one.asked)}, '
        f"{KINDS[one.kind]}</span>{_said(one.note)}</li>"
        for one in group.asked[:LISTED]
    )
    more = len(group.asked) - LISTED
    return f'<ul class="asked-list">{items}</ul>' + (f'<p class="told">and {number(more)} more</p>' if more > 0 else "")


def _said(note: str) -> str:
    return f'<p class="reader-note">The reader wrote: <q class="foreign">{escape(note)}</q></p>' if note else ""


def _nearest(found: Sequence[Nearest]) -> str:
    if not found:
        return ""
    items = "".join(
        f'<li><button type="button" class="quiet" data-view="/documents/{escape(one.document_id)}/view?page='
        f'{one.page}"><span class="foreign">{escape_name(one.title)}</span>, {escape(one.place)}</button>'
        f'<span class="near-text foreign">{escape(shortened(one.text))}</span></li>'
        for one in found
    )
    return f'<h3>Nearest passages</h3><ul class="nearest">{items}</ul>'


def _form(group: Group, people: Sequence[str]) -> str:
    key, case = group.key, group.case
    names = [("", "nobody"), *((name, name) for name in dict.fromkeys([*people, case.assigned]) if name)]
    assign = _choice(f"assigned-{key}", "Looked after by", names, case.assigned) if names[1:] else ""
    reasons = _choice(f"reason-{key}", "Reason", [(one.value, words) for one, words in REASONS.items()], "")
    if case.closed:
        close = f'<button type="button" class="quiet" data-reopen="{key}">Open it again</button>'
    else:
        close = f'{reasons}<button type="button" class="quiet" data-close-group="{key}">Close</button>'
    return (
        f'<div class="case">{assign}<label for="note-{key}">Note for those who work on this</label>'
        f'<textarea id="note-{key}" class="line" rows="2" maxlength="{NOTE_LIMIT}">{escape(case.note)}</textarea>'
        f'<p class="actions"><button type="button" class="primary" data-approve="/inbox/{key}/approve">Write the answer'
        f'</button><button type="button" class="open" data-keep-case="{key}">Keep note</button>{close}'
        '<span class="told" role="status"></span></p></div>'
    )


def _choice(name: str, words: str, choices: Sequence[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape_name(told)}</option>'
        for value, told in choices
    )
    return f'<label class="pick">{words} <select id="{name}">{options}</select></label>'

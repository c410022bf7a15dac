"""The report as escaped HTML with its plots, and as a table for spreadsheets. Pure."""

from collections.abc import Callable, Sequence
from datetime import date
from urllib.parse import urlencode

from rag_app.escape import escape, escape_name
from rag_app.evaluate.plots import bars, paired_bars
from rag_app.team.report import UNKNOWN, Report, Stale, Used, Week
from rag_app.team.spreadsheet import Cell, as_csv
from rag_app.unanswered import Missing
from rag_app.web.models_html import time_html
from rag_app.web.render import counted, number, seconds

CHOICES = (4, 8, 13, 26, 52)  # weeks to choose from
LISTED = 10  # documents of each kind before the rest are folded away
NOTHING = "Nothing was asked in these weeks."
NOT_YOURS = "There is no report for you: it is for those who may change the documents of a space."
COLUMNS = (
    "part", "week", "space", "name", "questions", "answered", "not_answered", "good", "poor", "first_words_s", "times",
    "date",
)  # fmt: skip
_MILLI = 1000


def space_words(space: str) -> str:
    """A space as it is called here."""
    return "before spaces were kept" if space == UNKNOWN else space


def report_html(report: Report, weeks: int, space: str) -> str:
    """The page, for the last `weeks` weeks of `space`, "" for all that may be shown."""
    if not report.spaces:
        return f'<h1>Report</h1><p class="told">{NOT_YOURS}</p>'
    asked = any(week.questions for week in report.together)
    parts = [
        _questions(report) if asked else f"<section><h2>Questions</h2><p>{NOTHING}</p></section>",
        _first_words(report.together),
        _verdicts(report.together),
        _gaps(report.gaps, report.more_gaps),
        _documents(report.documents, several=len(report.shown) > 1),
        _stale(report.stale),
    ]
    return f'<h1>Report</h1>{_filters(report, weeks, space)}<div class="quality">{"".join(parts)}</div>'


def report_csv(report: Report) -> str:
    """Everything in one table; `part` tells weeks, gaps, documents and approved answers apart."""
    rows: list[Sequence[Cell]] = [_week_row(week) for week in report.by_space]
    rows += [("gap", "", "", one.question, *_EMPTY, one.times, one.last[:10]) for one in report.gaps]
    rows += [("document", "", one.space, one.title, *_EMPTY, one.answers, one.added[:10]) for one in report.documents]
    rows += [("approved", "", one.space, f"{one.question} ({one.why})", *_EMPTY, None, "") for one in report.stale]
    return as_csv(COLUMNS, rows)


_EMPTY: tuple[None, ...] = (None,) * 6


def _week_row(week: Week) -> Sequence[Cell]:
    words = None if week.first_words is None else round(week.first_words / _MILLI, 2)
    figures = (week.questions, week.answered, week.abstained, week.good, week.poor, words)
    return ("week", week.begins.isoformat(), space_words(week.space), "", *figures, None, "")


def _filters(report: Report, weeks: int, space: str) -> str:
    """How many weeks, which space where there are several, and the way to the file."""
    spans = "".join(_option(str(count), f"{count} weeks", chosen=count == weeks) for count in sorted({*CHOICES, weeks}))
    picked = ""
    if len(report.spaces) > 1:
        names = [_option(name, space_words(name), chosen=name == space) for name in report.spaces if name]
        picked = (
            '<label class="pick">Space <select data-filter="space"><option value="">All</option>'
            f"{''.join(names)}</select></label>"
        )
    query = urlencode({"weeks": weeks, **({"space": space} if space else {})})
    return (
        f'<div class="filters"><label class="pick">The last <select data-filter="weeks">{spans}</select></label>'
        f'{picked}<a class="quiet" href="/report.csv?{escape(query)}" download>Save as CSV</a></div>'
        '<p class="told">Weeks begin on Monday, in UTC. Questions are counted without who asked them.</p>'
    )


def _option(value: str, words: str, *, chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if chosen else ""}>{escape_name(words)}</option>'


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _plot(svg: str, caption: str) -> str:
    return f'<figure class="plot">{svg}<figcaption>{caption}</figcaption></figure>'


def _questions(report: Report) -> str:
    together = report.together
    labels = [_day(week.begins) for week in together]
    answered, abstained = [week.answered for week in together], [week.abstained for week in together]
    svg = paired_bars(
        labels, abstained, answered, "Questions by week, not answered and answered", ("not answered", "answered")
    )
    asked, told, untold = sum(week.questions for week in together), sum(answered), sum(abstained)
    other = asked - told - untold
    rest = f" Stopped, cut off or failed: {number(other)}." if other else ""
    return (
        f"<section><h2>Questions ({number(asked)})</h2><p>Answered: {number(told)}. Not answered, because no passage "
        f"came close enough: {number(untold)}.{rest}</p>"
        f"{_plot(svg, 'Coloured: answered. Grey: not answered.')}{_weeks(report)}</section>"
    )


def _weeks(report: Report) -> str:
    """All figures as a table: a line a week, or a line a week and space where several are shown."""
    several = len(report.shown) > 1
    lines = report.by_space if several else [week for week in report.together if week.questions]
    rows = "".join(
        _week_line(week, several=several) for week in sorted(lines, key=lambda one: one.begins, reverse=True)
    )
    heads = ("Answered", "Not answered", "Good", "Poor", "First words")
    figures = "".join(f'<th scope="col" class="figure">{head}</th>' for head in ("Questions", *heads))
    space = '<th scope="col">Space</th>' if several else ""
    note = '<p class="told">A question that was searched for in several spaces counts in each.</p>' if several else ""
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Questions by week"><table class="figures">'
        f'<thead><tr><th scope="col">Week of</th>{space}{figures}</tr></thead><tbody>{rows}</tbody></table></div>{note}'
    )


def _week_line(week: Week, *, several: bool) -> str:
    words = "" if week.first_words is None else seconds(week.first_words)
    figures = [number(count) for count in (week.questions, week.answered, week.abstained, week.good, week.poor)]
    cells = "".join(f'<td class="figure">{value}</td>' for value in (*figures, words))
    space = f'<td class="foreign space">{escape_name(space_words(week.space))}</td>' if several else ""
    return f'<tr><th scope="row">{_day(week.begins)}</th>{space}{cells}</tr>'


def _first_words(weeks: Sequence[Week]) -> str:
    if all(week.first_words is None for week in weeks):
        return ""
    values = [None if week.first_words is None else week.first_words / _MILLI for week in weeks]
    svg = bars([_day(week.begins) for week in weeks], values, "s", "Median time to the first words by week")
    told = "Half of the answers had begun to appear by then, counted from when the question was sent."
    return f"<section><h2>Time to the first words</h2>{_plot(svg, told)}</section>"


def _verdicts(weeks: Sequence[Week]) -> str:
    good, poor = [week.good for week in weeks], [week.poor for week in weeks]
    if not any((*good, *poor)):
        return "<section><h2>What readers said</h2><p>No answer of these weeks was judged.</p></section>"
    labels = [_day(week.begins) for week in weeks]
    svg = paired_bars(labels, poor, good, "Answers judged by week, poor and good", ("poor", "good"))
    told = f"Answers called good: {number(sum(good))}. Called poor: {number(sum(poor))}."
    return f"<section><h2>What readers said</h2><p>{told}</p>{_plot(svg, 'Coloured: good. Grey: poor.')}</section>"


def _gaps(gaps: Sequence[Missing], more: int) -> str:
    if not gaps:
        return "<section><h2>What is missing</h2><p>Every question found a passage.</p></section>"
    rows = "".join(
        f'<tr><th scope="row" class="foreign">{escape(one.question)}</th><td class="figure">{number(one.times)}</td>'
        f"<td>{time_html(one.last)}</td></tr>"
        for one in gaps
    )
    further = f'<p class="told">and {counted(more, "other question")}, each asked less often</p>' if more else ""
    return (
        '<section><h2>What is missing</h2><p class="told">Questions that no passage came close enough to, the most '
        'frequent first.</p><table class="figures missing-list"><thead><tr><th scope="col">Question</th>'
        '<th scope="col" class="figure">Asked</th><th scope="col">Last</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{further}</section>"
    )


def _documents(documents: Sequence[Used], *, several: bool) -> str:
    cited = [one for one in documents if one.answers]
    never = [one for one in documents if not one.answers]
    most = _listed(cited, "Most cited", "No answer of these weeks cites a document.", _cited_row, several=several)
    unused = _listed(never, "Never cited", "Every document was cited.", _never_row, several=several)
    return f"<section><h2>Documents</h2>{most}{unused}</section>"


def _listed(documents: Sequence[Used], title: str, nothing: str, row: Callable[[Used], str], *, several: bool) -> str:
    """A table of documents; what goes beyond the first few is folded away."""
    if not documents:
        return f"<h3>{title}</h3><p>{nothing}</p>"
    first, rest = documents[:LISTED], documents[LISTED : LISTED * 20]
    head = f"<h3>{title} ({number(len(documents))})</h3>{_document_table(first, row, several=several)}"
    if not rest:
        return head
    left = len(documents) - len(first) - len(rest)
    words = f'<p class="told">and {number(left)} more, which the CSV names</p>' if left else ""
    return (
        f'{head}<details class="as-table"><summary>{counted(len(rest), "more document")}</summary>'
        f"{_document_table(rest, row, several=several)}{words}</details>"
    )


def _document_table(documents: Sequence[Used], row: Callable[[Used], str], *, several: bool) -> str:
    rows = "".join(
        f'<tr><th scope="row" class="foreign">{escape_name(one.title)}</th>'
        f"{_space_cell(one.space) if several else ''}{row(one)}</tr>"
        for one in documents
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Documents"><table class="figures">'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _space_cell(space: str) -> str:
    return f'<td class="foreign space">{escape_name(space)}</td>'


def _cited_row(one: Used) -> str:
    return f'<td class="figure">by {counted(one.answers, "answer")}</td>'


def _never_row(one: Used) -> str:
    return f'<td class="figure">here since {time_html(one.added)}</td>'


def _stale(stale: Sequence[Stale]) -> str:
    if not stale:
        return ""
    rows = "".join(
        f'<tr><th scope="row" class="foreign">{escape(one.question)}</th><td>{escape(one.why)}</td></tr>'
        for one in stale
    )
    return (
        f"<section><h2>Approved answers to look at ({number(len(stale))})</h2>"
        f'<table class="figures"><tbody>{rows}</tbody></table></section>'
    )

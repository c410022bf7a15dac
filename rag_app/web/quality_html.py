"""The Quality page as escaped HTML: evaluations with their plots, what failed, models, what was not answered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rag_app.escape import escape, escape_name
from rag_app.evaluate.metrics import METRICS
from rag_app.evaluate.plots import paired_bars
from rag_app.evaluate.records import BASES, RERANKED
from rag_app.evaluate.report import NONE, RANKS
from rag_app.unanswered import Missing
from rag_app.web.models_html import models_html, time_html
from rag_app.web.office import Evaluations, Rerankers
from rag_app.web.render import counted, number

METRIC_WORDS = {
    "recall@50": "right passage among the first 50",
    "hit@3": "right passage among the first 3",
    "mrr@10": "how high the first right one stands (MRR of 10)",
    "ndcg@10": "order of the first 10 (nDCG)",
}
NO_RUN = "Nothing was measured yet. Run this on the server, over PDFs with questions whose pages you know:"
EVALUATE = "rag evaluate FOLDER"
TRAIN = "rag train"
_EVEN = 0.0005  # a difference below it is shown as none
Result = Mapping[str, Any]


def quality_html(
    evaluations: Evaluations, rerankers: Rerankers, missing: Sequence[Missing], chosen: str, against: str
) -> str:
    """The page; `chosen` and `against` are the names of two results, "" for the newest and the one before it."""
    return (
        '<h1>Quality</h1><div class="quality">'
        f"{_evaluations(evaluations, chosen, against)}{models_html(rerankers, TRAIN)}{_missing(missing)}</div>"
    )


def command_html(command: str) -> str:
    """A command to be copied."""
    return (
        f'<p class="command"><code>{escape(command)}</code>'
        f'<button type="button" class="quiet" data-copy="{escape(command)}">Copy</button></p>'
    )


def _evaluations(evaluations: Evaluations, chosen: str, against: str) -> str:
    faults = "".join(f'<p class="notice">{escape(fault)}</p>' for fault in evaluations.faults)
    results = evaluations.results
    if not results:
        told = f"{faults}<p>{NO_RUN}</p>{command_html(EVALUATE)}"
        return f"<section><h2>How well the right page is found</h2>{told}</section>"
    shown = next((one for one in results if one["name"] == chosen), results[0])
    earlier = _compared(results, shown, against)
    return (
        "<section><h2>How well the right page is found</h2>"
        f"{faults}{_runs(results, shown, earlier)}{_head(shown)}{_figures(shown, earlier)}{_plot(shown)}"
        f'{_failures(shown)}<p class="told">To measure again, or another set:</p>{command_html(EVALUATE)}</section>'
    )


def _compared(results: Sequence[Result], shown: Result, against: str) -> Result | None:
    """The result to compare with: the one asked for, or the one before it of the same set and as many questions."""
    others = [one for one in results if one["name"] != shown["name"]]
    named = next((one for one in others if one["name"] == against), None)
    same = (shown["dataset"], shown["questions"])
    return named or next(
        (one for one in others if (one["dataset"], one["questions"]) == same and one["made"] < shown["made"]), None
    )


def _runs(results: Sequence[Result], shown: Result, earlier: Result | None) -> str:
    """Which result is shown and which it is compared with."""
    if len(results) == 1:
        return ""
    before = "" if earlier is None else str(earlier["name"])
    none = '<option value="">none</option>'
    others = "".join(_run(one, before) for one in results if one is not shown)
    return (
        '<div class="filters"><label class="pick">Evaluation '
        f'<select data-filter="run">{"".join(_run(one, str(shown["name"])) for one in results)}</select></label>'
        '<label class="pick">compared with <select data-filter="against">'
        f"{'' if before else none}{others}</select></label></div>"
    )


def _run(one: Result, chosen: str) -> str:
    name = str(one["name"])
    selected = " selected" if name == chosen else ""
    made = str(one["made"])[:16].replace("T", " ")
    return f'<option value="{escape(name)}"{selected}>{escape_name(str(one["dataset"]))}, {escape(made)}</option>'


def _head(shown: Result) -> str:
    settings = shown["settings"]
    return (
        f'<p class="told"><span class="foreign">{escape_name(str(shown["dataset"]))}</span>: '
        f"{counted(int(shown['questions']), 'question')} over {counted(int(shown['passages']), 'passage')}, measured "
        f'{time_html(str(shown["made"]))} with the reranker <span class="foreign">{escape_name(str(shown["reranker"]))}'
        f"</span>, which read {number(int(settings['candidates']))} passages a question.</p>"
    )


def _figures(shown: Result, earlier: Result | None) -> str:
    """A line for each measure of the application's own search, before and after reranking, and what it was earlier."""
    base = BASES[-1]
    rows = "".join(_figure(metric, shown, earlier, base) for metric in METRICS)
    than = f'<th scope="col" class="figure">{"earlier" if earlier else ""}</th>' if earlier else ""
    words = (
        "Where the interval of what it adds does not hold 0, it is more than the chance of which questions were drawn."
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Figures"><table class="figures measures"><thead><tr>'
        '<th scope="col">Meaning and words joined</th><th scope="col" class="figure">before reranking</th>'
        f'<th scope="col" class="figure">after</th><th scope="col" class="figure">it adds</th>{than}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="told">{words}</p>'
    )


def _figure(metric: str, shown: Result, earlier: Result | None, base: str) -> str:
    stages, lift = shown["stages"], shown["lift"][base]
    low, high = lift["ci95"][metric]
    cells = [
        f"{stages[base][metric]:.3f}",
        f"<strong>{stages[base + RERANKED][metric]:.3f}</strong>",
        f"{lift[metric]:+.3f}<small>{low:+.3f} to {high:+.3f}</small>",
    ]
    if earlier is not None:
        was = float(earlier["stages"][base + RERANKED][metric])
        change = float(stages[base + RERANKED][metric]) - was
        cells.append(f"{was:.3f}<small>{_change(change)}</small>")
    names = ("before reranking", "after", "it adds", "earlier")
    row = "".join(
        f'<td class="figure" data-label="{name}">{cell}</td>' for name, cell in zip(names, cells, strict=False)
    )
    return f'<tr><th scope="row">{METRIC_WORDS[metric]}</th>{row}</tr>'


def _change(change: float) -> str:
    if abs(change) < _EVEN:
        return "the same since"
    return f"{'better' if change > 0 else 'worse'} since by {abs(change):.3f}"


def _plot(shown: Result) -> str:
    labels = [*(label for label, _ in RANKS), NONE]
    ranks = shown["ranks"][BASES[-1]]
    before, after = [int(count) for count in ranks["before"]], [int(count) for count in ranks["after"]]
    told = "Rank of the first right passage, before and after reranking"
    rows = "".join(
        f'<tr><th scope="row">{label}</th><td class="figure">{number(first)}</td>'
        f'<td class="figure">{number(second)}</td></tr>'
        for label, first, second in zip(labels, before, after, strict=True)
    )
    return (
        f'<figure class="plot">{paired_bars(labels, before, after, told)}<figcaption>Questions by the rank of their '
        "first right passage: grey before, coloured after reranking</figcaption></figure>"
        '<details class="as-table"><summary>The same as a table</summary><table class="figures"><thead><tr>'
        '<th scope="col">Rank</th><th scope="col" class="figure">before</th><th scope="col" class="figure">after</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _failures(shown: Result) -> str:
    """The questions without a right passage among the first three, each with what stood there instead."""
    count, told = int(shown["failed"]), shown["failures"]
    if not count:
        return "<h3>No question failed</h3>"
    more = f'<p class="told">and {counted(count - len(told), "other")}</p>' if count > len(told) else ""
    return (
        f"<h3>{counted(count, 'question')} without a right passage among the first three</h3>"
        f'<div class="failures">{"".join(_failure(one) for one in told)}</div>{more}'
    )


def _failure(one: Result) -> str:
    pages = "; ".join(f"{escape_name(str(right['document']))}, page {int(right['page'])}" for right in one["right"][:3])
    where = f"found at {int(one['rank'])}" if one["rank"] else "not found"
    rows = "".join(_found(place, found) for place, found in enumerate(one["found"], start=1))
    return (
        f'<details><summary><span class="foreign">{escape(str(one["question"]))}</span> '
        f'<span class="told">{where}</span></summary><p class="told">Right would have been: '
        f'<span class="foreign">{pages}</span></p><ol class="found-instead">{rows}</ol></details>'
    )


def _found(place: int, found: Result) -> str:
    relevance = "" if found["relevance"] is None else f", relevance {float(found['relevance']):.2f}"
    right = ' <strong class="good">right</strong>' if found["right"] else ""
    return (
        f'<li value="{place}"><span class="where"><span class="foreign">{escape_name(str(found["document"]))}</span>, '
        f"page {int(found['page'])}{relevance}{right}</span>"
        f'<blockquote class="foreign">{escape(str(found["text"]))}</blockquote></li>'
    )


def _missing(missing: Sequence[Missing]) -> str:
    words = (
        "Questions of everybody who asks here that no passage came close enough to, without who asked. Add a document "
        "that holds the answer, and ask again."
    )
    if not missing:
        return "<section><h2>Questions without an answer</h2><p>None so far.</p></section>"
    rows = "".join(
        f'<tr><th scope="row" class="foreign">{escape(one.question)}</th><td class="figure">{number(one.times)}</td>'
        f"<td>{time_html(one.last)}</td></tr>"
        for one in missing
    )
    return (
        f'<section><h2>Questions without an answer ({number(len(missing))})</h2><p class="told">{words}</p>'
        '<table class="figures missing-list"><thead><tr><th scope="col">Question</th>'
        '<th scope="col" class="figure">Asked</th><th scope="col">Last</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )

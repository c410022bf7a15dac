"""A run as one page of HTML that asks for nothing outside itself. Pure; everything that others wrote is escaped."""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_app.escape import escape, escape_name
from rag_app.evaluate.answers import FALSE_REFUSAL, NAMES, AnswerFigures
from rag_app.evaluate.metrics import METRICS, NDCG, first_right, measured
from rag_app.evaluate.plots import Bin, line_chart, paired_bars, reliability, sorted_bars
from rag_app.evaluate.records import BASES, DENSE, RERANKED, Outcome, Run
from rag_app.evaluate.summary import MISSING, RIGHT, WRONG, Figure, Summary

BINS = 10  # equally wide
SHOWN = 10  # questions listed at either end
RANKS = (("1", 1), ("2", 2), ("3", 3), ("4 to 5", 5), ("6 to 10", 10), ("11 to 50", 50))  # label, last rank in it
NONE = "not found"
_EVEN = 1e-9  # a difference below it is none
GROUP_NAMES = {
    RIGHT: "dense put a right one first",
    WRONG: "dense found it, not first",
    MISSING: "not among the 50 of dense",
}
STYLE = """
:root{--ground:#fbfaf7;--ink:#1c1b19;--muted:#5c5850;--accent:#0b5f6b;--bad:#a3231f;--hair:#d9d5cc;--before:#a8a297}
@media (prefers-color-scheme:dark){:root{--ground:#14161a;--ink:#eceae4;--muted:#a9a69d;--accent:#6cc5d0;--bad:#f2938c;
--hair:#34383f;--before:#6b6f78}}
body{background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem}p,figcaption,dt{color:var(--muted)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--hair);text-align:right;vertical-align:top}
th:first-child,td:first-child{text-align:left}td small{color:var(--muted);display:block}
th.text{font-weight:400;overflow-wrap:anywhere;min-width:9rem}
figure{margin:1rem 0}svg{width:100%;max-width:40rem;height:auto}svg text{fill:var(--muted);font-size:12px}
.before{fill:var(--before)}.after{fill:var(--accent)}.loss{fill:var(--bad)}
.curve{fill:none;stroke:var(--accent);stroke-width:2}
.grid{stroke:var(--hair)}.ideal{stroke:var(--muted);stroke-dasharray:4 4}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # no outside request, whatever the text holds


def report(run: Run, figures: Summary, made: str) -> str:
    """The page; `made` is the date and time shown on it."""
    sections = [
        _head(run, made),
        _left_out(run),
        _stages(figures),
        _lifts(figures),
        _groups(figures),
        _ranks(run.outcomes),
        _by_question(run.outcomes),
        _calibration(run.outcomes),
        _answers(figures),
    ]
    title = f"Evaluation of {escape_name(run.dataset.name)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{''.join(sections)}</body></html>\n"
    )


def bins_of(outcomes: Sequence[Outcome]) -> tuple[list[Bin], float]:
    """The passages shown, by relevance, and the expected calibration error (Naeini et al., AAAI 2015), 0 to 1."""
    pairs = [pair for outcome in outcomes for pair in outcome.chances]
    if not pairs:
        return [], 0.0
    relevance, right = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs], dtype=float)
    which = np.minimum((relevance * BINS).astype(int), BINS - 1)
    bins = [
        Bin(float(relevance[which == place].mean()), float(right[which == place].mean()), int((which == place).sum()))
        for place in range(BINS)
        if (which == place).any()
    ]
    error = sum(one.passages * abs(one.relevance - one.right) for one in bins) / len(pairs)
    return bins, error


def rank_counts(outcomes: Sequence[Outcome], stage: str) -> list[int]:
    """How many questions have their first right passage at each of RANKS, and last how many have none."""
    counts = [0] * (len(RANKS) + 1)
    for outcome in outcomes:
        rank = first_right(outcome.rankings[stage].gains)
        place = next((n for n, (_, last) in enumerate(RANKS) if rank is not None and rank <= last), len(RANKS))
        counts[place] += 1
    return counts


def _head(run: Run, made: str) -> str:
    facts = {
        "questions": f"{len(run.outcomes):,}",
        "passages": f"{len(run.dataset.passages):,}",
        "embedding model": escape_name(run.embedder),
        "reranker": escape_name(run.reranker),
        "seed": str(run.seed),
        "pages away that count as right": str(run.page_tolerance),
        "made": escape(made),
    }
    return _table(("", ""), list(facts.items()))


def _stages(figures: Summary) -> str:
    rows = [
        (stage, *(_cell(own[metric]) for metric in METRICS), f"{figures.ms[stage]:,.1f}")
        for stage, own in figures.stages.items()
    ]
    told = "Each with its 95 % interval. Milliseconds are the median of a question, as it was when first computed."
    return f"<h2>How well each stage finds</h2><p>{told}</p>{_table(('', *METRICS, 'ms'), rows)}"


def _lifts(figures: Summary) -> str:
    rows = [(base, *(_cell(own[metric], sign="+") for metric in METRICS)) for base, own in figures.lifts.items()]
    told = (
        "Reranked minus not, question by question. Where the interval does not hold 0, the difference is more than "
        "the chance of which questions were asked."
    )
    return f"<h2>What reranking adds</h2><p>{told}</p>{_table(('', *METRICS), rows)}"


def _groups(figures: Summary) -> str:
    rows = [
        (GROUP_NAMES[group], f"{count:,}", *(_means(stages, stage) for stage in (DENSE, DENSE + RERANKED)))
        for group, (count, stages) in figures.groups.items()
    ]
    told = f"{NDCG} by what dense retrieval alone made of the question."
    return f"<h2>Where it adds</h2><p>{told}</p>{_table(('', 'questions', DENSE, DENSE + RERANKED), rows)}"


def _means(stages: Mapping[str, Mapping[str, float]], stage: str) -> str:
    return f"{stages[stage][NDCG]:.3f}" if stages else "-"


def _ranks(outcomes: Sequence[Outcome]) -> str:
    labels = [*(label for label, _ in RANKS), NONE]
    figures = [
        _figure(
            paired_bars(
                labels,
                rank_counts(outcomes, base),
                rank_counts(outcomes, base + RERANKED),
                f"Rank of the first right passage, {base}, before and after reranking",
            ),
            f"{base}: grey before, coloured after reranking",
        )
        for base in BASES
    ]
    return f"<h2>Rank of the first right passage</h2><p>Questions at each rank.</p>{''.join(figures)}"


def _by_question(outcomes: Sequence[Outcome]) -> str:
    place = METRICS.index(NDCG)
    lifts = [
        measured(outcome.rankings[DENSE + RERANKED].gains, outcome.question.targets)[place]
        - measured(outcome.rankings[DENSE].gains, outcome.question.targets)[place]
        for outcome in outcomes
    ]
    better, worse = (sum(sign * lift > _EVEN for lift in lifts) for sign in (1, -1))
    told = f"{better:,} questions gain, {worse:,} lose, {len(lifts) - better - worse:,} stay."
    plot = _figure(
        sorted_bars(lifts, f"Difference of {NDCG} for each question"), f"{NDCG}, {DENSE}{RERANKED} minus {DENSE}"
    )
    order = sorted(range(len(outcomes)), key=lambda index: -lifts[index])
    helped = [_asked(outcomes[index], lifts[index]) for index in order[:SHOWN] if lifts[index] > _EVEN]
    hurt = [_asked(outcomes[index], lifts[index]) for index in order[::-1][:SHOWN] if lifts[index] < -_EVEN]
    heads = ("question", "rank before", "after", "difference")
    return (
        f"<h2>Lift by question</h2><p>{told}</p>{plot}"
        + (f"<h3>Most helped</h3>{_table(heads, helped)}" if helped else "")
        + (f"<h3>Most hurt</h3>{_table(heads, hurt)}" if hurt else "")
    )


def _asked(outcome: Outcome, lift: float) -> tuple[str, ...]:
    ranks = (first_right(outcome.rankings[stage].gains) for stage in (DENSE, DENSE + RERANKED))
    return (escape(outcome.question.text), *("-" if rank is None else str(rank) for rank in ranks), f"{lift:+.3f}")


def _calibration(outcomes: Sequence[Outcome]) -> str:
    bins, error = bins_of(outcomes)
    if not bins:
        return "<h2>Calibration</h2><p>This reranker orders passages without telling how relevant they are.</p>"
    told = (
        "The relevance of the passages that an answer would be made from, against the share of them that is right. "
        f"Expected calibration error {error:.3f}. Passages that nobody judged count as wrong, so a set that was judged "
        "sparsely shows points below the line."
    )
    return f"<h2>Calibration</h2><p>{told}</p>{_figure(reliability(bins, 'Relevance against share right'), '')}"


def _answers(figures: Summary) -> str:
    """What was answered and cited, and both errors of abstaining; nothing where only the search was measured."""
    own = figures.answers
    if own is None:
        return ""
    speaker = f"Written by {escape_name(own.model)}" if own.model else "Quoted from the passages"
    told = f"{speaker}; {own.answerable:,} questions with an answer in the set and {own.unanswerable:,} without."
    if own.fell_back:
        told += f" {own.fell_back:,} were quoted because the language model failed."
    rows = [
        (NAMES[name], f"{share.value:.3f}<small>{share.low:.3f} to {share.high:.3f}</small>", f"{share.of:,.0f}")
        for name, share in own.shares.items()
    ]
    shares = _table(("", "share", "of"), rows)
    return f"<h2>Answers</h2><p>{told}</p>{shares}{_refusals(own)}"


def _refusals(own: AnswerFigures) -> str:
    """Both errors at other thresholds than the one in use."""
    rows = [
        (
            f"{point.threshold:.3f}",
            f"{point.false_refusal:.0%}",
            "-" if point.abstention is None else f"{point.abstention:.0%}",
        )
        for point in own.curve
    ]
    told = f"By relevance alone; the threshold in use is {own.threshold:.3f}."
    heads = ("threshold", "answerable refused", "unanswerable refused")
    plot = ""
    found = [(point.false_refusal, point.abstention) for point in own.curve if point.abstention is not None]
    if found and FALSE_REFUSAL in own.shares:
        caption = "Unanswerable questions refused against answerable ones refused; dashed: refused in use"
        axes = ("answerable refused", "unanswerable refused")
        plot = _figure(line_chart(found, axes, own.shares[FALSE_REFUSAL].value, caption), caption)
    return f"<h2>When it abstains</h2><p>{told}</p>{plot}{_table(heads, rows)}"


def _left_out(run: Run) -> str:
    notices = "".join(f"<li>{escape(notice)}</li>" for notice in run.dataset.notices)
    return f"<h2>To know when reading this</h2><ul>{notices}</ul>" if notices else ""


def _cell(figure: Figure, sign: str = "") -> str:
    return f"{figure.mean:{sign}.3f}<small>{figure.low:{sign}.3f} to {figure.high:{sign}.3f}</small>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f'<th scope="col">{head}</th>' for head in heads) if any(heads) else ""
    body = "".join(
        f'<tr><th scope="row" class="text">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'

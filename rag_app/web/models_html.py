"""The rerankers of a home as escaped HTML: which one answers and what each measured. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rag_app.escape import escape, escape_name
from rag_app.rerank.store import HIT, NDCG
from rag_app.web.office import Rerankers
from rag_app.web.render import counted


def time_html(moment: str) -> str:
    """A moment (ISO 8601) as a day; as it is where it is none."""
    try:
        day = datetime.fromisoformat(moment)
    except ValueError:
        return escape(moment)
    return f'<time datetime="{escape(moment)}">{day.day} {day:%B %Y}</time>'


def models_html(rerankers: Rerankers, train: str) -> str:
    """The models trained here beside the one that shipped; `train` is the command that makes another."""
    fault = f'<p class="notice">{escape(rerankers.fault)}</p>' if rerankers.fault else ""
    shipped = rerankers.live in ("", "bundled")
    live = "the one that shipped" if shipped else f'<span class="foreign">{escape_name(rerankers.live)}</span>'
    words = (
        "Verdicts on answers (Good, Poor) can train a reranker of your own. It is compared on questions it has not "
        "seen, and answers only once it is promoted. On the server:"
    )
    return (
        f"<section><h2>Reranker</h2>{fault}<p>The reranker that answers is {live}.</p>{_table(rerankers)}"
        f'<p class="told">{words}</p><p class="command"><code>{escape(train)}</code>'
        f'<button type="button" class="quiet" data-copy="{escape(train)}">Copy</button></p></section>'
    )


def _table(rerankers: Rerankers) -> str:
    if not rerankers.records:
        return ""
    rows = "".join(_row(record, rerankers.live) for record in rerankers.records)
    names = ("Model", "Made", "Learned from", "Held out", "nDCG before", "after", "Handbook hit@3 before", "after")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Models trained here">'
        f'<table class="figures"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(record: Mapping[str, Any], live: str) -> str:
    held_out, handbook = record["held_out"], record["handbook"]
    kept = (
        ("not measured", "") if handbook is None else (_share(handbook["before"][HIT]), _share(handbook["after"][HIT]))
    )
    cells = (
        time_html(str(record["made"])),
        f'<span class="foreign">{escape_name(str(record["base"]))}</span>',
        counted(int(held_out["questions"]), "question"),
        _share(held_out["before"][NDCG]),
        _share(held_out["after"][NDCG]),
        *kept,
    )
    name, star = str(record["name"]), ' <strong class="good">answers</strong>'
    return (
        f'<tr><th scope="row"><span class="foreign">{escape_name(name)}</span>{star if name == live else ""}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    )


def _share(value: float) -> str:
    return f"{float(value):.3f}"

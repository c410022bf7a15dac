"""How an answer was found: all candidates with what each stage thought of them, as escaped HTML. Pure."""

from collections.abc import Sequence

from rag_app.candidates import Candidate
from rag_app.conversations import StoredAnswer, StoredTurn
from rag_app.escape import escape, escape_name
from rag_app.records import Timings
from rag_app.web.render import counted, seconds

_COLUMNS = ("Place", "Passage", "By meaning", "By words", "Joined", "Moved", "Relevance")
_LEGEND = (
    "Place: the order in the end, which is the cross-encoder's, except that no passage is used twice and that passages "
    "with the numbers and codes of the question are kept. By meaning: rank by cosine of the embeddings. By words: rank "
    "by BM25. Joined: place after both lists were joined by reciprocal rank. Relevance: the cross-encoder's calibrated "
    "probability that the passage answers the question."
)
_ORDERS = (
    ("After reranking", "found"),
    ("Before reranking", "found?before=true"),
    ("Both answers, side by side", "compared"),
)
_BOTH = 2  # the place of the last one
_NOT_FOUND = '<span class="none">\N{EN DASH}<span class="visually-hidden"> not found</span></span>'


def found_html(turn: StoredTurn, answer: StoredAnswer, found: Sequence[Candidate], *, reranked: bool = True) -> str:
    """The table of all candidates with the time of each stage above it; as it was, or as it stood before reranking."""
    kept = sum(candidate.used for candidate in found)
    ordered = sorted(found, key=lambda candidate: candidate.after if reranked else candidate.before)
    rows = "".join(row_html(candidate, turn.id) for candidate in ordered[:kept])
    rest = "".join(row_html(candidate, turn.id) for candidate in ordered[kept:])
    line = _line(kept, answer, reranked=reranked)
    body = (
        f"{_asked(turn, answer)}{_times(answer.timings)}"
        f'<p class="lift">{_lift(found, kept, abstained=answer.abstained)}</p>{_orders(turn, int(not reranked))}'
        f'{table_html(rows + line + rest)}<p class="legend">{_LEGEND}</p>'
    )
    return dialog_html("How this was found", "Candidates", body)


def both_html(turn: StoredTurn, answer: StoredAnswer, both: str) -> str:
    """What stands in the place of the table where `both` answers are compared."""
    return dialog_html("How this was found", "Both answers", f"{_asked(turn, answer)}{_orders(turn, _BOTH)}{both}")


def dialog_html(heading: str, name: str, body: str) -> str:
    """A whole dialog with its heading; `name` says what its body holds."""
    return (
        f'<div class="found"><div class="viewer-head"><h2 tabindex="-1">{heading}</h2>'
        '<button type="button" class="quiet" data-close>Close</button></div>'
        f'<div class="found-body" tabindex="0" role="group" aria-label="{name}">{body}</div></div>'
    )


def table_html(rows: str) -> str:
    """Rows of candidates under the names of their columns."""
    heads = "".join(f'<th scope="col" class="is-{_kind(name)}">{name}</th>' for name in _COLUMNS)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _kind(column: str) -> str:
    return column.lower().replace(" ", "-")


def _asked(turn: StoredTurn, answer: StoredAnswer) -> str:
    asked = f'<p class="found-for"><bdi>{escape(turn.question)}</bdi></p>'
    if answer.rewritten in ("", turn.question):
        return asked
    return f'{asked}<p class="found-for as">searched for: <q>{escape(answer.rewritten)}</q></p>'


def _times(timings: Timings) -> str:
    """The stages in a row, each as wide as it took long."""
    stages = [
        ("understanding", timings.rewrite),
        ("embedding the question", timings.embed),
        ("search by meaning", timings.dense),
        ("search by words", timings.lexical),
        ("reranking", timings.rerank),
        ("writing", timings.generate),
        ("checking", timings.check),
    ]
    ran = [(name, spent) for name, spent in stages if spent > 0]
    whole = sum(spent for _, spent in ran)
    if not whole:
        return ""
    items = "".join(
        f'<li style="flex-grow:{max(spent / whole, 0.01):.3f}"><i></i><span>{name}</span> '
        f"<strong>{seconds(spent)}</strong></li>"
        for name, spent in ran
    )
    return f'<ol class="stage-times" aria-label="Time of each stage">{items}</ol>'


def _lift(found: Sequence[Candidate], kept: int, *, abstained: bool) -> str:
    """What reranking changed, in a sentence."""
    read = [candidate for candidate in found if candidate.relevance is not None]
    if not read:
        return f"{counted(len(found), 'passage')} found; none was reranked."
    first, new = found[0], sum(candidate.before > kept for candidate in found[:kept])
    words = f"The cross-encoder read {counted(len(read), 'passage')}. "
    if first.moved > 0:
        words += f"It put first what the two searches together had at place {first.before}"
    else:
        words += "It left first what the two searches together had put first"
    words += f"; {new or 'none'} of the {kept} kept would have been missed without it." if kept else "."
    return words + (" None was relevant enough to answer from." if abstained else "")


def _orders(turn: StoredTurn, shown: int) -> str:
    """The switch between both orders and both answers; the place of the one `shown` is pressed."""
    buttons = "".join(
        f'<button type="button" class="order" data-found="/turns/{turn.id}/{address}" '
        f'aria-pressed="{"true" if place == shown else "false"}">{words}</button>'
        for place, (words, address) in enumerate(_ORDERS)
    )
    return f'<div class="orders" role="group" aria-label="What is shown">{buttons}</div>'


def _line(kept: int, answer: StoredAnswer, *, reranked: bool) -> str:
    """Between what the answer was made from and the rest."""
    use = "shown to you" if answer.abstained else "which the answer was made from"
    words = f"Above this line: the best {kept}, {use}"
    if not reranked:
        words = f"Above this line: the {kept} that the answer would have been made from without reranking"
    return f'<tr class="kept-line"><td colspan="{len(_COLUMNS)}">{words}</td></tr>' if kept else ""


def row_html(one: Candidate, turn_id: str = "") -> str:
    """A candidate as a row; of a turn where it was found for one, so that its page shows what was cited."""
    page = f"page {escape(one.label or str(one.page))}"
    view = f"/documents/{escape(one.document_id)}/view?page={one.page}"
    if one.source is not None and turn_id:
        view = f"/turns/{turn_id}/sources/{one.source}"
    role = "cited" if one.cited else "read" if one.used else ""
    tag = f'<span class="role {role}">{role}</span>' if role else ""
    cells = (
        ("By meaning", _rank(one.dense_rank, "cosine", one.cosine)),
        ("By words", _rank(one.lexical_rank, "BM25", one.bm25)),
        ("Joined", str(one.before)),
        ("Moved", _moved(one)),
        ("Relevance", _relevance(one.relevance)),
    )
    figures = "".join(f'<td class="is-{_kind(name)}" data-label="{name}">{value}</td>' for name, value in cells)
    return (
        f'<tr class="{"used" if one.used else "left"}"><td class="is-place" data-label="Place">{_place(one)}</td>'
        f'<th scope="row" class="is-passage"><button type="button" class="title foreign" data-view="{view}">'
        f"{escape_name(one.title)}, {page}</button>{tag}"
        f'<span class="text foreign">{escape(" ".join(one.text.split()))}</span></th>{figures}</tr>'
    )


def _place(one: Candidate) -> str:
    """The place in the end, and the reranker's own where a copy or a missing identifier made them differ."""
    own = f" <small>reranked {one.reranked}</small>" if one.reranked not in (None, one.after) else ""
    return f"{one.after}{own}"


def _rank(rank: int | None, name: str, score: float | None) -> str:
    if rank is None:
        return _NOT_FOUND
    return f'{rank} <small title="{name}">{score:.2f}</small>' if score is not None else str(rank)


def _moved(one: Candidate) -> str:
    if one.moved == 0:
        return '<span class="same" title="stayed">=</span>'
    up = one.moved > 0
    arrow = "\N{BLACK UP-POINTING TRIANGLE}" if up else "\N{BLACK DOWN-POINTING TRIANGLE}"
    word = "up" if up else "down"
    return (
        f'<span class="{word}"><span aria-hidden="true">{arrow}</span><span class="visually-hidden">{word}</span> '
        f"{abs(one.moved)}</span>"
    )


def _relevance(relevance: float | None) -> str:
    if relevance is None:
        return '<span class="none">not read</span>'
    return f'<span class="meter" aria-hidden="true"><i style="width:{100 * relevance:.0f}%"></i></span>{relevance:.2f}'

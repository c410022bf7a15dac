"""The guided tour: one question over the handbook in both orders, as escaped HTML. Pure."""

from rag_app.candidates import candidates
from rag_app.escape import escape, escape_name
from rag_app.records import Answer, Hit
from rag_app.tour import TOUR, Stop, compared
from rag_app.web.found_html import dialog_html, row_html, table_html
from rag_app.web.render import counted, match_words, shortened

SHOWN = 6  # candidates in the table of a stop
NO_HANDBOOK = (
    "The tour asks the handbook of this software, which is not in this library. Start the server with --handbook "
    'docs_corpus on an empty library, or open "How this was found" under any answer.'
)


def tour_html(number: int, answer: Answer) -> str:
    """Stop `number` (0-based) of the tour with what was found for its question."""
    stop = TOUR[number]
    found = candidates(answer, ())
    body = (
        f'<p class="stop">Question {number + 1} of {len(TOUR)}</p><p class="found-for">{escape(stop.question)}</p>'
        f'<p class="lift">{_told(stop, answer)}</p>{_firsts(answer)}'
        f"{table_html(''.join(row_html(one) for one in found[:SHOWN]))}{_turning(number)}"
    )
    return dialog_html("What reranking does", "One question of the tour", body)


def _told(stop: Stop, answer: Answer) -> str:
    """What happened, from the figures, and what it means."""
    both = compared(answer)
    read = counted(len(answer.hits), "passage")
    if not both.changed:
        told = f"The two searches together had already put the right passage first. The cross-encoder read {read} and "
        return told + "left it there: reranking changes an order only where it reads something better."
    place = both.before.index(both.after[0]) + 1
    told = f"The cross-encoder read {read} and put first what the two searches together had at place {place}."
    if not stop.changes:
        return told
    return told + " They compare a question with a passage by meaning and by words; it reads both together."


def _firsts(answer: Answer) -> str:
    both = compared(answer)
    first, was = both.after[0], both.before[0]
    if not both.changed:
        return f'<div class="both">{_card("First before and after", first)}</div>'
    return f'<div class="both">{_card("First before reranking", was)}{_card("First after reranking", first)}</div>'


def _card(name: str, hit: Hit) -> str:
    chunk, document = hit.chunk, hit.document
    relevance = hit.relevance or 0.0
    return (
        f'<section><h3>{name}</h3><button type="button" class="title foreign" '
        f'data-view="/documents/{escape(document.id)}/view?page={chunk.page}">{escape_name(document.title)}, '
        f"page {escape(chunk.label or str(chunk.page))}</button>"
        f'<span class="near-match">{match_words(relevance)}, {relevance:.2f}</span>'
        f'<p class="text foreign">{escape(shortened(" ".join(chunk.text.split()), 320))}</p></section>'
    )


def _turning(number: int) -> str:
    def button(step: int, words: str, kind: str) -> str:
        there = 0 <= number + step < len(TOUR)
        where = f'data-found="/tour/{number + step}"' if there else "disabled"
        return f'<button type="button" class="{kind}" {where}>{words}</button>'

    last = number + 1 == len(TOUR)
    end = '<button type="button" class="primary" data-close>Ask your own</button>'
    return (
        f'<p class="actions turning-tour">{button(-1, "Previous", "quiet")}'
        f"{end if last else button(1, 'Next question', 'primary')}</p>"
    )

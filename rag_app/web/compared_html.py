"""The same question with reranking and without, side by side, as escaped HTML. Pure."""

from collections.abc import Sequence

from rag_app.conversations import StoredAnswer, StoredTurn
from rag_app.copies import wording
from rag_app.escape import escape, escape_name
from rag_app.records import Citation
from rag_app.web.answer_text import answer_html
from rag_app.web.found_html import both_html
from rag_app.web.render import NOT_FOUND, counted, match_words, page_words, seconds, shortened


def compared_html(turn: StoredTurn, answer: StoredAnswer, other: StoredAnswer) -> str:
    """`answer` beside `other`, which was made without reranking, under a sentence that says what differs."""
    both = (
        f'<p class="lift">{_lift(answer, other)}</p><div class="both">'
        f"{_column(turn, 'With reranking', answer, other)}{_column(turn, 'Without reranking', other, answer)}</div>"
    )
    return both_html(turn, answer, both)


def _read(answer: StoredAnswer) -> list[Citation]:
    """The passages an answer was made from, the most relevant first."""
    return sorted(answer.sources, key=lambda source: -source.relevance)


def _lift(answer: StoredAnswer, other: StoredAnswer) -> str:
    """What reranking changed for this question, in words."""
    ours, theirs = _read(answer), _read(other)
    if not ours or not theirs:
        return "No passage was found, so there was nothing to rerank."
    known = {wording(source.passage) for source in theirs}
    new = [source for source in ours if wording(source.passage) not in known]
    if not new:
        return f"Reranking brought no other passage: the same {counted(len(ours), 'passage')} would have been used."
    words = f"Reranking brought {counted(len(new), 'passage')} that would not have been used without it. "
    best, was = ours[0].relevance, theirs[0].relevance
    if best > was:
        return words + (
            f"The best passage is a {match_words(best)} (relevance {best:.2f}); without reranking the best "
            f"is a {match_words(was)} ({was:.2f})."
        )
    return words + f"The best passage is the same in both, a {match_words(best)} (relevance {best:.2f})."


def _column(turn: StoredTurn, name: str, answer: StoredAnswer, other: StoredAnswer) -> str:
    spent = answer.timings
    found = spent.embed + spent.dense + spent.lexical
    took = f"search {seconds(found)}, reranking {seconds(spent.rerank)}" if spent.rerank else f"search {seconds(found)}"
    said = f'<p class="none-found">{NOT_FOUND}</p>' if answer.abstained else _said(turn, answer)
    elsewhere = {wording(source.passage) for source in other.sources}
    return (
        f"<section><h3>{name}</h3>{said}<h4>{'Nearest passages' if answer.abstained else 'Made from'}</h4>"
        f'<ol class="made-from">{_passages(_read(answer), elsewhere)}</ol><p class="took">{took}</p></section>'
    )


def _said(turn: StoredTurn, answer: StoredAnswer) -> str:
    """The answer; its marks are numbers here, because the buttons stand with the turn itself."""
    return answer_html(turn.id, answer.text, answer.sentences, ())


def _passages(sources: Sequence[Citation], elsewhere: set[str]) -> str:
    return "".join(_passage(source, alone=wording(source.passage) not in elsewhere) for source in sources)


def _passage(source: Citation, *, alone: bool) -> str:
    tag = '<span class="role only">only here</span>' if alone else ""
    text = shortened(" ".join((source.quote or source.passage).split()))
    return (
        f'<li><button type="button" class="title foreign" data-view="/documents/{escape(source.document_id)}/view'
        f'?page={source.page}">{escape_name(source.title)}, {escape(page_words(source))}</button>{tag}'
        f'<span class="near-match">{match_words(source.relevance)}, {source.relevance:.2f}</span>'
        f'<span class="text foreign">{escape(text)}</span></li>'
    )

"""A shared conversation as a document of its own, without scripts: what one reader may see of it. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from rag_app.conversations import StoredAnswer, StoredTurn
from rag_app.escape import escape, escape_name
from rag_app.records import Citation, Mode
from rag_app.team.sharing import Seen, left_out
from rag_app.team.wording import identifier_of
from rag_app.web.answer_text import answer_html, source_place
from rag_app.web.render import NOT_FOUND, NOTHING_NEAR, counted, marked_passage, match_words, page_words, speaker_words

_EMPTY = "Nothing of this conversation is finished yet."


def shared_html(name: str, owner: str, made: str, seen: Sequence[Seen], held: Collection[str], address: str) -> str:
    """The page: `name` of the conversation, its `owner` ("" for nobody registered), and what may be seen of it.

    `made` is when the link was, in ISO 8601; `held` are ids of documents whose pages can be opened; `address` is the
    page's own.
    """
    title = escape(" ".join(name.split()))
    by = f"Shared by <strong><bdi>{escape_name(owner)}</bdi></strong>, " if owner else "Shared "
    turns = "".join(_turn(one, held) for one in seen) or f'<p class="none">{_EMPTY}</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/ui/app.css"><link rel="stylesheet" href="/ui/shared.css">'
        '</head><body class="login shared"><header><a class="brand" href="/">Ask your PDFs</a>'
        f'<a class="quiet" href="{escape(address)}.md" download>Save as Markdown</a></header>'
        f'<main><h1 class="foreign">{title}</h1>'
        f'<p class="by">{by}as it stood on {_day(made)}. {counted(len(seen), "question")}, only to be read.</p>'
        f"{turns}</main></body></html>"
    )


def _turn(seen: Seen, held: Collection[str]) -> str:
    turn = seen.turn
    heading = f'<h2 id="asked-{turn.id}" class="foreign">{escape(turn.question)}</h2>'
    parts = [f'<article aria-labelledby="asked-{turn.id}">{heading}<p class="when">Asked on {_day(turn.asked)}</p>']
    if turn.answer is not None:
        parts.append(_answer(turn, turn.answer, held))
    elif turn.failure:
        parts.append(f'<p class="notice">{escape(turn.failure)}</p>')
    words = left_out(seen)
    if words:
        parts.append(f'<p class="notice left-out">{words}</p>')
    return "".join([*parts, "</article>"])


def _answer(turn: StoredTurn, answer: StoredAnswer, held: Collection[str]) -> str:
    asides = [f"searched for: <q>{escape(answer.rewritten)}</q>"] if answer.rewritten != turn.question else []
    if turn.spaces and answer.spaces:
        asides.append(f"searched in: {', '.join(f'<bdi>{escape_name(space)}</bdi>' for space in answer.spaces)}")
    if turn.excluded:
        named = ", ".join(f"<bdi>{escape_name(one.title)}</bdi>, {escape(page_words(one))}" for one in turn.excluded)
        asides.append(f"made without: {named}")
    said = answer_html(turn.id, answer.text, answer.sentences, answer.citations, linked=True)
    if answer.abstained:
        said = f"<p>{NOT_FOUND if answer.sources or not answer.searched else NOTHING_NEAR}</p>"
    notice = f'<p class="notice">{escape(answer.notice)}</p>' if answer.notice else ""
    who = "" if answer.mode is Mode.ABSTAINED else f'<p class="who">{speaker_words(answer)}</p>'
    told = "".join(f'<p class="aside">{aside}</p>' for aside in asides)
    return f"{told}{said}{notice}{who}{_sources(turn, answer, held)}"


def _sources(turn: StoredTurn, answer: StoredAnswer, held: Collection[str]) -> str:
    """The cited passages open to view, the others folded away where there are both."""
    cards = [_card(turn, answer, index, source, held) for index, source in enumerate(answer.sources)]
    cited, others = cards[: len(answer.citations)], cards[len(answer.citations) :]
    if not cited:
        return _folded("Nearest passages", others, opened=True)
    return _folded("Sources", cited, opened=True) + _folded("Also read, not cited", others, opened=False)


def _folded(words: str, cards: Sequence[str], *, opened: bool) -> str:
    if not cards:
        return ""
    return (
        f"<details{' open' if opened else ''}><summary>{words} ({len(cards)})</summary>"
        f'<ol class="sources">{"".join(cards)}</ol></details>'
    )


def _card(turn: StoredTurn, answer: StoredAnswer, index: int, source: Citation, held: Collection[str]) -> str:
    cited = index < len(answer.citations)
    badge = f'<span class="badge">{source.marker}</span>' if cited else ""
    there = source.document_id in held and not identifier_of(source.path)
    address = f"/documents/{escape(source.document_id)}/pages/{source.page}.png"
    link = (
        f'<a href="{address}" target="_blank" rel="noopener">Open page<span class="visually-hidden"> {source.page} of '
        f"{escape_name(source.title)} in a new tab</span></a>"
    )
    return (
        f'<li id="{source_place(turn.id, index)}" tabindex="-1"><h3>{badge}<span class="foreign">'
        f"{escape_name(source.title)}</span></h3>"
        f'<p class="where"><span>{escape(page_words(source))}</span><span>{match_words(source.relevance)}</span>'
        f'{link if there else ""}</p><blockquote class="foreign">{marked_passage(source)}</blockquote></li>'
    )


def _day(moment: str) -> str:
    when = datetime.fromisoformat(moment)
    return f'<time datetime="{escape(moment)}">{when.day} {when:%B %Y}</time>'

"""An answer and its evidence as escaped HTML. Pure."""

import re
from collections.abc import Sequence

from rag_app.conversations import Excluded, StoredAnswer, StoredTurn, TurnState
from rag_app.escape import escape, escape_name
from rag_app.records import Citation, Mode, Sentence, Stage, Support
from rag_app.team.reply import answerable
from rag_app.team.wording import identifier_of
from rag_app.web.answer_text import answer_html

STRONG, FAIR = 0.5, 0.2  # relevance from which a match is called so: more likely than not, one in five

NOT_FOUND = "The documents do not seem to answer this. The nearest passages are below."
NOTHING_NEAR = "No passage comes close to this question. It may be about something not in the library."
_ENDINGS = {
    TurnState.STOPPED: "Stopped. What was written so far is kept.",
    TurnState.CUT: "The server stopped before this answer was finished. Ask again.",
}


def number(count: int) -> str:
    """1284 as 1,284."""
    return f"{count:,}"


def counted(count: int, word: str) -> str:
    """1 passage, 2 passages."""
    return f"{number(count)} {word}{'' if count == 1 else 's'}"


def seconds(milliseconds: float) -> str:
    """Milliseconds as people say them."""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{max(1, round(milliseconds))} ms"  # noqa: PLR2004


def stage_words(answer: StoredAnswer | None) -> str:
    """What is happening to a question, in the reader's words."""
    if answer is None:
        return "Reading your question"
    return {
        Stage.REWRITING: "Reading your question",
        Stage.SEARCHING: f"Searching {counted(answer.searched, 'passage')}" if answer.searched else "Searching",
        Stage.RERANKING: f"Reading the best {number(answer.read)}" if answer.read else "Reading the best passages",
        Stage.WRITING: "Writing",
        Stage.CHECKING: "Checking each sentence",
        Stage.DONE: "",
    }[answer.stage]


def match_words(relevance: float) -> str:
    """How strong a match is; figures stay out of the chat."""
    if relevance >= STRONG:
        return "strong match"
    return "fair match" if relevance >= FAIR else "weak match"


def page_words(place: Citation | Excluded) -> str:
    """The printed page, and the sheet where the two differ; of an approved answer who stands for it."""
    if isinstance(place, Citation) and identifier_of(place.path):
        return f"approved answer, {place.approved}" if place.approved else "approved answer"
    if place.label in ("", str(place.page)):
        return f"page {place.page}"
    own = not place.label.startswith(f"{place.page}, ")  # "3, lines 40 to 90" of a text says all of it
    return f"page {place.label} (sheet {place.page})" if own else f"page {place.label}"


def messages(turns: Sequence[StoredTurn]) -> list[dict[str, str]]:
    """Turns as the messages of a chat; only the last can be asked again or edited."""
    pairs = []
    for turn in turns:
        last = turn is turns[-1] and turn.state is not TurnState.WORKING
        pairs += [("user", question_html(turn, last=last)), ("assistant", turn_html(turn, last=last))]
    return [{"role": role, "content": content} for role, content in pairs]


def top_html(*, shown: int, held: int) -> str:
    """The row over a conversation that shows `shown` of its `held` turns.

    It leads to the list where that is folded away, and to the questions before those shown, as many again at a time.
    """
    earlier = held - shown
    anew = '<button type="button" class="quiet" data-fresh>New question</button>' if held else ""
    words = f"Show {counted(min(shown, earlier), 'earlier question')}" + (
        f" of {number(earlier)}" if earlier > shown else ""
    )
    more = f'<button type="button" class="quiet" data-earlier="{2 * shown}">{words}</button>'
    return (
        '<div class="top"><h1 class="visually-hidden">Ask</h1><button type="button" class="quiet" data-history '
        f'aria-controls="history" aria-expanded="false">Conversations</button>{more if earlier > 0 else ""}{anew}</div>'
    )


def question_html(turn: StoredTurn, *, last: bool = False) -> str:
    """The question as the reader wrote it."""
    edit = (
        f'<button type="button" class="act edit-question" id="edit-{turn.id}">Edit'
        '<span class="visually-hidden"> this question</span></button>'
    )
    return f'<div class="asked"><div class="question">{escape(turn.question)}</div>{edit if last else ""}</div>'


def turn_html(turn: StoredTurn, *, last: bool = False) -> str:
    """The answer of a turn, in whatever state it is; one line of HTML."""
    parts = [f'<div class="answer is-{turn.state}" id="turn-{turn.id}">', _put_aside(turn, last=last)]
    if turn.answer is not None:
        parts += _answer_parts(turn, turn.answer)
    elif turn.state is TurnState.WORKING:
        parts.append(f'<p class="stage">{stage_words(None)}</p>')
    if turn.failure:
        parts.append(f'<p class="notice">{escape(turn.failure)}</p>')
    if turn.state in _ENDINGS:
        parts.append(f'<p class="notice">{_ENDINGS[turn.state]}</p>')
    if turn.state is not TurnState.WORKING:
        parts.append(_acts(turn, last=last))
    return "".join([*parts, "</div>"])


def _put_aside(turn: StoredTurn, *, last: bool) -> str:
    """The passages the reader has put aside for this answer, each with the way back where it can be made again."""
    tags = "".join(
        f'<li><span class="foreign">{escape_name(one.title)}, {escape(page_words(one))}</span>'
        f"{_act(turn, 'restore', 'Use it again', place=place) if last else ''}</li>"
        for place, one in enumerate(turn.excluded)
    )
    return f'<div class="put-aside"><span>Made without</span><ul>{tags}</ul></div>' if tags else ""


def _answer_parts(turn: StoredTurn, answer: StoredAnswer) -> list[str]:
    working = turn.state is TurnState.WORKING
    parts = []
    if answer.rewritten and answer.rewritten != turn.question:
        parts.append(f'<p class="rewritten">searched for: <q>{escape(answer.rewritten)}</q></p>')
    if len(answer.spaces) > 1 or (turn.spaces and answer.spaces):
        names = ", ".join(f"<bdi>{escape_name(space)}</bdi>" for space in answer.spaces)
        parts.append(f'<p class="rewritten">searched in: {names}</p>')
    if working and answer.stage is not Stage.DONE:
        parts.append(f'<p class="stage">{stage_words(answer)}</p>')
    else:
        parts.append(_summary(turn, answer))
    parts.append(_said(turn, answer))
    if answer.notice and not answer.abstained:
        parts.append(_notice(answer))
    if not working:
        parts.append(_closing(answer))
    return parts


def _summary(turn: StoredTurn, answer: StoredAnswer) -> str:
    """The stages, folded into one line, which leads to what they did."""
    if not answer.read:
        return ""
    spent = answer.timings
    took = spent.rewrite + spent.embed + spent.dense + spent.lexical + spent.rerank
    kept = f", kept {number(answer.kept)}" if answer.kept and not answer.abstained else ""
    more = _act(turn, "found", "How this was found") if turn.state is TurnState.DONE else ""
    return f'<p class="folded"><span>Read {counted(answer.read, "passage")}{kept} ({seconds(took)})</span>{more}</p>'


def _said(turn: StoredTurn, answer: StoredAnswer) -> str:
    if answer.abstained:
        words = NOT_FOUND if answer.sources or not answer.searched else NOTHING_NEAR
        return f'<p class="none-found">{words}</p>{_notice(answer)}{_nearest(turn, answer)}'
    body = answer_html(turn.id, answer.text, answer.sentences, answer.citations)
    return body + (_nearest(turn, answer) if answer.mode is Mode.PASSAGES else "")


def _notice(answer: StoredAnswer) -> str:
    return f'<p class="notice">{escape(answer.notice)}</p>' if answer.notice else ""


def _nearest(turn: StoredTurn, answer: StoredAnswer) -> str:
    """The passages themselves, where they are all there is to show."""
    items = [
        f'<li><button type="button" class="cite near" id="cite-{turn.id}-{index}">{escape_name(source.title)}, '
        f'{escape(page_words(source))}</button><span class="near-match">{match_words(source.relevance)}</span>'
        f'<span class="near-text foreign">{escape(shortened(source.quote or source.passage))}</span></li>'
        for index, source in enumerate(answer.sources)
    ]
    return f'<ul class="nearest">{"".join(items)}</ul>' if items else ""


def shortened(text: str, limit: int = 220) -> str:
    """The beginning of a text, cut between two words."""
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def _closing(answer: StoredAnswer) -> str:
    """Who spoke and how long it took."""
    who = speaker_words(answer)
    spent = answer.timings
    found = spent.rewrite + spent.embed + spent.dense + spent.lexical
    took = [("search", found), ("reranking", spent.rerank), ("writing", spent.generate + spent.check)]
    times = " \N{MIDDLE DOT} ".join(f"{name} {seconds(value)}" for name, value in took if value > 0)
    return f'<p class="closing"><span class="who">{who}</span><span class="times">{times}</span></p>'


def _acts(turn: StoredTurn, *, last: bool) -> str:
    """What can be done with an answer. Gradio leaves a button its class, id and title, so the id names the turn."""
    answer, acts = turn.answer, []
    if answer is not None and answer.sources:
        what = "Sources" if answer.citations else "Nearest passages"
        shown = len(answer.citations) or len(answer.sources)
        acts.append(f'<button type="button" class="cite sources" id="cite-{turn.id}-all">{what} ({shown})</button>')
    if answer is not None and (answer.text or answer.abstained):
        acts.append(_act(turn, "copy", "Copy", " the answer with its sources"))
    if answerable(turn):
        acts.append(_act(turn, "reply", "Reply", " to the customer"))
    if answer is not None and turn.state is TurnState.DONE:
        acts.append(_act(turn, "approve", "Approve or correct", " this answer"))
    if last:
        acts.append(_act(turn, "again", "Ask again"))
    if answer is not None and turn.state is TurnState.DONE:
        acts.append(f'<span class="verdicts">{_verdict(turn, "good", "Good")}{_verdict(turn, "poor", "Poor")}</span>')
    return f'<div class="acts">{"".join(acts)}</div>' if acts else ""


def _act(turn: StoredTurn, name: str, words: str, more: str = "", *, place: int | None = None) -> str:
    further = f'<span class="visually-hidden">{more}</span>' if more else ""
    which = "" if place is None else f"-{place}"
    return f'<button type="button" class="act {name}-answer" id="{name}-{turn.id}{which}">{words}{further}</button>'


def _verdict(turn: StoredTurn, verdict: str, words: str) -> str:
    given = turn.verdict == verdict
    said = ' answer<span class="given">, as you said</span>'
    return (
        f'<button type="button" class="act judge {verdict}{" chosen" if given else ""}" id="{verdict}-{turn.id}">'
        f'<span class="thumb"></span><span class="word">{words}</span><span class="visually-hidden">{said}</span>'
        "</button>"
    )


def speaker_words(answer: StoredAnswer) -> str:
    """Who spoke, as HTML."""
    if answer.mode is Mode.MODEL:
        return f"Written by {escape_name(answer.model or 'the language model')} from {counted(answer.kept, 'passage')}"
    return {
        Mode.EXTRACTIVE: "Quoted from the documents, no model used",
        Mode.ABSTAINED: "Nothing was written",
        Mode.PASSAGES: "Passages only, nothing was written",
    }[answer.mode]


def evidence_html(turn: StoredTurn | None, chosen: int | None = None, *, last: bool = False) -> str:
    """The sources of a turn's answer, the `chosen` one (0-based) marked; or what will stand here.

    From the `last` answer of a conversation each of them can be put aside.
    """
    answer = turn.answer if turn is not None else None
    if turn is None or answer is None or not answer.sources:
        return (
            '<div class="evidence-empty"><h2 tabindex="-1">Evidence</h2>'
            "<p>The passages an answer rests on appear here, each with its page.</p></div>"
        )
    free = last and turn.state is not TurnState.WORKING
    cards = [_card(turn, answer, index, chosen, free=free) for index in range(len(answer.sources))]
    cited, others = cards[: len(answer.citations)], cards[len(answer.citations) :]
    title = "Evidence" if answer.citations else "Nearest passages"
    return (
        f'<div class="evidence" data-turn="{turn.id}"><div class="evidence-head"><h2 tabindex="-1">{title}</h2>'
        '<button type="button" class="quiet evidence-close" data-close-evidence>Close</button></div>'
        f'<p class="evidence-for">for \N{LEFT DOUBLE QUOTATION MARK}<bdi>{escape(shortened(turn.question, 120))}'
        f"</bdi>\N{RIGHT DOUBLE QUOTATION MARK}</p>"
        f"{''.join(cited)}{_also_read(cited, others)}</div>"
    )


def _also_read(cited: Sequence[str], others: Sequence[str]) -> str:
    if not others:
        return ""
    if not cited:
        return "".join(others)
    heading = f"Also read, not cited ({len(others)})"
    return f'<section class="also"><h3>{heading}</h3>{"".join(others)}</section>'


def _card(turn: StoredTurn, answer: StoredAnswer, index: int, chosen: int | None, *, free: bool) -> str:
    source = answer.sources[index]
    cited = index < len(answer.citations)
    badge = f'<span class="badge">{source.marker}</span>' if cited else ""
    strength = match_words(source.relevance)
    view = f"/turns/{turn.id}/sources/{index}"
    aside = (
        f'<button type="button" class="quiet aside" data-aside="{turn.id}-{index}" title="Answer again without this '
        'passage">Not this one</button>'
    )
    return (
        f'<article class="source{" chosen" if index == chosen else ""}" id="source-{index}" data-source="{index}">'
        f'<h3>{badge}<span class="foreign">{escape_name(source.title)}</span></h3>'
        f'<p class="where"><span>{escape(page_words(source))}</span>'
        f'<span class="match {strength.split()[0]}"><i></i><i></i><i></i>{strength}</span></p>'
        f'<blockquote class="foreign">{marked_passage(source)}</blockquote>'
        f"{_support(answer.sentences, source) if cited else ''}"
        f'<p class="actions"><button type="button" class="open" data-view="{view}">Open page</button>'
        f'<a class="quiet" href="/documents/{escape(source.document_id)}/original" download>Original</a>'
        f"{aside if free else ''}</p></article>"
    )


def _support(sentences: Sequence[Sentence], source: Citation) -> str:
    held = [one for one in sentences if source.marker in one.markers and one.support is Support.SUPPORTED]
    partly = [one for one in sentences if source.marker in one.markers and one.support is Support.PARTLY]
    words = []
    if held:
        words.append(f"\N{CHECK MARK} Supports {counted(len(held), 'sentence')}")
    if partly:
        words.append(
            f'<span class="part">\N{CIRCLE WITH LEFT HALF BLACK} {counted(len(partly), "sentence")} only in part</span>'
        )
    return f'<p class="supports">{", ".join(words)}</p>' if words else ""


def marked_passage(source: Citation) -> str:
    """The passage, with what completes it and the sentences that support the answer marked; spacing may differ."""
    words = source.quote.split()
    text = source.text
    found = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    if found is None:
        return escape(text)
    before, quote, after = text[: found.start()], text[found.start() : found.end()], text[found.end() :]
    return f"{escape(before)}<mark>{escape(quote)}</mark>{escape(after)}"

"""Answers as text to take away: a turn as plain text, a conversation as Markdown, both with their sources. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from rag_app.conversations import Excluded, StoredAnswer, StoredTurn, TurnState
from rag_app.records import Citation, Mode
from rag_app.team.replies import Copied
from rag_app.team.wording import identifier_of

NOTHING_FOUND = "The documents do not seem to answer this."
_ENDINGS = {
    TurnState.WORKING: "This answer was still being written.",
    TurnState.STOPPED: "Stopped before the answer was finished.",
    TurnState.CUT: "The server stopped before this answer was finished.",
}
# What Markdown gives a meaning to, wherever it stands; and what has one only where a line begins.
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&!]")
_LINE_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)
_MARKER = re.compile(r"\\\[(\d{1,3})\\\](?![:(])")  # before these two, brackets would begin a link
_NAME_LIMIT = 60  # characters of a file's name


def turn_text(turn: StoredTurn) -> str:
    """An answer as it is pasted elsewhere: its text with [1], then document, page and quote of each."""
    answer = turn.answer
    if answer is None:
        return turn.failure
    said = [answer.text or NOTHING_FOUND]
    if answer.citations:
        said += ["", "Sources", *(f"[{one.marker}] {_where(one)}{_quoted(one)}" for one in answer.citations)]
    return "\n".join(said) + "\n"


def conversation_markdown(
    name: str, turns: Sequence[StoredTurn], replies: Mapping[str, Sequence[Copied]] | None = None
) -> str:
    """A whole conversation: each question a heading, each answer with its sources under it.

    `replies` are what was copied to be sent to customers, by the id of the turn.
    """
    parts = [f"# {_inline(name)}"]
    for turn in turns:
        parts += [f"## {_inline(turn.question)}", f"*Asked {_moment(turn.asked)}*", *_answer(turn)]
        parts += [_copied(one) for one in (replies or {}).get(turn.id, ())]
    return "\n\n".join(parts) + "\n"


def _copied(reply: Copied) -> str:
    lines = "\n".join(f"> {line}" for line in _block(reply.text).split("\n"))
    return f"*Copied as a reply {_moment(reply.copied)}*\n\n{lines}"


def file_name(name: str) -> str:
    """The name of an exported file: letters and digits of the conversation's own."""
    words = re.sub(r"\W+", " ", name).strip()[:_NAME_LIMIT].strip()
    return f"{words or 'Conversation'}.md"


def _answer(turn: StoredTurn) -> list[str]:
    ending = [f"*{_ENDINGS[turn.state]}*"] if turn.state in _ENDINGS else []
    answer = turn.answer
    if answer is None:
        return [*([_block(turn.failure)] if turn.failure else []), *ending]
    text = _MARKER.sub(r"[\1]", _block(answer.text)) if answer.text else NOTHING_FOUND
    searched = [f"*Searched for: {_inline(answer.rewritten)}*"] if answer.rewritten not in ("", turn.question) else []
    if len(answer.spaces) > 1 or turn.spaces:
        searched.append(f"*Searched in: {', '.join(map(_inline, answer.spaces))}*")
    without = ", ".join(_inline(_where(one)) for one in turn.excluded)
    aside = [f"*Made without: {without}*"] if without else []
    return [*searched, *aside, text, *([_block(answer.notice)] if answer.notice else []), *ending, *_sources(answer)]


def _sources(answer: StoredAnswer) -> list[str]:
    said = [f"*{_speaker(answer)}*"] if answer.text else []
    if not answer.sources:
        return said
    cited = answer.citations
    lines = []
    for source in cited or answer.uncited:
        quote = _inline(" ".join((source.quote or source.passage).split()))
        lines.append(f"- [{source.marker}] {_inline(_where(source))}\n  > {quote}")
    return [*said, "**Sources**" if cited else "**Nearest passages**", "\n".join(lines)]


def _speaker(answer: StoredAnswer) -> str:
    if answer.mode is Mode.MODEL:
        return f"Written by {_inline(answer.model or 'the language model')} from the passages below"
    return "Quoted from the documents, no model used"


def _where(source: Citation | Excluded) -> str:
    if isinstance(source, Citation) and identifier_of(source.path):
        return f"{source.title}, approved answer{f', {source.approved}' if source.approved else ''}"
    if source.label in ("", str(source.page)):
        return f"{source.title}, page {source.page}"
    if source.label.startswith(f"{source.page}, "):  # the lines of a text
        return f"{source.title}, page {source.label}"
    return f"{source.title}, page {source.label} (sheet {source.page})"


def _quoted(source: Citation) -> str:
    words = " ".join(source.quote.split())
    return f": \N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}" if words else ""


def _moment(asked: str) -> str:
    when = datetime.fromisoformat(asked)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _block(text: str) -> str:
    """Foreign text as Markdown that shows exactly that text, its lines kept."""
    lines = [_inline(line) for line in text.splitlines() if line.strip()]
    return "\\\n".join(lines)


def _inline(text: str) -> str:
    """Foreign text as one line of Markdown that shows exactly that text."""
    sound = "".join(character if character.isprintable() else " " for character in text)
    escaped = _SPECIAL.sub(r"\\\g<0>", " ".join(sound.split()))
    return _LINE_START.sub(_defused, escaped)


def _defused(start: re.Match[str]) -> str:
    """A number keeps its digits: what makes it a list is the sign after it."""
    space, sign = start.group(1), start.group(2)
    return f"{space}{sign}\\" if sign.isdigit() else f"{space}\\{sign}"

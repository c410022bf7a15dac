"""The reply to a customer as escaped HTML: the text to copy, what to know before, what was copied before. Pure."""

from collections.abc import Sequence

from rag_app.conversations import StoredTurn
from rag_app.escape import escape, escape_name
from rag_app.team.replies import TEXT_LIMIT, Copied
from rag_app.team.reply import Length, Reply, Tone
from rag_app.web.models_html import time_html
from rag_app.web.render import number, shortened

_TONES = ((Tone.NEUTRAL, "Neutral"), (Tone.WARM, "Warm"))
_LENGTHS = ((Length.SHORT, "Short"), (Length.FULL, "Full"))


def reply_html(turn: StoredTurn, made: Reply, model: str, copied: Sequence[Copied]) -> str:
    """The inside of a dialog; `model` is the language model that can write it, "" where none is configured."""
    notice = escape(made.notice)
    return (
        '<div class="reply"><div class="viewer-head"><h2 tabindex="-1">Reply to the customer</h2>'
        '<button type="button" class="quiet" data-close>Close</button></div><div class="reply-body">'
        f'<p class="evidence-for">for \N{LEFT DOUBLE QUOTATION MARK}<bdi>{escape(shortened(turn.question, 200))}</bdi>'
        f"\N{RIGHT DOUBLE QUOTATION MARK}</p>{_choices(turn, model) if model else ''}"
        '<label for="reply-text">Text to paste into a mail or ticket; change what you like</label>'
        f'<textarea id="reply-text" class="line" rows="12" maxlength="{TEXT_LIMIT}" data-model="{escape(made.model)}">'
        f"{escape(made.text)}</textarea>"
        f'<p class="notice reply-notice" role="status"{"" if notice else " hidden"}>{notice}</p>'
        f'<p class="actions"><button type="button" class="primary" data-copy-reply="{turn.id}">Copy</button>'
        f'<span class="told" role="status"></span></p>{_before(copied)}</div></div>'
    )


def _choices(turn: StoredTurn, model: str) -> str:
    """Tone and length, and the button that has the language model write."""
    return (
        f'<div class="filters">{_pick("tone", "Tone", _TONES)}{_pick("length", "Length", _LENGTHS)}'
        f'<button type="button" class="open" data-write-reply="{turn.id}">Write with '
        f'<span class="foreign">{escape_name(model)}</span></button></div>'
    )


def _pick(name: str, words: str, choices: Sequence[tuple[str, str]]) -> str:
    options = "".join(f'<option value="{value}">{told}</option>' for value, told in choices)
    return f'<label class="pick">{words} <select id="reply-{name}">{options}</select></label>'


def _before(copied: Sequence[Copied]) -> str:
    if not copied:
        return ""
    items = "".join(f"<li>{time_html(one.copied)}{_writer(one)}<pre>{escape(one.text)}</pre></li>" for one in copied)
    return f'<details class="copied"><summary>Copied before ({number(len(copied))})</summary><ul>{items}</ul></details>'


def _writer(one: Copied) -> str:
    return f', written by <span class="foreign">{escape_name(one.model)}</span>' if one.model else ""

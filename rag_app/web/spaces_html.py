"""The choice of spaces as escaped HTML: those a question is asked in, and the one that files go to. Pure.

What is chosen for a question stands in the page's address as the names, one on a line (`?in=`).
"""

from collections.abc import Iterable, Sequence

from rag_app.access import HANDBOOK, Role, Who, may
from rag_app.escape import escape, escape_name

_LONGEST = 4_000  # characters of an address's choice that are looked at


def to_ask_in(held: Sequence[str]) -> list[str]:
    """The spaces to choose from, of those that may be read; none where there is only one beside the handbook.

    Example: ["documents", "handbook"] -> []; ["documents", "handbook", "sales"] -> all three, the handbook last
    """
    own = [space for space in held if space != HANDBOOK]
    return own + [space for space in held if space == HANDBOOK] if len(own) > 1 else []


def chosen(named: str | Iterable[str], choices: Sequence[str]) -> list[str]:
    """Of the spaces that an address or an earlier question names, those there are to choose from."""
    names = set(named[:_LONGEST].split("\n") if isinstance(named, str) else named)
    return [space for space in choices if space in names]


def ask_in_html(choices: Sequence[str], picked: Sequence[str]) -> str:
    """A button for each space, and one for all of them; nothing where there is no choice."""
    if not choices:
        return ""
    buttons = "".join(_button(space, escape_name(space), pressed=space in picked) for space in choices)
    return (
        '<div class="ask-in" role="group" aria-label="Spaces to ask in"><span>Ask in</span>'
        f"{_button('', 'all', pressed=not picked)}{buttons}</div>"
    )


def _button(space: str, words: str, *, pressed: bool) -> str:
    return (
        f'<button type="button" class="space" data-ask-in="{escape(space)}" aria-pressed="{str(pressed).lower()}">'
        f"<bdi>{words}</bdi></button>"
    )


def to_add_to(known: Iterable[str], who: Who) -> list[str]:
    """Of all spaces that are known, those that `who` may put files into; never the handbook's."""
    return sorted(space for space in set(known) if space != HANDBOOK and may(who, Role.EDITOR, space))


def add_to_html(spaces: Sequence[str], usual: str) -> str:
    """Which space files go to; nothing where there is one only."""
    if len(spaces) < 2:  # noqa: PLR2004 - a choice
        return ""
    options = "".join(
        f'<option value="{escape(space)}"{" selected" if space == usual else ""}>{escape_name(space)}</option>'
        for space in spaces
    )
    return (
        '<p class="add-to"><label class="pick" for="add-to">Files go to the space '
        f'<select id="add-to">{options}</select></label></p>'
    )

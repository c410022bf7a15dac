"""The page on which people make and revoke the keys of their programs: a document without scripts. Pure."""

from collections.abc import Sequence

from rag_app.escape import escape, escape_name
from rag_app.team.keys import DAYS, MOST_DAYS, Key
from rag_app.team.people import NAME_LIMIT
from rag_app.web.team_page import team_page

_TOLD = (
    "A program that asks with a key sees what you see, unless you limit the key to some spaces. Revoke a key as soon "
    "as it is no longer needed."
)
_ONCE = "This is the only time this key is shown. Keep it where the program finds it, and nowhere else."


def keys_html(bar: str, keys: Sequence[Key], spaces: Sequence[str], *, secret: str = "", wrong: str = "") -> str:
    """All keys of somebody who may read `spaces`, under the `bar` of every page.

    `secret` is the one just made, `wrong` says why none was.
    """
    notice = f'<p class="notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    made = f'<div role="status"><p>{_ONCE}</p><p><code class="key">{escape(secret)}</code></p></div>' if secret else ""
    listed = "".join(map(_key, keys)) or "<li>You have no keys.</li>"
    return team_page(
        "Keys for programs",
        bar,
        f"<p>{_TOLD}</p>{notice}{made}<ul class='keys'>{listed}</ul>{_form(spaces)}",
    )


def _form(spaces: Sequence[str]) -> str:
    boxes = "".join(
        f'<label class="space"><input type="checkbox" name="space" value="{escape(space)}"> '
        f'<span class="foreign">{escape_name(space)}</span></label>'
        for space in spaces
    )
    limits = f"<fieldset><legend>Only these spaces (none: all that you may read)</legend>{boxes}</fieldset>"
    return (
        '<form method="post" action="/keys" class="narrow"><h2>A new key</h2><label for="name">What it is for</label>'
        f'<input id="name" name="name" required maxlength="{NAME_LIMIT}">'
        '<label for="days">Days it is good for (0: it does not run out)</label>'
        f'<input id="days" name="days" type="number" min="0" max="{MOST_DAYS}" value="{DAYS}" required>'
        f'{limits if spaces else ""}<button type="submit" class="primary">Make a key</button></form>'
    )


def _key(key: Key) -> str:
    spaces = "all your spaces" if key.spaces is None else "only " + ", ".join(map(escape_name, key.spaces))
    until = f"until {key.expires[:10]}" if key.expires else "does not run out"
    used = f"last used {key.used[:10]}" if key.used else "never used"
    state = "" if key.state == "good" else f" <strong>{key.state}</strong>"
    name = f'<span class="foreign">{escape_name(key.name)}</span>'
    revoke = (
        f'<form method="post" action="/keys/{key.id}/revoke"><button type="submit" class="open">Revoke '
        f'<span class="visually-hidden">{escape(key.name)}</span></button></form>'
        if key.state == "good"
        else ""
    )
    return f"<li>{name}{state}<br>{spaces}, {until}, {used}{revoke}</li>"

"""The bar on top of every page as escaped HTML. Pure."""

from collections.abc import Callable

from rag_app.access import Role, Who, decides_on, manages
from rag_app.escape import escape, escape_name
from rag_app.web.desk import Status
from rag_app.web.render import counted

_HERE = ' aria-current="page"'


def _everybody(_who: Who) -> bool:
    return True


def _registered_manager(who: Who) -> bool:
    return manages(who) and who.roles is not None


def _owner(who: Who) -> bool:
    """Whether somebody decides on a space; administrators find theirs from the page of people."""
    return not manages(who) and any(decides_on(who, space) for space in who.roles or ())


def _editor(who: Who) -> bool:
    return who.roles is None or who.administrator or any(role >= Role.EDITOR for role in who.roles.values())


# Each page: its name, its address, and whose navigation it stands in. A page refuses all others itself.
PAGES: tuple[tuple[str, str, Callable[[Who], bool]], ...] = (
    ("Ask", "/", _everybody),
    ("Library", "/library", _everybody),
    ("Inbox", "/inbox", _editor),
    ("Report", "/report", _editor),
    ("Quality", "/quality", manages),
    ("Spaces", "/spaces", _owner),
    ("People", "/people", _registered_manager),
    ("Audit", "/audit", _registered_manager),
    ("Settings", "/settings", manages),
)
_NOBODY = Who("")


def header_html(page: str, status: Status, who: Who = _NOBODY) -> str:
    """Where one can go, what the library holds, and who is signed in, with the way out."""
    links = "".join(
        f'<a href="{address}"{_HERE if name == page else ""}>{name}</a>'
        for name, address, open_to in PAGES
        if open_to(who)
    )
    if not status.documents:
        holds = "no documents yet"
    elif status.handbook_only:
        holds = f"the handbook, {counted(status.passages, 'passage')}"
    else:
        holds = f"{counted(status.documents, 'document')}, {counted(status.passages, 'passage')}"
    index = f'<span class="index">{escape(status.index)}</span>' if status.index else ""
    return (
        '<div class="bar"><a class="brand" href="/">Ask your PDFs</a>'
        f'<nav aria-label="Pages">{links}</nav><p class="shelf"><span class="holds">{holds}</span>{index}</p>'
        f"{_signed_in(who)}</div>"
    )


def _signed_in(who: Who) -> str:
    """The name of who is signed in, which opens the ways out."""
    if not who.name:
        return ""
    return (
        f'<details class="me"><summary><span class="visually-hidden">Signed in as </span>'
        f'<span class="foreign">{escape_name(who.name)}</span></summary>'
        '<form method="post" action="/sign-out"><a class="quiet" href="/keys">Keys for programs</a>'
        '<button type="submit" class="quiet">Sign out</button>'
        '<button type="submit" class="quiet" name="everywhere" value="1">Sign out everywhere</button></form></details>'
    )

"""The page on which administrators look after people and spaces: a document without scripts. Pure."""

from collections.abc import Sequence

from rag_app.access import Role
from rag_app.escape import escape, escape_name
from rag_app.team.people import NAME_LIMIT, Person
from rag_app.web.team_page import team_page

_TOLD = (
    "Readers ask. Editors also add and remove documents and approve answers. Owners may do the same, and "
    "decide who is in their space and whether it stays. Administrators may do everything in every space."
)
_ONCE = (
    "With this link {name} chooses a password, once, until this time tomorrow. It is shown only now; send it to them."
)


def people_html(
    bar: str, people: Sequence[Person], spaces: Sequence[str], *, link: tuple[str, str] = ("", ""), wrong: str = ""
) -> str:
    """Everybody and what they are in which of the `spaces`, under the `bar` of every page.

    `link` is the one just made, with the name it is for; `wrong` says why something was not done.
    """
    notice = f'<p class="notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    made = (
        f'<div role="status"><p>{_ONCE.format(name=escape_name(link[0]))}</p>'
        f'<p><code class="key">{escape(link[1])}</code></p></div>'
        if link[1]
        else ""
    )
    listed = "".join(_person(person, spaces) for person in people)
    return team_page(
        "People and spaces",
        bar,
        f"<p>{_TOLD}</p>{notice}{made}<ul class='keys people'>{listed}</ul>{_ADD}{_SPACE}"
        '<p class="back"><a href="/spaces">Members of each space, and removing one</a></p>',
    )


_ADD = (
    '<form method="post" action="/people" class="narrow"><h2>Register somebody</h2>'
    '<label for="name">Name they sign in with</label>'
    f'<input id="name" name="name" required maxlength="{NAME_LIMIT}" autocomplete="off">'
    '<label class="space"><input type="checkbox" name="administrator" value="1"> as an administrator</label>'
    '<button type="submit" class="primary">Register and make a link</button></form>'
)
_SPACE = (
    '<form method="post" action="/spaces" class="narrow"><h2>A new space</h2><label for="space">Name</label>'
    f'<input id="space" name="space" required maxlength="{NAME_LIMIT}" autocomplete="off">'
    '<button type="submit" class="open">Make a space</button></form>'
)


def _person(person: Person, spaces: Sequence[str]) -> str:
    states = [
        "administrator" if person.administrator else "",
        "disabled" if person.disabled else "" if person.ready else "no password yet",
        *(f"{role.name.lower()} of {escape_name(space)}" for space, role in person.roles.items()),
    ]
    acts = [
        ("enable", "Let in again") if person.disabled else ("link", "Make a link"),
        ("member", "Make no administrator") if person.administrator else ("administrator", "Make administrator"),
        *([] if person.disabled else [("disable", "Disable")]),
    ]
    buttons = "".join(_button(act, words, person) for act, words in acts)
    return (
        f'<li><span class="foreign"><strong>{escape_name(person.name)}</strong></span><br>'
        f"{', '.join(filter(None, states)) or 'in no space'}"
        f'<form method="post" action="/people/{person.id}" class="acts">{buttons}</form>{_role(person, spaces)}</li>'
    )


def _button(act: str, words: str, person: Person) -> str:
    return (
        f'<button type="submit" class="open" name="act" value="{act}">{words}'
        f'<span class="visually-hidden"> {escape(person.name)}</span></button>'
    )


def _role(person: Person, spaces: Sequence[str]) -> str:
    """The form that makes somebody something in a space."""
    if not spaces:
        return ""
    roles = "".join(f'<option value="{role.name.lower()}">{role.name.lower()}</option>' for role in Role)
    places = "".join(f'<option value="{escape(space)}">{escape_name(space)}</option>' for space in spaces)
    name = escape(person.name)
    return (
        f'<form method="post" action="/people/{person.id}" class="acts">'
        f'<select name="role" aria-label="Role of {name}">'
        f'{roles}<option value="">nothing</option></select> in <select name="space" aria-label="Space for {name}">'
        f'{places}</select> <button type="submit" class="open" name="act" value="role">Set</button></form>'
    )

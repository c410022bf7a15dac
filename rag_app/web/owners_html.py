"""The page on which owners look after their spaces: who is in them, and whether they stay. Without scripts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag_app.access import Role
from rag_app.escape import escape, escape_name
from rag_app.team.people import NAME_LIMIT, Person
from rag_app.web.render import counted
from rag_app.web.team_page import team_page

_TOLD = (
    "Readers ask. Editors also add and remove documents and approve answers. Owners may do the same, and decide here "
    "who is in the space and whether it stays."
)
_GOES = (
    "With the space go its members, its approved answers and what keys for programs were allowed in it. Conversations "
    "stay; their answers keep what they quoted. This cannot be taken back."
)


@dataclass(frozen=True, slots=True)
class OwnSpace:
    """A space that somebody decides on."""

    name: str
    members: Sequence[tuple[Person, Role]]  # by name
    documents: int
    stays: str = ""  # a sentence that says why it cannot be removed


def owners_html(
    bar: str, spaces: Sequence[OwnSpace], *, wrong: str = "", done: str = "", managing: bool = False
) -> str:
    """The spaces that somebody decides on, under the `bar` of every page.

    `wrong` says why something was not done, `done` what was. Administrators (`managing`) find the way to people, too.
    """
    notice = f'<p class="notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    told = f'<p class="done" role="status">{escape(done)}</p>' if done else ""
    people = '<p class="back"><a href="/people">People, links and new spaces</a></p>' if managing else ""
    shown = "".join(_space(space, number) for number, space in enumerate(spaces))
    none = "<p>There is no space that you decide on.</p>" if not spaces else ""
    return team_page("Spaces you decide on", bar, f"<p>{_TOLD}</p>{notice}{told}{shown}{none}{people}")


def _space(space: OwnSpace, number: int) -> str:
    members = "".join(_member(space, person, role) for person, role in space.members)
    listed = f'<ul class="keys members">{members}</ul>' if members else "<p>Nobody is in it but administrators.</p>"
    holds = f"{counted(space.documents, 'document')}, {counted(len(space.members), 'member')}"
    return (
        f'<section class="shelf-of" aria-labelledby="space-{number}"><h2 id="space-{number}" class="foreign">'
        f'{escape_name(space.name)}</h2><p class="holds">{holds}</p>{listed}{_add(space, number)}'
        f"{_remove(space, number)}</section>"
    )


def _member(space: OwnSpace, person: Person, role: Role) -> str:
    name, disabled = escape(person.name), " (disabled)" if person.disabled else ""
    return (
        f'<li><span class="foreign"><strong>{escape_name(person.name)}</strong></span>{disabled}'
        f'<form method="post" action="/spaces/members" class="acts">{_hidden(space, person.name)}'
        f'<select name="role" aria-label="Role of {name} in {escape(space.name)}">{_roles(role)}</select> '
        f'<button type="submit" class="open">Set<span class="visually-hidden"> the role of {name}</span></button>'
        "</form>"
        f'<form method="post" action="/spaces/members" class="acts">{_hidden(space, person.name)}'
        f'<input type="hidden" name="role" value=""><button type="submit" class="quiet">Take out'
        f'<span class="visually-hidden"> {name}</span></button></form></li>'
    )


def _add(space: OwnSpace, number: int) -> str:
    return (
        f'<form method="post" action="/spaces/members" class="adding">{_hidden(space)}'
        f'<label for="name-{number}">Let somebody in, by the name they sign in with</label><div class="row">'
        f'<input id="name-{number}" name="name" required maxlength="{NAME_LIMIT}" autocomplete="off" '
        f'autocapitalize="none" spellcheck="false"><select name="role" aria-label="Their role in {escape(space.name)}">'
        f'{_roles(Role.READER)}</select><button type="submit" class="open">Let in</button></div></form>'
    )


def _remove(space: OwnSpace, number: int) -> str:
    if space.stays:
        return f'<p class="stays">{escape(space.stays)}</p>'
    documents = counted(space.documents, "document")
    box = (
        f'<label class="space"><input type="checkbox" name="documents" value="1" id="with-{number}"> '
        f"with its {documents}; their originals are deleted</label>"
        if space.documents
        else ""
    )
    return (
        f'<details class="removal"><summary>Remove this space<span class="visually-hidden">: '
        f'{escape(space.name)}</span></summary><form method="post" action="/spaces/removal">{_hidden(space)}'
        f"<p>{_GOES}</p>{box}"
        '<button type="submit" class="danger">Remove the space <span class="foreign">'
        f"{escape_name(space.name)}</span></button></form></details>"
    )


def _hidden(space: OwnSpace, name: str = "") -> str:
    person = f'<input type="hidden" name="name" value="{escape(name)}">' if name else ""
    return f'<input type="hidden" name="space" value="{escape(space.name)}">{person}'


def _roles(chosen: Role) -> str:
    return "".join(
        f'<option value="{role.name.lower()}"{" selected" if role is chosen else ""}>{role.name.lower()}</option>'
        for role in Role
    )

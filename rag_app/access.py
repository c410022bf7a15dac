"""Who may see and do what. Decided here, before ranking, and nowhere else. Pure.

Used by questions, files, page images, stored answers, exports and the interface for programs alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ingest.errors import RagError

HANDBOOK = "handbook"  # the space of the handbook that ships with the program; everybody may read it


class Forbidden(RagError):
    """Somebody may see this, but not do that with it; the text says who may."""

    kind = "forbidden"


class Role(IntEnum):
    """What somebody is in a space; each may do what the ones before it may."""

    READER = 1  # asks, opens pages and originals
    EDITOR = 2  # adds and removes documents, approves answers, works on the inbox
    OWNER = 3  # decides who is in the space, deletes it


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks, or a program that asks for them."""

    id: str  # whose conversations these are: a person's id, or a browser's while nobody is registered; 32 hex digits
    name: str = ""  # what they sign in with; "" while nobody is registered
    administrator: bool = False  # decides about people and spaces, and may do everything in each space
    roles: Mapping[str, Role] | None = None  # in each of their spaces; None while nobody is registered
    only: frozenset[str] | None = None  # a key's spaces: nothing outside of them, whatever the person may do


def may(who: Who, role: Role, space: str) -> bool:
    """Whether somebody may do in `space` what takes `role`.

    While nobody is registered everybody may do everything, and so may an administrator; nothing outside a key's spaces.
    """
    if who.only is not None and space not in who.only:
        return False
    if who.roles is None or who.administrator:
        return True
    if space == HANDBOOK and role is Role.READER:
        return True
    held = who.roles.get(space)
    return held is not None and held >= role


def manages(who: Who) -> bool:
    """Whether somebody decides about the server itself: people, settings, imports, what was measured. No key does."""
    return who.only is None and (who.roles is None or who.administrator)


def decides_on(who: Who, space: str) -> bool:
    """Whether somebody decides who is in a space and whether it goes: its owners, never a key, once people sign in.

    The handbook's space has no members. What follows is about that space alone: nobody becomes an administrator by it.
    """
    return who.only is None and who.roles is not None and space != HANDBOOK and may(who, Role.OWNER, space)


def readable(who: Who, held: Sequence[str]) -> list[str]:
    """Those of some spaces that somebody may read, in the order given."""
    return [space for space in held if may(who, Role.READER, space)]


def reach(who: Who) -> list[str] | None:
    """All spaces somebody may read, also those that hold nothing yet; None where there is no limit."""
    if manages(who):
        return None
    return readable(who, sorted({HANDBOOK, *(who.roles or ()), *(who.only or ())}))


def may_see_source(who: Who, space: str | None) -> bool:
    """Whether somebody may see what somebody else's answer took from a document of `space`.

    None is a document that is no longer in the library. Nobody can tell any more whom it was for, so only those may see
    it to whom nothing is closed.
    """
    return manages(who) if space is None else may(who, Role.READER, space)


def visible_spaces(held: Sequence[str], asked: Sequence[str] | None = None) -> list[str]:
    """The spaces to search: those asked for, or all but the handbook, which answers only while it is alone.

    Example: ["documents", "handbook"] -> ["documents"]; ["handbook"] -> ["handbook"]
    """
    if asked is not None:
        return [space for space in held if space in set(asked)]
    return [space for space in held if space != HANDBOOK] or list(held)

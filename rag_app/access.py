"""Which spaces a question may see. Decided here, before ranking, and nowhere else. Pure."""

from collections.abc import Sequence

HANDBOOK = "handbook"  # the space of the handbook that ships with the program


def visible_spaces(held: Sequence[str], asked: Sequence[str] | None = None) -> list[str]:
    """The spaces to search: those asked for, or all but the handbook, which answers only while it is alone.

    Example: ["documents", "handbook"] -> ["documents"]; ["handbook"] -> ["handbook"]
    """
    if asked is not None:
        return [space for space in held if space in set(asked)]
    return [space for space in held if space != HANDBOOK] or list(held)

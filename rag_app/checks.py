"""A check of one part of the application: a name, whether it works, and a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.errors import RagError


@dataclass(frozen=True, slots=True)
class Check:
    """One part and how it does."""

    name: str
    ok: bool
    detail: str


def checked(looks: Mapping[str, Callable[[], str]]) -> list[Check]:
    """What each look says; a RagError's text where it raises one."""
    return [_checked(name, look) for name, look in looks.items()]


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, detail=look())
    except RagError as error:
        return Check(name, ok=False, detail=str(error))

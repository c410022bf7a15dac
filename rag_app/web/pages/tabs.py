"""Which answer each open page follows, so that a page that turned to another conversation is not drawn over."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

TABS_KEPT = 4096  # open pages remembered; the oldest is forgotten first


@dataclass(frozen=True, eq=False)
class Here:
    """What a page turned to. Two of them are never equal, also for the same answer."""

    turn: str  # "" where nothing is followed
    conversation: str = ""  # "" for one that nothing was asked in yet


class Tabs:
    """Open pages by Gradio's session hash: made by the page, so good to tell pages apart and for nothing else."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        """`wake` lets those who follow a turn look up."""
        self._wake = wake
        self._tabs: OrderedDict[str, Here] = OrderedDict()

    def at(self, tab: str) -> Here | None:
        """What the page turned to last, where that is known."""
        return self._tabs.get(tab)

    def turn_to(self, tab: str, turn: str, conversation: str = "") -> Here:
        """The page follows `turn` from now on; whoever drew it before is woken to see so."""
        before = self._tabs.pop(tab, None)
        here = self._tabs[tab] = Here(turn, conversation)
        while len(self._tabs) > TABS_KEPT:
            self._tabs.popitem(last=False)
        if before is not None and before.turn:
            self._wake(before.turn)
        return here

    def still(self, tab: str, here: Here) -> bool:
        """Whether the page has not turned to anything else since."""
        return self._tabs.get(tab) is here

"""What one event of a chat stream says, whatever a server sends in its place. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Reading:
    """How far an answer has come. Blanks are held back until a word follows them."""

    started: float = 0.0  # seconds, by the event loop's clock
    events: int = 0  # that had the shape of a chat answer
    shown: int = 0  # characters given on
    finish: str = ""  # why the model ended; "" while it has not
    thinks: bool = False  # the last event brought thoughts
    thought: bool = False  # some event did
    _held: str = ""

    def take(self, event: object) -> str:
        """Read one event and return what it adds to the answer; "" where it adds nothing yet."""
        choice = _first(event)
        if choice is None:
            return ""
        self.events += 1
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        self.finish = _text(choice.get("finish_reason"))
        self.thinks = bool(_text(delta.get("reasoning_content")) or _text(delta.get("reasoning")))
        self.thought = self.thought or self.thinks
        text = _text(delta.get("content"))
        if not text.strip():
            self._held = (self._held + text)[:100]
            return ""
        piece = self._held + text if self.shown else text.lstrip()
        self._held = ""
        self.shown += len(piece)
        return piece

    def seconds(self, now: float) -> float:
        """Tell how long the answer has taken, by the clock that gave `started`."""
        return now - self.started


def is_answer(event: object) -> bool:
    """Whether an event may stand in a chat stream; those with figures only, at the end, have no choices."""
    return isinstance(event, dict) and (isinstance(event.get("choices"), list) or "usage" in event)


def _first(event: object) -> dict[str, object] | None:
    choices = event.get("choices") if isinstance(event, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""Where to cut a row of sentences into passages, and a sentence that is too long for one. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

BEST = 190  # pieces of a passage, where there is enough
_CLAUSE = re.compile(r"[;:,\u3001\uff0c\uff1b)\]|]\s*|\s[\u2013\u2014-]\s")


class After(Enum):
    """What ends at the end of a span; a cut there costs this much, in squared tenths of the room."""

    PARAGRAPH = 0.0
    SENTENCE = 10.0
    LEAD = 60.0  # a line that leads to the next: a heading, "as follows:"
    NOTHING = 400.0  # the sentence goes on


def cuts(spans: Sequence[tuple[int, After]], room: int) -> list[int]:
    """The end of each passage, as indices after its last span; each span is given by its pieces and what ends with it.

    Passages are of like size, at most `room` pieces where no single span has more, and end where a cut costs little.
    """
    total = sum(size for size, _ in spans)
    if total <= room:
        return [len(spans)] if spans else []
    target = total / max(-(-total // room), round(total / min(BEST, room)))
    cost = [0.0] + [float("inf")] * len(spans)
    came = [0] * (len(spans) + 1)
    for end in range(1, len(spans) + 1):
        held = 0
        for start in range(end - 1, -1, -1):
            held += spans[start][0]
            if held > room and start < end - 1:
                break
            uneven = 10 * (held - target) / room
            here = cost[start] + uneven * uneven + spans[end - 1][1].value
            if here < cost[end]:
                cost[end], came[end] = here, start
    ends = [len(spans)]
    while came[ends[-1]]:
        ends.append(came[ends[-1]])
    return ends[::-1]


def halves(text: str, start: int, end: int, room: int, pieces: Callable[[str], int]) -> Iterator[tuple[int, int]]:
    """The span, or its parts where it has more than `room` pieces: cut after a clause, else a word, else anywhere."""
    if end - start <= 1 or pieces(text[start:end]) <= room:
        yield start, end
        return
    middle = _near(text, start, end)
    left_end, right_start = middle, middle
    while left_end > start and text[left_end - 1].isspace():
        left_end -= 1
    while right_start < end and text[right_start].isspace():
        right_start += 1
    yield from halves(text, start, left_end, room, pieces)
    yield from halves(text, right_start, end, room, pieces)


def _near(text: str, start: int, end: int) -> int:
    """The best place to cut near the middle; never at either end."""
    middle, quarter = (start + end) // 2, max((end - start) // 4, 1)
    low, high = max(middle - quarter, start + 1), min(middle + quarter, end - 1)
    clauses = [match.end() for match in _CLAUSE.finditer(text, low, high) if start < match.end() < end]
    spaces = [index for index in range(low, high) if text[index].isspace()]
    return min(clauses or spaces or [middle], key=lambda place: abs(place - middle))

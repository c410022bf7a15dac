"""Where to cut a row of sentences into passages, and a sentence that is too long for one. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence

BEST = 190  # pieces of a passage, where there is enough
_INSIDE = 40.0  # cost of a cut inside a paragraph, in squared tenths of the room
_CLAUSE = re.compile(r"[;:,\u3001\uff0c\uff1b)\]|]\s*|\s[\u2013\u2014-]\s")


def cuts(sizes: Sequence[tuple[int, bool]], room: int) -> list[int]:
    """The end of each passage, as indices after its last sentence.

    `sizes` has the pieces of each sentence and whether it ends its paragraph. Passages are of like size, at most `room`
    pieces, and end with a paragraph where that costs little.
    """
    total = sum(size for size, _ in sizes)
    if not sizes:
        return []
    if total <= room:
        return [len(sizes)]
    passages = max(-(-total // room), round(total / min(BEST, room)))
    target = total / passages
    cost = [0.0] + [float("inf")] * len(sizes)
    came = [0] * (len(sizes) + 1)
    for end in range(1, len(sizes) + 1):
        held = 0
        for start in range(end - 1, -1, -1):
            held += sizes[start][0]
            if held > room and start < end - 1:
                break
            tenths = 10 * (held - target) / room
            here = cost[start] + tenths * tenths + (0.0 if sizes[end - 1][1] else _INSIDE / 4)
            if here < cost[end]:
                cost[end], came[end] = here, start
    ends: list[int] = []
    at = len(sizes)
    while at:
        ends.append(at)
        at = came[at]
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

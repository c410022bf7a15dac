"""Where a quote stands among a page's characters, whatever became of its spaces, hyphens and ligatures. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence

SHARE = 0.6  # of the quote that must be found in one piece
RUN = 40  # characters in one piece that are enough, however long the quote

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom; origin at the top left


def place(text: str, quote: str, near: int) -> range | tuple[int, ...]:
    """The indices in `text` of the longest piece of the quote it holds; empty where that is too short.

    Of several places the one nearest to `near` is taken.
    """
    letters, indices = _letters(text)
    wanted, _ = _letters(quote)
    start, length = _longest(letters, wanted, near, indices)
    if not length or (length < SHARE * len(wanted) and length < RUN):
        return ()
    return tuple(indices[start : start + length])


def merged(boxes: Sequence[Rectangle]) -> list[Rectangle]:
    """One rectangle a line, from the boxes of characters in reading order."""
    lines: list[Rectangle] = []
    for box in boxes:
        if lines and _same_line(lines[-1], box):
            last = lines[-1]
            lines[-1] = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
        else:
            lines.append(box)
    return lines


def _same_line(line: Rectangle, box: Rectangle) -> bool:
    """Whether the box goes on where the line is, without a jump to another column."""
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    height = min(line[3] - line[1], box[3] - box[1])
    gap = max(box[0] - line[2], line[0] - box[2])
    return overlap > 0.5 * height and gap < 4 * max(height, 1.0)


def _letters(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, folded, and the index each came from."""
    folded: list[str] = []
    indices: list[int] = []
    for index, character in enumerate(text):
        if character.isalnum():
            for letter in unicodedata.normalize("NFKD", character).casefold():
                if letter.isalnum():
                    folded.append(letter)
                    indices.append(index)
    return "".join(folded), indices


def _longest(letters: str, wanted: str, near: int, indices: Sequence[int]) -> tuple[int, int]:
    """Start and length of the piece of `wanted` in `letters`: all of it, else its longest beginning, end or middle."""
    if not wanted or not letters:
        return 0, 0
    for length, piece in _pieces(letters, wanted):
        starts = list(_occurrences(letters, piece))
        if starts:
            return min(starts, key=lambda start: abs(indices[start] - near)), length
    return 0, 0


def _pieces(letters: str, wanted: str) -> Iterator[tuple[int, str]]:
    if wanted in letters:
        yield len(wanted), wanted
        return
    beginning = wanted[: _most(lambda n: wanted[:n] in letters, len(wanted))]
    ending = wanted[len(wanted) - _most(lambda n: wanted[len(wanted) - n :] in letters, len(wanted)) :]
    best = max(beginning, ending, key=len)
    yield len(best), best


def _most(holds: "object", length: int) -> int:
    """The largest n up to `length` for which `holds(n)`, which holds for all smaller n too."""
    low, high = 0, length
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):  # type: ignore[operator]
            low = middle
        else:
            high = middle - 1
    return low


def _occurrences(letters: str, piece: str) -> Iterator[int]:
    start = letters.find(piece) if piece else -1
    while start >= 0:
        yield start
        start = letters.find(piece, start + 1)

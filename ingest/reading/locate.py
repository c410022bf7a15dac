"""Where a quote stands among a page's characters, whatever became of its spaces, hyphens and ligatures. Pure."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

SHARE = 0.6  # of the quote's letters that must be found
RUN = 40  # letters in one piece that are enough, however long the quote
OVERLAP = 0.5  # of the thinner of two boxes on one line
MOST_GAP = 4  # times their height
PIECE = 12  # letters; what is shorter may stand there by chance

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom; origin at the top left


def place(text: str, quote: str, near: int) -> tuple[int, ...]:
    """The indices in `text` of the pieces of the quote it holds, in the quote's order; empty where that is too little.

    The quote may be in pieces because its lines stand in another order, a figure between them, or half of it on another
    page. Of several places the one nearest to `near` is taken.
    """
    letters, indices = _letters(text)
    wanted, _ = _letters(quote)
    pieces = list(_pieces(letters, wanted))
    longest = max(pieces, key=len, default="")
    if sum(map(len, pieces)) < max(SHARE * len(wanted), 1) and len(longest) < RUN:
        return ()
    anchor = _nearest(letters, longest, bisect_left(indices, near))
    starts = [anchor if piece is longest else _nearest(letters, piece, anchor) for piece in pieces]
    return tuple(
        dict.fromkeys(
            index for start, piece in zip(starts, pieces, strict=True) for index in indices[start : start + len(piece)]
        )
    )


def merged(boxes: Sequence[Rectangle]) -> list[Rectangle]:
    """One rectangle a line, from the boxes of characters in reading order; lines may run across or down."""
    if _runs_down(boxes):
        return [_transposed(line) for line in _lines([_transposed(box) for box in boxes])]
    return _lines(boxes)


def _lines(boxes: Sequence[Rectangle]) -> list[Rectangle]:
    lines: list[Rectangle] = []
    for box in boxes:
        if lines and _same_line(lines[-1], box):
            last = lines[-1]
            lines[-1] = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
        else:
            lines.append(box)
    return lines


def _runs_down(boxes: Sequence[Rectangle]) -> bool:
    """Whether most characters stand above or below the one before, not beside it."""
    moves = [abs(b[1] - a[1]) - abs(b[0] - a[0]) for a, b in pairwise(boxes)]
    return sum(move > 0 for move in moves) > len(moves) / 2


def _transposed(box: Rectangle) -> Rectangle:
    return box[1], box[0], box[3], box[2]


def _same_line(line: Rectangle, box: Rectangle) -> bool:
    """Whether the box goes on where the line is, without a jump to another column."""
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    height = min(line[3] - line[1], box[3] - box[1])
    gap = max(box[0] - line[2], line[0] - box[2])
    return overlap > OVERLAP * height and gap < MOST_GAP * max(height, 1.0)


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


def _pieces(letters: str, wanted: str) -> Iterator[str]:
    """The pieces of `wanted` that stand in `letters`, each as long as it can be, from left to right."""
    start = 0
    while start < len(wanted):
        piece = _held(letters, wanted, start)
        if len(piece) >= min(PIECE, len(wanted)):
            yield piece
        start += len(piece) if len(piece) >= PIECE else 1


def _held(letters: str, wanted: str, start: int) -> str:
    """The longest part of `wanted` from `start` on that stands in `letters`."""
    low, high = 0, len(wanted) - start
    while low < high:
        middle = (low + high + 1) // 2
        if wanted[start : start + middle] in letters:
            low = middle
        else:
            high = middle - 1
    return wanted[start : start + low]


def _nearest(letters: str, piece: str, near: int) -> int:
    """Where the piece stands, nearest to `near`."""
    before, after = letters.rfind(piece, 0, near + len(piece)), letters.find(piece, near)
    return min((at for at in (before, after) if at >= 0), key=lambda at: abs(at - near))

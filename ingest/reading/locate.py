"""Where a quote stands among a page's characters, whatever became of its spaces, hyphens and ligatures. Pure."""

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

SHARE = 0.6  # of the quote's letters that must be found
RUN = 40  # letters in one piece that are enough, however long the quote
OVERLAP = 0.5  # of the thinner of two boxes on one line
MOST_GAP = 4  # times their height
PIECE = 12  # letters; what is shorter may stand there by chance
RUNNING = 250  # letters of running heads and feet at most
MOST_BETWEEN = 400  # letters that are not in the quote between two of its pieces

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom; origin at the top left


def place(text: str, quote: str, near: int) -> tuple[int, ...]:
    """The indices in `text` of the pieces of the quote it holds, in order; empty where that is too little.

    `text` is in reading order. The quote may be in pieces because a figure stands between them, or part of it on
    another page. Of several places the one nearest to `near` is taken; other pieces only where they keep their order.
    """
    letters, indices = folded(text)
    wanted, _ = folded(quote)
    if letters and letters in wanted:  # however little of a quote over several pages stands on this one
        return tuple(dict.fromkeys(indices))
    aim = bisect_left(indices, near)
    border = _at_border(letters, wanted, begins_here=near > 0)
    if border and (wanted not in letters or abs(border[0] - aim) < abs(_nearest(letters, wanted, aim) - aim)):
        return tuple(dict.fromkeys(indices[border[0] : border[1]]))
    pieces = list(_pieces(letters, wanted))
    if not pieces:
        return ()
    longest = max(range(len(pieces)), key=lambda at: len(pieces[at]))
    anchor = _nearest(letters, pieces[longest], aim)
    placed = _chain(letters, pieces, longest, anchor)
    if sum(end - start for start, end in placed) < SHARE * len(wanted) and len(pieces[longest]) < RUN:
        return ()
    return tuple(dict.fromkeys(index for start, end in placed for index in indices[start:end]))


def _at_border(letters: str, wanted: str, *, begins_here: bool) -> tuple[int, int] | tuple[()]:
    """Where the page begins with the quote's end or ends with its beginning, but for running lines; () where neither.

    A quote over a page end stands there, though the rest of it may be like something else on this page.
    """
    last = () if begins_here else _continued(letters, wanted)
    if last:
        return last
    first = _continued(letters[::-1], wanted[::-1])
    return (len(letters) - first[1], len(letters) - first[0]) if first else ()


def _continued(letters: str, wanted: str) -> tuple[int, int] | tuple[()]:
    """Start and end of the longest part of the quote's end that the page begins with, after as little as can be."""
    seed = min(RUN, math.ceil(SHARE * len(wanted)))
    for start in range(min(RUNNING, len(letters) - seed) + 1):
        at = wanted.find(letters[start : start + seed])
        while at >= 0:
            if letters.startswith(wanted[at:], start):
                return start, start + len(wanted) - at
            at = wanted.find(letters[start : start + seed], at + 1)
    return ()


def _chain(letters: str, pieces: Sequence[str], longest: int, anchor: int) -> list[tuple[int, int]]:
    """Start and end of the longest piece, which is at `anchor`, and of those that stand near before and after it."""
    placed = [(anchor, anchor + len(pieces[longest]))]
    for piece in reversed(pieces[:longest]):
        at = letters.rfind(piece, max(placed[0][0] - len(piece) - MOST_BETWEEN, 0), placed[0][0])
        if at >= 0:
            placed.insert(0, (at, at + len(piece)))
    for piece in pieces[longest + 1 :]:
        end = placed[-1][1]
        at = letters.find(piece, end, end + len(piece) + MOST_BETWEEN)
        if at >= 0:
            placed.append((at, at + len(piece)))
    return placed


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


def folded(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, folded, and the index each came from."""
    letters: list[str] = []
    indices: list[int] = []
    for index, character in _characters(text):
        if character.isalnum():
            for letter in unicodedata.normalize("NFKD", character).casefold():
                if letter.isalnum():
                    letters.append(letter)
                    indices.append(index)
    return "".join(letters), indices


def _characters(text: str) -> Iterator[tuple[int, str]]:
    """Each character and its index; one that the reader gives in halves is put together."""
    for index, character in enumerate(text):
        if "\udc00" <= character <= "\udfff":
            pair = text[max(index - 1, 0) : index + 1]
            yield index, pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        else:
            yield index, character


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

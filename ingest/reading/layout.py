"""Words with their places -> lines in reading order. Pure.

Lines of one paragraph follow each other, an empty line stands where the page leaves room, and a tab where a line has
a gap as between the cells of a table row.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.reading.lines import SLANTED, Line, Turn, Word, joined
from ingest.reading.tables import whole_rows

GAP = 1.5  # a wider gap between two words, in font sizes, is a tab
CELL_GAP = 0.45  # a wider gap is one where the cells of rows nearby begin
GLUED = 0.08  # a narrower gap before or after a raised sign is none
EVEN = 1.2  # times the narrowest gap of a line that was spread to the margins
NEAR_ROWS = 6  # above and below
ROOM = 1.3  # lines further apart than this times the usual distance belong to different paragraphs
PROSE_CHARACTERS = 22  # a column whose lines are shorter in the middle is a table's
TALLEST = 1.5  # times its font's size; a taller line is a row of several
FEW_LINES = 3  # of a stanza that shows where its column ends
ENDED = "\u2028"  # after a line that ends though the next word had room
PROSE_LINES = 4  # fewer lines side by side are not columns


def lines(words: Sequence[Word]) -> list[Line | None]:
    """The lines in reading order; None is an empty line between paragraphs."""
    ways = (_upright([word for word in words if word.turn == turn]) for turn in (0, 90, 270, 180))
    parts = [_with_room(_in_order(_blocks(list(_in_columns(way))))) for way in ways if way]
    slanted = [word for word in words if word.turn == SLANTED]
    parts += [[_join(row)] for row in _rows(slanted)]
    return [line for part in parts for line in (None, *part)][1:]


def _upright(words: Sequence[Word]) -> list[Word]:
    """The words, which are all written the same way, as if the page were turned until they run from left to right."""
    places: dict[Turn, Callable[[Word], tuple[float, float, float, float]]] = {
        90: lambda word: (word.top, -word.right, word.bottom, -word.left),
        180: lambda word: (-word.right, -word.bottom, -word.left, -word.top),
        270: lambda word: (-word.bottom, word.left, -word.top, word.right),
    }
    if not words or not words[0].turn:
        return list(words)
    place = places[words[0].turn]
    turned = [Word(word.text, *place(word), *word[5:8], 0, word.spans) for word in words]
    if turned[0].top <= turned[-1].top:
        return turned
    # The reader counts lines that run down the page from the left.
    return sorted(turned, key=lambda word: -word.line)


def _in_columns(words: Sequence[Word]) -> Iterator[Line]:
    return (line for band in _bands(whole_rows(_cells(_rows(words)))) for line in band)


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """The words of each line; raised and lowered signs, which the reader takes for lines, are put back into theirs."""
    rows: list[list[Word]] = []
    for word in words:
        last = rows[-1][-1] if rows else None
        if not last or not (_on_line(rows[-1][0], last, word) or _goes_on(last, word)):
            rows.append([word])
        elif _raised(last, word):
            rows[-1][-1] = last._replace(text=last.text + word.text, right=word.right, spans=last.spans + word.spans)
        else:
            rows[-1].append(word)
        rows[-1][0] = rows[-1][0]._replace(line=word.line)
    return rows


def _on_line(first: Word, before: Word, word: Word) -> bool:
    """Whether the reader says so, and it can be."""
    return word.line == first.line and (word.turn == SLANTED or not _above(before, word))


def _raised(before: Word, word: Word) -> bool:
    """Whether the word is a raised or lowered sign that belongs to the word before, or goes on after such a sign."""
    gap = word.left - before.right
    return abs(before.size - word.size) > 0.15 * word.size and -0.2 * word.size < gap < GLUED * word.size


def _goes_on(before: Word, word: Word) -> bool:
    """Whether the word stands close behind the one before, though it is said to be on another line."""
    overlap = min(before.bottom, word.bottom) - max(before.top, word.top)
    beside = overlap > 0.3 * min(before.bottom - before.top, word.bottom - word.top)
    return (
        beside and word.turn != SLANTED and -0.3 * before.size < word.left - before.right < max(before.size, word.size)
    )


def _above(one: Word, other: Word) -> bool:
    """Whether the two stand one above the other, though they are said to be on one line."""
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    return overlap < 0.1 * min(one.bottom - one.top, other.bottom - other.top)


def _cells(rows: Sequence[list[Word]]) -> list[list[Line]]:
    """Each row's runs of words in reading order, cut at wide gaps and where rows nearby have a cell begin."""
    cut = [_runs(row, ()) for row in rows]
    spread = [_spread(row, *cut[max(at - 1, 0) : at], *cut[at + 1 : at + 2]) for at, row in enumerate(rows)]
    cut = [[row] if whole else runs for row, runs, whole in zip(rows, cut, spread, strict=True)]
    begins = [[run[0].left for run in runs[1:]] for runs in cut]
    for index, row in enumerate(rows):
        near = [left for other in begins[max(index - NEAR_ROWS, 0) : index + NEAR_ROWS + 1] for left in other]
        if near and not spread[index]:
            cut[index] = _runs(row, near)
    return [
        sorted((_join(run) for run in runs), key=lambda cell: -cell.right if leftwards else cell.left)
        for runs, row in zip(cut, rows, strict=True)
        for leftwards in [_leftwards(row)]
    ]


def _spread(row: Sequence[Word], *beside: Sequence[Sequence[Word]]) -> bool:
    """Whether its gaps are wide because it, like a line beside it that has none, was spread to both margins."""
    gaps = [word.left - last.right for last, word in pairwise(row)]
    if not gaps or min(gaps) <= 0 or max(gaps) > EVEN * min(gaps):
        return False
    slack = 0.5 * row[0].size
    return any(
        len(runs) == 1 and abs(runs[0][0].left - row[0].left) < slack and abs(runs[0][-1].right - row[-1].right) < slack
        for runs in beside
    )


def _runs(row: Sequence[Word], begins: Sequence[float]) -> list[list[Word]]:
    runs = [[row[0]]]
    leftwards = _leftwards(row)
    for before, word in pairwise(row):
        gap, size = word.left - before.right, max(before.size, word.size, 1)
        if _leftwards((before, word)):
            gap = before.left - word.right
        elif leftwards and (_leftwards((before,)) or _leftwards((word,))):  # a number, for example
            gap = max(gap, before.left - word.right)
        aligned = gap > CELL_GAP * size and sum(abs(word.left - left) < 1 for left in begins) > 1
        if gap > GAP * size or gap < -4 * size or aligned:
            runs.append([])
        runs[-1].append(word)
    return runs


def _leftwards(row: Sequence[Word]) -> bool:
    """Whether the words are of a script that is written from right to left."""
    if row[0].text.isascii() and row[-1].text.isascii():
        return False
    return sum(unicodedata.bidirectional(word.text[0]) in {"R", "AL"} for word in row) * 2 > len(row)


def _join(run: Sequence[Word]) -> Line:
    weights: dict[tuple[float, bool], int] = {}
    for word in run:
        weights[word.size, word.bold] = weights.get((word.size, word.bold), 0) + len(word.text)
    size, bold = max(weights, key=lambda style: weights[style])
    return Line(
        " ".join(word.text for word in run),
        min(word.left for word in run),
        min(word.top for word in run),
        max(word.right for word in run),
        max(word.bottom for word in run),
        size,
        bold,
        tuple(span for word in run for span in word.spans),
    )


def _bands(rows: Sequence[list[Line]]) -> Iterator[list[Line]]:
    """Rows that share a gutter and read as prose on both sides become columns; the others become lines with tabs."""
    start = 0
    while start < len(rows):
        end, gutter = _band(rows, start)
        band = rows[start:end]
        if gutter and _prose(band, gutter):
            yield [cell for row in band for cell in row if cell.right <= gutter]
            yield from _bands([right for row in band if (right := [cell for cell in row if cell.left >= gutter])])
        else:
            yield [joined(row, "\t") for row in band]
        start = end


def _band(rows: Sequence[list[Line]], start: int) -> tuple[int, float]:
    """The end of the run of rows from `start` that have a gap in common, and where its middle is; 0 where none."""
    best = (start + 1, 0.0)
    for before, after in pairwise(rows[start]):
        low, high = before.right, after.left
        end = start + 1
        while end < len(rows):
            narrowed = _narrow(rows[end], low, high)
            if narrowed is None:
                break
            low, high = narrowed
            end += 1
        if end > best[0]:
            best = (end, (low + high) / 2)
    return best


def _narrow(row: Sequence[Line], low: float, high: float) -> tuple[float, float] | None:
    """What of the gap between `low` and `high` the row leaves free."""
    for cell in row:
        if cell.left < low and cell.right > high:
            return None
        if cell.left < (low + high) / 2:
            low = max(low, cell.right)
        else:
            high = min(high, cell.left)
    return (low, high) if high - low > max(cell.size for cell in row) * 0.6 else None


def _prose(band: Sequence[list[Line]], gutter: float) -> bool:
    sides = (
        [cell for row in band for cell in row if cell.right <= gutter],
        [cell for row in band for cell in row if cell.left >= gutter],
    )
    both = sum(1 for row in band if row[0].left < gutter <= row[-1].left)
    return both >= PROSE_LINES and all(
        median(len(cell.text) for cell in side) >= PROSE_CHARACTERS for side in sides if side
    )


def _blocks(found: Sequence[Line]) -> list[list[Line]]:
    """Lines that follow each other downwards."""
    blocks: list[list[Line]] = []
    for line in found:
        before = blocks[-1][-1] if blocks else None
        height = line.bottom - line.top
        if before is None or line.top < before.top - height / 2 or line.top > before.bottom + 3 * height:
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _in_order(blocks: list[list[Line]]) -> list[list[Line]]:
    """Cut the page across or down where no block is cut through, at the widest place; else leave it as written."""
    if len(blocks) <= 1:
        return blocks
    across = _widest([(min(x.top for x in b), max(x.bottom for x in b)) for b in blocks])
    down = _widest([(min(x.left for x in b), max(x.right for x in b)) for b in blocks])
    if across is None and down is None:
        return blocks
    if across is not None and (down is None or not _columns(blocks, down)):
        first = [b for b in blocks if max(x.bottom for x in b) <= across]
    elif down is not None:
        first = [b for b in blocks if max(x.right for x in b) <= down]
    rest = [b for b in blocks if not any(b is other for other in first)]
    return _in_order(first) + _in_order(rest)


def _columns(blocks: Sequence[list[Line]], gutter: float) -> bool:
    """Whether what stands on both sides of the gutter is tall enough to be columns, not a head and a page number."""
    left = sum(len(b) for b in blocks if b[0].right <= gutter)
    right = sum(len(b) for b in blocks if b[0].left >= gutter)
    return min(left, right) >= PROSE_LINES


def _widest(spans: Sequence[tuple[float, float]]) -> float | None:
    """The middle of the widest place that no span covers; None where they leave none."""
    best, where = 0.0, None
    end = float("-inf")
    for low, high in sorted(spans):
        if end != float("-inf") and low - end > best:
            best, where = low - end, (low + end) / 2
        end = max(end, high)
    return where


def _with_room(blocks: Sequence[list[Line]]) -> list[Line | None]:
    """All lines, with None between paragraphs, and marked where they end on purpose."""
    stanzas = [stanza for block in blocks for stanza in _stanzas(block, _usual_step(blocks))]
    ordered: list[Line | None] = []
    for stanza in stanzas:
        margin = max(line.right for line in stanza)
        column = _column_margin(stanza, stanzas)
        for line, after in pairwise([*stanza, None]):
            assert line
            on_purpose = after and (_fits(line, after, margin) or _begins(line, after, column))
            ordered.append(replace(line, text=line.text + ENDED) if on_purpose else line)
        ordered.append(None)
    return ordered[:-1]


def _usual_step(blocks: Sequence[list[Line]]) -> float:
    """The distance from a line to the next, on most of the page."""
    steps = [low.top - high.top for block in blocks for high, low in pairwise(block) if low.top > high.top]
    return median(steps) if steps else 0.0


def _stanzas(block: Sequence[Line], usual: float) -> Iterator[list[Line]]:
    """The block, cut where the page leaves room or the font changes."""
    stanza = [block[0]]
    for before, line in pairwise(block):
        if _apart(before, line, usual) or _differ(before, line):
            yield stanza
            stanza = []
        stanza.append(line)
    yield stanza


def _column_margin(stanza: Sequence[Line], stanzas: Sequence[list[Line]]) -> float:
    """Where the lines of stanzas that begin at the same place end, in the middle."""
    first = stanza[0]
    like = [
        max(line.right for line in other)
        for other in stanzas
        if len(other) >= FEW_LINES and abs(other[0].left - first.left) < 2 * first.size
    ]
    return median(like) if like else 0.0


def _fits(line: Line, after: Line, margin: float) -> bool:
    """Whether the first word of the next line had room on this one."""
    word = (after.right - after.left) * len(after.text.split(None, 1)[0]) / max(len(after.text), 1)
    if line.right + word + 0.8 * line.size >= margin:
        return False
    sure = not after.text[0].islower() or line.text[-1] in ".:;!?"
    return sure or margin - line.right > 0.25 * (margin - line.left)


def _begins(line: Line, after: Line, column: float) -> bool:
    """Whether there was much room in the column, still more where the next line does not look like a beginning."""
    share = 0.6 if after.text[0].islower() else 0.8
    return _fits(line, after, line.left + (column - line.left) * share)


def _apart(before: Line, line: Line, usual: float) -> bool:
    # A table row of several lines is as tall as they are together.
    step = line.top - before.top - max(before.bottom - before.top - TALLEST * before.size, 0.0)
    return step > ROOM * max(usual, (line.bottom - line.top) * 0.9) and step > ROOM * before.size


def _differ(before: Line, line: Line) -> bool:
    return before.bold != line.bold or abs(before.size - line.size) > 0.12 * max(before.size, line.size)

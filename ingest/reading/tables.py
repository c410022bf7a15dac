"""Puts together the rows of tables whose cells have more than one line. Pure.

Programs write a table cell by cell, so a cell of several lines comes as lines of its own, above, below or beside the
row it belongs to.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingest.reading.lines import Line, joined

PROSE_CHARACTERS = 30  # in the middle of all cells; where cells are longer, they may be columns of text
FEWEST_ROWS = 3
MOST_ROWS = 300  # looked at together; a hostile page may have thousands, none of them a table's
MOST_ALONE = 12  # rows of one cell between two with several
TIGHT = 0.9  # of the usual distance between rows; lines nearer than this belong to one cell
MOST_ABOVE = 4  # lines that a cell may begin above the first that was written of its row
LEADING = 1.7  # heights of a line; what is further below begins something else
SLACK = 4.0  # points that a cell may stand out of its column

Row = list[Line]
Extent = tuple[float, float]


def whole_rows(rows: Sequence[Row]) -> list[Row]:
    """The rows; those of a table with cells of several lines are put together, each as one line with tabs."""
    found: list[Row] = []
    start = 0
    while start < len(rows):
        end = start + _end(rows[start : start + MOST_ROWS])
        columns = _columns(rows[start:end]) if end - start >= FEWEST_ROWS else []
        inside = _inside(rows[start:end], columns)
        if inside >= FEWEST_ROWS:
            found += _put_together(rows[start : start + inside], columns)
            start += inside
        else:
            found.append(rows[start])
            start += 1
    return found


def _end(rows: Sequence[Row]) -> int:
    """How many of the first rows may be one table: those with several cells, and a few with one between and after."""
    end = 0
    for index, row in enumerate(rows):
        if len(row) > 1:
            end = index + 1
        elif index - end >= MOST_ALONE or not end:
            return index if end else 0
    return len(rows) if end else 0


def _columns(rows: Sequence[Row]) -> list[Extent]:
    """Left and right of each column, by the rows with most cells that leave room between them; none where no table."""
    several = [row for row in rows if len(row) > 1]
    if len(several) < FEWEST_ROWS - 1 or median(len(cell.text) for row in several for cell in row) > PROSE_CHARACTERS:
        return []
    for count in sorted({len(row) for row in several}, reverse=True):
        alike = [row for row in several if len(row) == count]
        extents = [(min(c.left for c in column), max(c.right for c in column)) for column in zip(*alike, strict=True)]
        apart = all(before[1] < after[0] for before, after in pairwise(extents))
        if apart and _inside(several, extents) == len(several):
            return extents
    return []


def _inside(rows: Sequence[Row], columns: Sequence[Extent]) -> int:
    """How many of the first rows have all their cells in one column each."""
    for index, row in enumerate(rows):
        places = [_column(cell, columns) for cell in row]
        if None in places or len(set(places)) < len(places):
            return index
    return len(rows)


def _column(cell: Line, columns: Sequence[Extent]) -> int | None:
    """The one column the cell lies in, or begins, ends or is centred with, and that reaches into no other."""
    touched = [at for at, (left, right) in enumerate(columns) if cell.left < right and cell.right > left]
    if len(touched) != 1:
        return None
    left, right = columns[touched[0]]
    beside = min(abs(cell.left - left), abs(cell.right - right), abs(cell.left + cell.right - left - right) / 2)
    lies_in = left - SLACK <= cell.left and cell.right <= right + SLACK
    return touched[0] if lies_in or beside <= SLACK else None


def _put_together(rows: Sequence[Row], columns: Sequence[Extent]) -> Iterator[Row]:
    """The table's rows; those to which nothing was added stay as they are, where that is so for all."""
    step = _usual_step(rows, columns)
    made: list[_TableRow] = []
    for index, row in enumerate(rows):
        placed = {column: cell for cell in row if (column := _column(cell, columns)) is not None}
        after = rows[index + 1 : index + 1 + MOST_ALONE]
        begins = len(placed) == len(columns) or (0 in placed and made and made[-1].begun and _opens(row, after))
        if made and not begins and made[-1].takes(placed, step):
            made[-1].add(placed)
        else:
            made.append(_TableRow(placed))
    if len(made) == len(rows):
        yield from rows
    else:
        yield from ([row.line()] for row in made)


def _opens(row: Row, following: Sequence[Row]) -> bool:
    """Whether the cell is alone and what is written next to the right of it stands beside it or a little below."""
    cell, half = row[0], (row[0].bottom - row[0].top) / 2
    right = (other for later in following for other in later if other.left > cell.right)
    after = next(right, None)
    return len(row) == 1 and after is not None and after.bottom > cell.top and after.top < cell.bottom + half


def _usual_step(rows: Sequence[Row], columns: Sequence[Extent]) -> float:
    """The distance from a row to the next, in the middle; only those with a first cell and another count."""
    tops = [row[0].top for row in rows if len(row) > 1 and _column(row[0], columns) == 0]
    steps = [after - before for before, after in pairwise(tops) if after > before]
    return median(steps) if steps else 0.0


class _TableRow:
    """A row under way: for each column the lines of its cell."""

    def __init__(self, cells: dict[int, Line]) -> None:
        self._cells = {column: [cell] for column, cell in cells.items()}

    @property
    def begun(self) -> bool:
        """Whether it has more than its first cell."""
        return max(self._cells) > 0

    def takes(self, cells: dict[int, Line], step: float) -> bool:
        """Whether all of them are further lines of its cells, or cells that it lacks."""
        further = {column: cell for column, cell in cells.items() if column in self._cells}
        lacking = {column: cell for column, cell in cells.items() if column not in self._cells}
        if lacking and min(lacking) < max(self._cells):
            return False
        beside = bool(further) or all(map(self._beside, lacking.values()))
        return beside and all(self._below(column, cell, step, len(cells)) for column, cell in further.items())

    def _beside(self, cell: Line) -> bool:
        """Whether the cell begins above the row's foot, and not far above its head."""
        height = cell.bottom - cell.top
        low = max(lines[-1].bottom for lines in self._cells.values())
        high = min(lines[0].top for lines in self._cells.values())
        return high - MOST_ABOVE * height < cell.top < low - 0.3 * height

    def _below(self, column: int, cell: Line, step: float, count: int) -> bool:
        """Whether the cell goes on with what its column holds; `count` cells are on its line."""
        before = self._cells[column][-1]
        height, down = before.bottom - before.top, cell.top - before.top
        alone = count == 1 and column > 0 and 0 in self._cells and any(map(str.isalpha, cell.text))
        return 0.3 * height < down < LEADING * height and (alone or down < TIGHT * step)

    def add(self, cells: dict[int, Line]) -> None:
        """Put them in."""
        for column, cell in cells.items():
            self._cells.setdefault(column, []).append(cell)

    def line(self) -> Line:
        """All of it as one line with tabs."""
        return joined([joined(self._cells[column], " ") for column in sorted(self._cells)], "\t")

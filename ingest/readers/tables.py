"""What stands in each place of a table whose cells span rows and columns, and which rows are its header? For every format that has such cells.

A cell that spans rows is said again in each of them. One that spans columns is said again in each of these only where most rows have a cell in
every column: in a form, whose cells span columns to look well, it is said once. A header of several rows is told by its shape: each cell
of the first row reaches down to the same row, or spans columns that the rows below divide; a title over it belongs to it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ingest.length import length

_LONGEST = 120  # Chinese characters that a cell may come to when it is said again
_MOST_AGAIN = 100_000  # places of a table in which something is said again
_MOST_COLUMNS = 1_000  # of a table in which cells are said again across
_MOST_HEADERS = 4  # rows of a header
Place = tuple[int, int]  # row and column from 0
Spans = Mapping[Place, tuple[int, int]]  # over how many rows and columns a cell goes that begins at a place


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of the rows that say anything, in order; how many columns there are; and the cells that go over several places."""

    rows: Sequence[int]
    width: int
    spans: Spans

    def again(self, texts: Mapping[Place, str]) -> dict[Place, Place]:
        """For each place in which a cell is said again, where this cell begins; `texts` are at least those of the cells in `spans`."""
        found: dict[Place, Place] = {}
        across, count = self.is_regular, 0
        for (top, left), (down, over) in self.spans.items():
            size = length(texts.get((top, left), ""))
            wide = over if across and not self._is_whole(left, over) and size * over <= _LONGEST else 1
            rows = self.rows[bisect_left(self.rows, top) : bisect_left(self.rows, top + down)]
            count += len(rows) * wide
            if count > _MOST_AGAIN:
                break
            if 0 < size <= _LONGEST:
                places = ((row, column) for row in rows for column in range(left, left + wide))
                found.update((place, (top, left)) for place in places if place != (top, left))
        return found

    @property
    def is_regular(self) -> bool:
        """Whether half of the rows or more have a cell in every column; rows that are one cell do not count."""
        last = self.rows[-1] + 1
        if self.width > _MOST_COLUMNS:
            return False
        cut, whole = [0] * (last + 1), [0] * (last + 1)
        for (top, left), (down, over) in self.spans.items():
            if over > 1:
                kind = whole if self._is_whole(left, over) else cut
                kind[top] += 1
                kind[top + down] -= 1
        cuts, wholes = list(accumulate(cut)), list(accumulate(whole))
        told = [row for row in self.rows if not wholes[row]]
        return 2 * sum(not cuts[row] for row in told) >= len(told)

    def header(self, texts: Mapping[Place, str]) -> int:
        """How many of the first rows are the header, at least one; `texts` are at least those of the first rows."""
        titles = 0
        for top in self.rows[:_MOST_HEADERS]:
            own = {column: span for (row, column), span in self.spans.items() if row == top}
            if any(self._is_whole(column, over) for column, (_, over) in own.items()):
                titles += 1
                continue
            depth = self._depth(top, own, texts)
            return titles + sum(top <= row < top + depth for row in self.rows[: titles + depth])
        return 1

    def _depth(self, top: int, own: Mapping[int, tuple[int, int]], texts: Mapping[Place, str]) -> int:
        """How many rows the header has that begins at row `top`, whose cells that span several places are `own`."""
        alone = [column for column in range(self.width) if column not in own and texts.get((top, column))]
        depth = max((down for down, _ in own.values()), default=1)
        if depth == 1 and (len(own) > 1 or 0 not in own):  # nothing stands beside the groups, and they are no title
            depth = 2
        if alone or not 1 < depth <= _MOST_HEADERS or self.rows[-1] < top + depth:
            return 1
        groups = [(column, *span) for column, span in own.items() if span[1] > 1 and span[0] < depth]
        divided = all(self.spans.get((top + down, left), (1, 1))[1] < over for left, down, over in groups)
        reach_below = any(row < top + depth < row + down for (row, _), (down, _) in self.spans.items() if row >= top)
        return depth if groups and divided and not reach_below else 1

    def _is_whole(self, left: int, over: int) -> bool:
        """Whether a cell is a row of its own."""
        return left == 0 and over >= self.width > 1


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says, its cells joined by bars; its number in the file, from 0, and whether it belongs to the header."""

    number: int
    text: str
    header: bool


def table_of(cells: Mapping[Place, str], spans: Spans) -> Table | None:
    """The table of these cells, None if they say nothing; arguments as of `rows_of`."""
    rows = sorted({row for (row, _), text in cells.items() if text})
    if not rows:
        return None
    height, width = rows[-1] + 1, 1 + max(column for (_, column), text in cells.items() if text)
    clipped = {
        (top, left): (min(down, height - top), min(over, width - left))
        for (top, left), (down, over) in spans.items()
        if top < height and left < width
    }
    return Table(rows, width, {place: span for place, span in clipped.items() if span != (1, 1)})


def rows_of(cells: Mapping[Place, str], spans: Spans, *, named: int = 0) -> Iterator[Row]:
    """The rows in which a cell begins that says anything.

    Args:
        cells: The text of each cell by the place where it begins, empty ones too.
        spans: Of the cells that go over several places; they may reach out of the table.
        named: The number of rows that the file itself calls the header.
    """
    table = table_of(cells, spans)
    if table is None:
        return
    header, regular = table.header(cells), table.is_regular
    by_row: dict[int, dict[int, str]] = {row: {} for row in table.rows}
    for (row, column), text in cells.items():
        if row in by_row:
            by_row[row][column] = text
    for (row, column), own in table.again(cells).items():
        by_row[row][column] = by_row[row].get(column) or cells[own]
    for at, (row, said) in enumerate(by_row.items()):
        texts = [said.get(column, "") for column in (range(max(said) + 1) if regular else sorted(said))]
        while not texts[-1]:
            texts.pop()
        yield Row(row, " | ".join(texts), at < header or row < named)

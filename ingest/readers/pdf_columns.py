"""What do wide gaps in the lines of a page mean: columns of text, a table without rules, or nothing? Geometry alone, no vendor.

Programs that write a page row by row put what stands in two columns on one line, and the cells of a table too. Rows that follow each other and
have a gap at the same place make a block. Where its pieces fill their columns, it is text in columns, read one after the other; where the
pieces are short, it is a table, read row by row. Anything else is left as it was.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ingest.length import length
from ingest.readers.pdf_lines import Line, joined
from ingest.readers.pdf_order import reading_order
from ingest.readers.pdf_runs import upright

_WIDE = 1.5  # type sizes from one character to the next; a wider gap may end a column
_NARROWEST = 0.8  # type sizes that must stay free in all rows of a block
_LEAST_ROWS = 3
_FULL = 0.7  # of its column's width that a line of running text fills
_LONG = 8.0  # Chinese characters in a line of running text
_LONGEST_CELL = 25.0
_MOST_COLUMNS_OF_TEXT = 3
_SMALLER = 0.93  # of the type above, that notes are not larger than
_SPACES = (0x09, 0x20, 0xA0, 0x2002, 0x2003, 0x3000)
_NUMBER = re.compile(r"\d{1,4}")
Gap = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Row:
    """Pieces side by side, from left to right, and the lines that they were."""

    pieces: tuple[Line, ...]
    lines: tuple[Line, ...]

    @property
    def top(self) -> float:
        return min(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        return max(piece.bottom for piece in self.pieces)

    @property
    def size(self) -> float:
        return max(piece.size for piece in self.pieces)

    def gaps(self) -> list[Gap]:
        """What is free between its pieces."""
        return [(a.right, b.left) for a, b in pairwise(self.pieces) if b.left - a.right > _WIDE * self.size]


def arranged(lines: Sequence[Line], size: tuple[float, float]) -> list[Line]:
    """The lines of a page of this width and height in reading order, cut at the gaps between columns; rows of tables without rules as such rows."""
    if any(line.turns for line in lines):
        return _turned(lines, size)
    wide = _with_gaps(lines)
    cut = [pieces(line) if i in wide else [line] for i, line in enumerate(lines)]
    if not any(
        len(several) > 1 or _is_beside(a, b) for several, a, b in zip(cut, lines, [*lines[1:], None], strict=True)
    ):
        return list(lines)
    found: list[Line] = []
    tables = max((line.table for line in lines), default=0)
    above: tuple[list[Gap], float] = [], 0.0  # of the text in columns that came last: its gaps, its type size
    for block in _blocks(_rows(lines, cut)):
        gaps = _common_gaps(block)
        columns = _columns(block, gaps) if gaps else []
        if columns and _is_text(columns):
            found.extend(piece for column in columns for piece in column)
            above = gaps, block[0].size
        elif _are_notes(block, *above):
            found.extend(piece for column in _columns(block, above[0]) for piece in column)
        elif columns and _is_contents(columns):
            found.extend(_whole(row, "   ") for row in block)
        elif columns and _is_table(block, gaps, columns):
            tables += 1
            found.extend(_table_rows(block, gaps, tables))
        else:
            found.extend(line for row in block for line in row.lines)
    return found


def _with_gaps(lines: Sequence[Line]) -> set[int]:
    """Which of the lines may have a wide gap; all of the page at once, since most have none."""
    if not lines:
        return set()
    boxes = np.concatenate([line.boxes for line in lines])
    owner = np.repeat(np.arange(len(lines)), [len(line.text) for line in lines])
    points = np.frombuffer("".join(line.text for line in lines).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    shown = ~np.isin(points, _SPACES) & ~np.isnan(boxes[:, 0])
    boxes, owner = boxes[shown], owner[shown]
    least = np.array([_WIDE * line.size for line in lines])
    wide = (boxes[1:, 0] - boxes[:-1, 2] > least[owner[1:]]) & (owner[1:] == owner[:-1])
    return set(owner[1:][wide].tolist())


def pieces(line: Line, wide: float = _WIDE) -> list[Line]:
    """The line, cut at its gaps of more than so many type sizes."""
    if line.table or line.turns or len(line.text) < 2:
        return [line]
    shown = [i for i, char in enumerate(line.text) if not char.isspace() and line.boxes[i, 0] == line.boxes[i, 0]]
    boxes = line.boxes[shown]
    cuts = (
        np.flatnonzero(boxes[1:, 0] - np.maximum.accumulate(boxes[:-1, 2]) > wide * line.size) if len(shown) > 1 else ()
    )
    if not len(cuts):
        return [line]
    starts = [0, *(shown[int(i) + 1] for i in cuts)]
    ends = [*(shown[int(i)] + 1 for i in cuts), len(line.text)]
    return [part(line, start, end) for start, end in zip(starts, ends, strict=True)]


def part(line: Line, start: int, end: int) -> Line:
    """The characters [start, end) of a line that is not turned, as a line."""
    boxes = line.boxes[start:end]
    left, top = np.nanmin(boxes[:, :2], axis=0).tolist()
    right, bottom = np.nanmax(boxes[:, 2:], axis=0).tolist()
    return replace(line, text=line.text[start:end], boxes=boxes, left=left, top=top, right=right, bottom=bottom)


def _is_beside(line: Line, after: Line | None) -> bool:
    """Whether the next line stands to the right of this one."""
    if after is None or line.table or after.table:
        return False
    common = min(line.bottom, after.bottom) - max(line.top, after.top)
    return after.left > line.right and common > 0.5 * min(line.bottom - line.top, after.bottom - after.top)


def _rows(lines: Sequence[Line], cut: Sequence[Sequence[Line]]) -> Iterator[_Row]:
    current: list[int] = []
    for i, line in enumerate(lines):
        if current and not _is_beside(lines[i - 1], line):
            yield _Row(tuple(piece for k in current for piece in cut[k]), tuple(lines[k] for k in current))
            current = []
        current.append(i)
    if current:
        yield _Row(tuple(piece for k in current for piece in cut[k]), tuple(lines[k] for k in current))


def _blocks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    """Rows that follow each other downwards and leave a gap free in the same place; other rows alone."""
    block: list[_Row] = []
    gaps: list[Gap] = []
    for row in rows:
        near = bool(block) and -0.5 * row.size < row.top - block[-1].bottom < 2.5 * row.size
        free = _free(gaps, row) if near and not row.pieces[0].table else []
        if free and (len(row.pieces) > 1 or len(free) == len(gaps)):
            block.append(row)
            gaps = free
            continue
        yield from _closed(block)
        block, gaps = [row], row.gaps()
    yield from _closed(block)


def _closed(block: list[_Row]) -> Iterator[list[_Row]]:
    """The block, if enough of its rows have several pieces or all have, else its rows one by one."""
    several = sum(len(row.pieces) > 1 for row in block)
    if several >= _LEAST_ROWS or several == len(block):
        yield block
    else:
        yield from ([row] for row in block)


def _common_gaps(block: Sequence[_Row]) -> list[Gap]:
    """The gaps that all rows leave free which have as many pieces as most rows with several."""
    counts = Counter(len(row.pieces) for row in block if len(row.pieces) > 1)
    if len(block) < _LEAST_ROWS or not counts:
        return []
    usual = max(counts, key=lambda count: (counts[count], count))
    rows = [row for row in block if len(row.pieces) == usual]
    gaps = rows[0].gaps()
    for row in rows[1:]:
        gaps = _free(gaps, row)
    return gaps


def _free(gaps: Sequence[Gap], row: _Row) -> list[Gap]:
    """What of the gaps the row leaves free."""
    found = []
    for gap in gaps:
        start, end = gap
        for piece in (piece for piece in row.pieces if piece.left < end and piece.right > start):
            start, end = (start, piece.left) if piece.left - start >= end - piece.right else (piece.right, end)
        if end - start > _NARROWEST * row.size:
            found.append((start, end))
    return found


def _columns(block: Sequence[_Row], gaps: Sequence[Gap]) -> list[list[Line]]:
    columns: list[list[Line]] = [[] for _ in range(len(gaps) + 1)]
    for row in block:
        for number, several in _cells(row, gaps).items():
            columns[number].extend(several)
    return columns


def _cells(row: _Row, gaps: Sequence[Gap]) -> dict[int, list[Line]]:
    """The pieces of a row by the number of their column."""
    cells: dict[int, list[Line]] = {}
    for piece in row.pieces:
        number = sum(piece.left >= end - 0.01 for _, end in gaps)
        cells.setdefault(number, []).append(piece)
    return cells


def _is_text(columns: Sequence[Sequence[Line]]) -> bool:
    """Whether most of the pieces are long and reach over their column."""
    if not 1 < len(columns) <= _MOST_COLUMNS_OF_TEXT or min(map(len, columns)) < _LEAST_ROWS:
        return False
    for column in columns:
        left, right = min(piece.left for piece in column), max(piece.right for piece in column)
        full = [piece.right - piece.left > _FULL * (right - left) and length(piece.text) >= _LONG for piece in column]
        if 2 * sum(full) <= len(full):
            return False
    return True


def _are_notes(block: Sequence[_Row], gaps: Sequence[Gap], size: float) -> bool:
    """Whether the rows are in smaller type than the text in columns above them, and in the same columns."""
    return bool(gaps) and all(
        len(row.pieces) > 1 and row.size < _SMALLER * size and len(_free(gaps, row)) == len(gaps) for row in block
    )


def _is_contents(columns: Sequence[Sequence[Line]]) -> bool:
    """Whether they are titles and the numbers of their pages."""
    return len(columns) == 2 and all(_NUMBER.fullmatch(piece.text.strip()) for piece in columns[1])


def _is_table(block: Sequence[_Row], gaps: Sequence[Gap], columns: Sequence[Sequence[Line]]) -> bool:
    """Whether the pieces are short and most rows have several; but for a header only, none reaches over a gap."""
    if any(not column for column in columns):
        return False
    several = sum(len(row.pieces) > 1 for row in block)
    short = all(length(piece.text) <= _LONGEST_CELL for column in columns for piece in column)
    return short and 3 * several >= 2 * len(block) and all(len(_free(gaps, row)) == len(gaps) for row in block[2:])


def _table_rows(block: Sequence[_Row], gaps: Sequence[Gap], table: int) -> Iterator[Line]:
    """The rows of a table; what stands close under a row and has nothing in the first column goes on with its cells."""
    cells: dict[int, list[Line]] = {}
    above: _Row | None = None
    for row in block:
        own = _cells(row, gaps)
        goes_on = (
            above is not None and 0 not in own and len(own) < len(cells) and row.top - above.bottom < 0.6 * row.size
        )
        if cells and not goes_on:
            yield _row_line(cells, table)
            cells = {}
        for number, several in own.items():
            cells.setdefault(number, []).extend(several)
        above = row
    if cells:
        yield _row_line(cells, table)


def _whole(row: _Row, glue: str) -> Line:
    return joined(row.pieces, glue=glue) or row.lines[0]


def _row_line(cells: dict[int, list[Line]], table: int) -> Line:
    shown = [line for number in sorted(cells) if (line := joined(cells[number])) is not None]
    return replace(joined(shown, glue=" | ") or shown[0], table=table)


def _turned(lines: Sequence[Line], size: tuple[float, float]) -> list[Line]:
    """A page with lines that run another way: those of the commonest way in their order, the others before or after them."""
    weight = {turns: sum(len(line.text) for line in lines if line.turns == turns) for turns in (0, 1, 2, 3)}
    main = max(weight, key=lambda turns: weight[turns])
    body = [line for line in lines if line.turns == main]
    if main:
        order = reading_order(np.array([[it.left, it.top, it.right, it.bottom] for it in body], dtype=np.float32))
        body = [replace(body[i], turns=0, boxes=upright(body[i].boxes, main, size)) for i in order]
    body = arranged(body, size)
    if main:
        back = (size[1], size[0]) if main % 2 else size
        body = [replace(line, turns=main, boxes=upright(line.boxes, 4 - main, back)) for line in body]
    middle = float(np.median([np.nanmean(line.boxes[:, [1, 3]]) for line in body]))
    before = [line for line in lines if line.turns != main and np.nanmax(line.boxes[:, 3]) < middle]
    after = [line for line in lines if line.turns != main and not np.nanmax(line.boxes[:, 3]) < middle]
    return [*before, *body, *after]

"""Which characters of a PDF page make a line, and which a row of a ruled table? Geometry alone, no vendor."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ingest.length import FIFTHS, fifths, is_wide
from ingest.lines import joint
from ingest.marks import ends_sentence
from ingest.readers.pdf_chars import PageChars
from ingest.readers.pdf_frames import framed
from ingest.readers.pdf_runs import Runs, runs, upright
from ingest.readers.pdf_tables import Grid, grids
from ingest.readers.tables import table_of
from xuesi.core.ports import Floats
from xuesi.core.text import canonical

_FULL = 2.0  # type sizes, padding included, that are left free at the right of a full line in a cell
_SEEN, _SEEN_IF_PUT_IN = 0.15, 0.35  # of the type size: gaps between ideographs that a reader sees as a space


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page (from 0) as it reads, with the box of each of its code points and of the whole, in points; `size` is that of its type.

    A row of a table is a line too: its cells joined by bars, `table` the number of its table on the page from 1, `header` as in `Block`. A line that runs down or up
    has its sides (not its boxes) as they are on the page after `turns` quarter turns against the clock, on which it reads from left to right.
    Vertical print is such a line. Of a row `columns` are those in which a cell of its own says anything; with
    `is_open` the last of them ends in a line that is full and ends no sentence, and a row that `goes_on` is the rest of the one before. `frame` is the number of the box on the page in which it stands, else 0. With `tied` nothing stands between it and the line that goes on with it: a word that is broken there.
    """

    page: int
    text: str
    boxes: Floats
    left: float
    top: float
    right: float
    bottom: float
    size: float
    table: int = 0
    turns: int = 0
    tied: bool = False
    header: bool = False
    frame: int = 0
    columns: tuple[int, ...] = ()
    is_open: bool = False
    goes_on: bool = False


def lines_of(chars: PageChars, page: int) -> list[Line]:
    """The lines of a page in PDFium's order, a ruled table's rows where its first character comes.

    Spaces that PDFium put between ideographs go, and those of the file that nobody sees; a wide gap stays a space.
    """
    tables = grids(chars.rules)
    owners, cells = _in_tables(chars, tables)
    found = runs(chars)
    lines: list[Line] = []
    begun: set[int] = set()
    for start, end in found.ranges:
        for owner, first, last in _owned(owners, start, end) if owners else ((0, start, end),):
            if owner <= 0:
                several = _lines_from(chars, slice(first, last), found.turns.get(start, 0), page)
                lines.extend([replace(line, frame=-owner) for line in several] if owner else several)
            elif owner not in begun:
                begun.add(owner)
                lines.extend(_rows(chars, owners, cells, (owner, tables[owner - 1]), page, found))
    return lines


def _owned(owners: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Owner, start and end of the pieces of a line that lie in one table, in one box, or in none."""
    for owner, run in groupby(range(start, end), key=owners.__getitem__):
        at = list(run)
        yield owner, at[0], at[-1] + 1


def _in_tables(chars: PageChars, tables: Sequence[Grid]) -> tuple[list[int], NDArray[np.int64]]:
    """For each character the number of its table, or minus that of the box around it (0: neither), and its cell; no numbers where all are 0.

    What PDFium put in between goes with the character before it.
    """
    owners = np.zeros(len(chars.text), dtype=np.int64)
    cells = np.full((len(chars.text), 2), -1, dtype=np.int64)
    x, y = chars.boxes[:, [0, 2]].mean(axis=1), chars.boxes[:, [1, 3]].mean(axis=1)
    for number, table in enumerate(tables, start=1):
        found = table.cells(x, y)
        inside = (found[:, 0] >= 0) & (owners == 0)
        owners[inside], cells[inside] = number, found[inside]
    owners -= framed(chars.rules, chars.boxes, owners == 0)
    if not owners.any():
        return [], cells
    for i in np.flatnonzero(np.isnan(x)).tolist():
        if i > 0:
            owners[i], cells[i] = owners[i - 1], cells[i - 1]
    return owners.tolist(), cells


def _rows(
    chars: PageChars, owners: Sequence[int], cells: NDArray[np.int64], table: tuple[int, Grid], page: int, found: Runs
) -> Iterator[Line]:
    """The rows of a table; what a cell that spans rows says is said again in each of them, and in a header what one says that spans columns."""
    number, grid = table
    by_cell: dict[tuple[int, int], list[int]] = {}
    for i in [i for i, owner in enumerate(owners) if owner == number]:
        by_cell.setdefault((int(cells[i, 0]), int(cells[i, 1])), []).append(i)
    inside = {key: list(_cell_lines(chars, by_cell[key], page, found)) for key in by_cell}
    shown = {key: line for key in by_cell if (line := joined(inside[key]))}
    first = min((column for _, column in shown), default=0)
    said = {(row, column - first): line for (row, column), line in shown.items()}
    texts = {place: line.text for place, line in said.items()}
    laid = table_of(texts, {(row, column - first): span for (row, column), span in grid.spans().items()})
    if laid is None:
        return
    header = laid.rows[: laid.header(texts)]
    for (row, column), own in laid.again(texts).items():
        if column == own[1] or (row in header and len(header) > 1):  # elsewhere a rule may only be missing
            said.setdefault((row, column), said[own])
    for row, keys in groupby(sorted(said), key=lambda place: place[0]):
        several = [said[key] for key in keys]
        whole = joined(several, glue=" | ") or several[0]
        columns = tuple(sorted(column for at, column in shown if at == row))
        is_open = bool(columns) and _is_open(inside[row, columns[-1]][-1], grid)
        yield replace(whole, table=number, header=row in header, columns=columns, is_open=is_open)


def _is_open(line: Line, grid: Grid) -> bool:
    """Whether the last line of a cell reaches its right side and ends no sentence."""
    right = grid.down[grid.down[:, 0] > line.right, 0].min(initial=np.inf)
    return bool(right - line.right < _FULL * line.size) and not ends_sentence(line.text)


def _lines_from(chars: PageChars, where: slice, turns: int, page: int) -> list[Line]:
    """The line that the characters make, if they make one."""
    boxes = chars.boxes[where]
    sides = upright(boxes, turns, (chars.width, chars.height)) if turns else boxes
    line = _line(chars.text[where], boxes, sides, chars.generated[where].tolist(), page)
    return [] if line is None else [replace(line, turns=turns) if turns else line]


def _cell_lines(chars: PageChars, indices: Sequence[int], page: int, found: Runs) -> Iterator[Line]:
    """The lines inside a cell, whose characters need not follow each other in the text of the page."""
    starts = [start for start, _ in found.ranges]
    for _, run in groupby(indices, key=lambda i: bisect.bisect_right(starts, i)):
        at = list(run)
        line = _line(
            "".join(chars.text[i] for i in at), chars.boxes[at], chars.boxes[at], chars.generated[at].tolist(), page
        )
        if line is not None:
            yield line


def joined(lines: Sequence[Line], glue: str | None = None) -> Line | None:
    """The lines as one; `glue` between them, by default what joins pieces of a sentence."""
    if not lines:
        return None
    whole = lines[0]
    for line in lines[1:]:
        between = joint(whole.text, line.text) if glue is None else glue
        gap = np.full((len(between), 4), np.nan, dtype=np.float32)
        whole = Line(
            whole.page,
            whole.text + between + line.text,
            np.concatenate([whole.boxes, gap, line.boxes]),
            min(whole.left, line.left),
            min(whole.top, line.top),
            max(whole.right, line.right),
            max(whole.bottom, line.bottom),
            whole.size,
        )
    return whole


def _line(text: str, boxes: Floats, sides: Floats, generated: Sequence[bool], page: int) -> Line | None:
    """The line of these characters; `sides` are their boxes on the page turned so that it reads from left to right."""
    text = text.rstrip("\r")
    sides, generated = sides[: len(text)], generated[: len(text)]
    size = _middle((sides[:, 3] - sides[:, 1])[~np.isnan(sides[:, 0])])
    keep = list(range(len(text)))
    if " " in text:
        keep = [i for i in keep if text[i] != " " or not _is_needless(text, sides, i, size, put_in=generated[i])]
    if canonical(text) != text:
        keep = [i for i in keep if canonical(text[i]).strip("\n")]
    while keep and text[keep[0]].isspace():
        keep.pop(0)
    while keep and text[keep[-1]].isspace():
        keep.pop()
    if not keep:
        return None
    if len(keep) < len(boxes):
        boxes, sides = boxes[keep], sides[keep]
    shown = "".join(text[i] for i in keep)
    has_box = ~np.isnan(sides[:, 0])
    if not has_box.any():
        return Line(page, shown, boxes, 0.0, 0.0, 0.0, 0.0, size)
    wide = has_box & (fifths(shown) == FIFTHS)
    if 2 * np.count_nonzero(wide) >= len(shown):
        size = _middle((sides[:, 2] - sides[:, 0])[wide])  # the advance of an ideograph is its type size
    left, top, *_ = np.fmin.reduce(sides).tolist()
    *_, right, bottom = np.fmax.reduce(sides).tolist()
    return Line(page, shown, boxes, left, top, right, bottom, size)


def _is_needless(text: str, boxes: Floats, i: int, size: float, *, put_in: bool) -> bool:
    """Whether a space stands between two ideographs that touch, or next to nothing."""
    if not 0 < i < len(text) - 1:
        return put_in
    gap = float(boxes[i + 1, 0] - boxes[i - 1, 2])
    seen = gap > (_SEEN_IF_PUT_IN if put_in else _SEEN) * size
    return is_wide(text[i - 1]) and is_wide(text[i + 1]) and not seen


def _middle(values: Floats) -> float:
    """The median, without numpy's checks, which cost more than all else for a line; 0 of nothing."""
    return float(np.sort(values)[len(values) // 2]) if len(values) else 0.0

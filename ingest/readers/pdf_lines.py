"""Which characters of a PDF page make a line, and which a row of a ruled table? Geometry alone, no vendor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ingest.length import FIFTHS, fifths, is_wide
from ingest.lines import joint
from ingest.readers.pdf_chars import PageChars
from ingest.readers.pdf_tables import Grid, grids
from xuesi.core.ports import Floats
from xuesi.core.text import canonical


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page (from 0) as it reads, with the box of each of its code points and of the whole, in points; `size` is that of its type.

    A row of a table is a line too: its cells joined by bars, `table` the number of its table on the page from 1.
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


def lines_of(chars: PageChars, page: int) -> list[Line]:
    """The lines of a page in PDFium's order, a ruled table's rows where its first character comes.

    Spaces that PDFium put between ideographs go; a wide gap stays a space.
    """
    tables = grids(chars.rules)
    owners, cells = _in_tables(chars, tables)
    lines: list[Line] = []
    start = 0
    begun: set[int] = set()
    for text in chars.text.split("\n"):
        end = start + len(text)
        for owner, run in groupby(range(start, end), key=owners.__getitem__):
            if not owner:
                lines.extend(_lines_from(chars, list(run), page))
            elif owner not in begun:
                begun.add(owner)
                lines.extend(_rows(chars, owners, cells, owner, page))
        start = end + 1
    return lines


def _in_tables(chars: PageChars, tables: Sequence[Grid]) -> tuple[list[int], NDArray[np.int64]]:
    """For each character the number of its table (0: none) and its cell; what PDFium put in between goes with the character before it."""
    owners = np.zeros(len(chars.text), dtype=np.int64)
    cells = np.full((len(chars.text), 2), -1, dtype=np.int64)
    x, y = chars.boxes[:, [0, 2]].mean(axis=1), chars.boxes[:, [1, 3]].mean(axis=1)
    for number, table in enumerate(tables, start=1):
        found = table.cells(x, y)
        inside = (found[:, 0] >= 0) & (owners == 0)
        owners[inside], cells[inside] = number, found[inside]
    for i in np.flatnonzero(np.isnan(x)).tolist() if tables else ():
        if i > 0:
            owners[i], cells[i] = owners[i - 1], cells[i - 1]
    return owners.tolist(), cells


def _rows(chars: PageChars, owners: Sequence[int], cells: NDArray[np.int64], table: int, page: int) -> Iterator[Line]:
    inside = [i for i, owner in enumerate(owners) if owner == table]
    by_cell: dict[tuple[int, int], list[int]] = {}
    for i in inside:
        by_cell.setdefault((int(cells[i, 0]), int(cells[i, 1])), []).append(i)
    for _, row in groupby(sorted(by_cell), key=lambda cell: cell[0]):
        shown = [cell for cell in (_joined(_lines_from(chars, by_cell[key], page)) for key in row) if cell is not None]
        if shown:
            yield replace(_joined(shown, glue=" | ") or shown[0], table=table)


def _lines_from(chars: PageChars, indices: Sequence[int], page: int) -> list[Line]:
    """The lines that the characters make, broken where PDFium broke them."""
    lines: list[Line] = []
    for is_break, run in groupby(indices, key=lambda i: chars.text[i] == "\n"):
        at = list(run)
        text = "".join(chars.text[i] for i in at)
        line = None if is_break else _line(text, chars.boxes[at], chars.generated[at].tolist(), page)
        if line is not None:
            lines.append(line)
    return lines


def _joined(lines: Sequence[Line], glue: str | None = None) -> Line | None:
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


def _line(text: str, boxes: Floats, generated: Sequence[bool], page: int) -> Line | None:
    text = text.rstrip("\r")
    boxes, generated = boxes[: len(text)], generated[: len(text)]
    size = _middle((boxes[:, 3] - boxes[:, 1])[~np.isnan(boxes[:, 0])])
    keep = [i for i, put_in in enumerate(generated) if not (put_in and _is_needless(text, boxes, i, size))]
    if canonical(text) != text:
        keep = [i for i in keep if canonical(text[i]).strip("\n")]
    while keep and text[keep[0]].isspace():
        keep.pop(0)
    while keep and text[keep[-1]].isspace():
        keep.pop()
    if not keep:
        return None
    kept = boxes[keep]
    shown = "".join(text[i] for i in keep)
    has_box = ~np.isnan(kept[:, 0])
    if not has_box.any():
        return Line(page, shown, kept, 0.0, 0.0, 0.0, 0.0, size)
    left, top = kept[has_box, :2].min(axis=0).tolist()
    right, bottom = kept[has_box, 2:].max(axis=0).tolist()
    wide = has_box & (fifths(shown) == FIFTHS)
    if 2 * wide.sum() >= len(shown):
        size = _middle((kept[:, 2] - kept[:, 0])[wide])  # the advance of an ideograph is its type size
    return Line(page, shown, kept, left, top, right, bottom, size)


def _is_needless(text: str, boxes: Floats, i: int, size: float) -> bool:
    if not 0 < i < len(text) - 1 or text[i] != " ":
        return text[i] != " "
    gap = float(boxes[i + 1, 0] - boxes[i - 1, 2])
    return is_wide(text[i - 1]) and is_wide(text[i + 1]) and not gap > 0.35 * size


def _middle(values: Floats) -> float:
    """The median, without numpy's checks, which cost more than all else for a line; 0 of nothing."""
    return float(np.sort(values)[len(values) // 2]) if len(values) else 0.0

"""Which cells of a web page's tables stand in which places, and which rows are a header? Written into the tree before a part of it is taken."""

import copy
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from lxml import etree

from ingest.readers.tables import Place, table_of

_MOST_ROWS, _MOST_COLUMNS = 200, 50  # that one cell may span
_WIDEST = 1_000  # columns beyond which no cell spans any: each row looks for free ones from the first on
_HEADER = "header"  # the attribute of a row that belongs to a header of several


def spread(table: Any) -> None:
    """Put cells that span rows or columns into each of these places, and mark the rows of a header of several rows."""
    rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
    found, spans = _places(rows)
    named = sum(1 for _ in takewhile(_is_named, rows))
    if not spans and not 1 < named < len(rows):
        return
    texts = {place: _words(cell) for place, cell in found.items()}
    laid = table_of(texts, spans)
    if laid is None:
        return
    if spans:
        places: list[dict[int, Any]] = [{} for _ in rows]
        for (row, column), cell in found.items():
            places[row][column] = cell
        for (row, column), own in laid.again(texts).items():
            places[row].setdefault(column, copy.deepcopy(found[own]))
        for row, cells in zip(rows, places, strict=True):
            _rewrite(row, cells, regular=laid.is_regular)
    header = {*laid.rows[: laid.header(texts)], *(range(named) if named < len(rows) else ())}
    for number in header if len(header) > 1 else ():
        rows[number].set(_HEADER, _HEADER)


def is_header(row: Any) -> bool:
    """Whether a row of a tree that was written out belongs to a header of several rows."""
    return bool(row.get(_HEADER) == _HEADER)


def mark_again(part: Any, whole: Any) -> None:
    """Mark in a part of the tree, made anew by another, the rows that are marked in the whole."""
    marked = {_words(row) for row in whole.iter("tr") if is_header(row)}
    for row in part.iter("row") if marked else ():
        if _words(row) in marked:
            row.set(_HEADER, _HEADER)


def _places(rows: Sequence[Any]) -> tuple[dict[Place, Any], dict[Place, tuple[int, int]]]:
    """The cells by the place where each begins, and over how many rows and columns those go that span several."""
    found: dict[Place, Any] = {}
    spans: dict[Place, tuple[int, int]] = {}
    free: dict[int, int] = {}  # from which row on a column is free
    for number, row in enumerate(rows):
        column = 0
        for cell in row.iterchildren("td", "th"):
            while column < _WIDEST and free.get(column, 0) > number:
                column += 1
            down, over = _span(cell, "rowspan", _MOST_ROWS), _span(cell, "colspan", _MOST_COLUMNS)
            down, over = (down, over) if column < _WIDEST else (1, 1)
            found[number, column] = cell
            if (down, over) != (1, 1):
                spans[number, column] = down, over
            free.update(dict.fromkeys(range(column, column + over), number + down))
            column += over
    return found, spans


def _span(cell: Any, name: str, most: int) -> int:
    value = cell.attrib.pop(name, "1").strip()
    return min(max(1, int(value)), most) if value.isdecimal() and len(value) < 7 else 1


def _rewrite(row: Any, cells: dict[int, Any], *, regular: bool) -> None:
    """Have these cells in the row, by their columns; with `regular` empty ones between them."""
    for cell in list(row.iterchildren("td", "th")):
        row.remove(cell)
    for column in range(max(cells, default=-1) + 1) if regular else sorted(cells):
        row.append(cells[column] if column in cells else etree.Element("td"))


def _is_named(row: Any) -> bool:
    return row.find("th") is not None and row.find("td") is None


def _words(element: Any) -> str:
    """What it says; nothing for a cell around a table."""
    return "" if next(element.iter("table"), None) is not None else "".join("".join(element.itertext()).split())

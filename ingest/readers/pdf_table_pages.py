"""Does a table go on over the end of a page? Then its rows are one table, and the header that each page says again goes.

A row that the page end cut in two is joined where only its last cell goes on: that ends in a full line and in no sentence, and the first row of the
next page says something in this column alone. Where more cells go on, they stay the row that they look like.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.marks import opens_paragraph
from ingest.readers.pdf_lines import Line
from xuesi.core.ports import Furniture, LeftOut

_MOST_HEADERS = 3  # rows of a header
_GOES_ON = re.compile(r"续\s*表.{0,20}|.{0,30}[（(]\s*(?:续|续表|continued)\s*[）)]", re.IGNORECASE)
Table = tuple[int, int]  # page from 0, and number on it


def over_pages(
    pages: Sequence[Sequence[Line]],
) -> tuple[list[list[Line]], dict[Table, Table], tuple[LeftOut, ...]]:
    """The lines without headers that are said again, for each table that goes on with one the table that it belongs to, and what was left out."""
    kept = [list(lines) for lines in pages]
    begun: dict[Table, Table] = {}
    headers: dict[Table, list[Line]] = {}
    gone: dict[str, list[int]] = {}
    before: Table | None = None  # with which the page before ends
    for page, lines in enumerate(kept):
        first = 1 if len(lines) > 1 and _GOES_ON.fullmatch(lines[0].text.strip()) else 0
        if before is not None and len(lines) > first and lines[first].table:
            rows = list(_first_rows(lines[first:]))
            header = headers[before]
            same = _same(header, rows)
            rest = _is_rest(kept[page - 1][-1], rows[same])
            whole = rows[1] if rest and len(rows) > 1 else rows[0]
            if same or _cells(whole) == _cells(header[-1]):
                begun[page, rows[0].table] = before
                for line in lines[: first + same]:
                    gone.setdefault(line.text, []).append(page + 1)
                del lines[: first + same]
                if rest:
                    lines[0] = replace(lines[0], goes_on=True)
        if lines:
            last = page, lines[-1].table
            for line in lines:
                if line.table and (page, line.table) not in begun:
                    known = headers.setdefault((page, line.table), [])
                    known.extend([line] if len(known) < _MOST_HEADERS else [])
            before = begun.get(last, last) if last[1] else None
    left_out = tuple(LeftOut(Furniture.TABLE_HEADER, text, tuple(on)) for text, on in gone.items())
    return kept, begun, left_out


def _first_rows(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        if line.table != lines[0].table:
            return
        yield line


def _same(header: Sequence[Line], rows: Sequence[Line]) -> int:
    """How many rows at the start say what the header says; a table of which no row is left was not said again."""
    count = 0
    while count < min(len(header), len(rows) - 1) and _words(header[count]) == _words(rows[count]):
        count += 1
    return count


def _is_rest(row: Line, line: Line) -> bool:
    """Whether a row is the rest of the last cell of the row before."""
    alone = len(line.columns) == 1 < len(row.columns) and line.columns == row.columns[-1:]
    return alone and row.is_open and not opens_paragraph(line.text)


def _words(line: Line) -> str:
    return "".join(line.text.split())


def _cells(line: Line) -> int:
    return line.text.count(" | ") + 1

"""What does a spreadsheet say? Sheet by sheet: the rows with the values that were shown last, the first row as the header of the rest."""

import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import openpyxl

from ingest.pages_read import page_read
from ingest.readers.ooxml import office_errors
from ingest.readers.tables import Place, Row, Spans, rows_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading

_MOST_CELLS = 500_000  # empty ones among them: one cell at the end of each row would make billions
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384  # of a sheet; a number beyond them makes openpyxl count up to it
_MOST_MERGED = 50_000
_PIECE = 1_000_000  # bytes
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_GIVEN_BY_PROGRAM = re.compile(r"(?:sheet|工作表|表)\s*\d*", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')


class XlsxReader:
    """XLSX. A page is a sheet, hidden ones too; formulas give the value that was stored with them."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`. Charts, comments and pictures are not read."""
        del password  # an encrypted XLSX is no XLSX but an OLE file
        with office_errors("XLSX"), warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            # Given a path, openpyxl refuses what is not called .xlsx, and a kept original is not. Links to other files are
            # left alone: what they gave last is stored with the cells.
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            try:
                builder = TextBuilder()
                notes = _Sheets(builder).walk(book)
                return builder.reading(properties=_properties(book.properties), warnings=notes)
            finally:
                book.close()


def _properties(core: Any) -> dict[str, str]:
    created = {"created": core.created.date().isoformat()} if core.created else {}
    return {"title": core.title or "", "author": core.creator or "", "subject": core.subject or ""} | created


class _Sheets:
    """Appends the sheets to `builder` until the cells are too many."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._cells = 0

    def walk(self, book: Any) -> list[str]:
        """Append all sheets; returns what is to be said of them."""
        notes = []
        page_read(0, len(book.worksheets))
        for number, sheet in enumerate(book.worksheets, start=1):
            self._builder.start_page(sheet.title)
            if sheet.sheet_state != "visible":
                notes.append(f"The sheet {sheet.title} is hidden; it is read all the same.")
            if not _GIVEN_BY_PROGRAM.fullmatch(sheet.title):
                self._builder.add(BlockKind.HEADING, sheet.title, level=1)
            sheet.reset_dimensions()  # what the file says of its size is often wrong
            self._table(sheet, number)
            page_read(number, len(book.worksheets))
            if self._cells > _MOST_CELLS:
                notes.append(f"Only the first {_MOST_CELLS:,} cells are read, up to the sheet {sheet.title}.")
                break
        return notes

    def _table(self, sheet: Any, number: int) -> None:
        rows = list(self._rows(sheet))
        spans = dict(itertools.islice(_merged(sheet), _MOST_MERGED))
        titles = list(itertools.takewhile(lambda row: _is_title(*row, spans), rows))
        for _, cells in titles:
            self._builder.add(BlockKind.PARAGRAPH, "".join(cells))
        for said in _said(rows[len(titles) :], spans):
            self._builder.add(BlockKind.TABLE_ROW, said.text, table=number, header=said.header)

    def _rows(self, sheet: Any) -> Iterator[tuple[int, list[str]]]:
        """The rows that hold anything and their numbers from 0, without the empty cells at their ends, until there are too many cells."""
        for number, row in enumerate(itertools.islice(sheet.iter_rows(), _MOST_ROWS)):
            cells = [_shown(cell.value, _form(cell)) for cell in row[:_MOST_COLUMNS]]
            while cells and not cells[-1]:
                cells.pop()
            self._cells += len(cells)
            if self._cells > _MOST_CELLS:
                return
            if cells:
                yield number, cells


def _merged(sheet: Any) -> Iterator[tuple[Place, tuple[int, int]]]:
    """Where each merged cell begins, and how many rows and columns it goes over. openpyxl does not say so of a sheet that it reads in pieces."""
    rest = b""
    with sheet._get_source() as part:  # noqa: SLF001 there is no public door to the sheet's XML
        while piece := part.read(_PIECE):
            piece = rest + piece
            end = piece.rfind(b">") + 1
            for found in _MERGED.finditer(piece, 0, end):
                left, top, right, bottom = found.groups()
                (row, column), (last_row, last_column) = _place(top, left), _place(bottom, right)
                if row <= last_row and column <= last_column:
                    yield (row, column), (last_row - row + 1, last_column - column + 1)
            rest = piece[end:][-_PIECE:]


def _place(row: bytes, column: bytes) -> Place:
    return int(row) - 1, reduce(lambda number, letter: 26 * number + letter - 64, column, 0) - 1


def _is_title(row: int, cells: Sequence[str], spans: Spans) -> bool:
    """Whether the row is a line over the table: one cell, which is no group over columns with nothing at its left."""
    filled = [column for column, text in enumerate(cells) if text]
    return len(filled) == 1 and not (filled[0] and spans.get((row, filled[0]), (1, 1))[1] > 1)


def _said(rows: Sequence[tuple[int, list[str]]], spans: Spans) -> Iterator[Row]:
    """The rows of a table, with merged cells in each of their places."""
    if not spans:
        yield from (Row(number, " | ".join(cells), header=False) for number, cells in rows)
        return
    cells = {(number, column): text for number, texts in rows for column, text in enumerate(texts)}
    yield from rows_of(cells, spans)


def _form(cell: Any) -> str:
    """The number format of a cell; none where the file names a style that it does not have."""
    try:
        return str(getattr(cell, "number_format", ""))
    except IndexError:
        return ""


def _shown(value: Any, form: str) -> str:
    """A value about as the program shows it under a number format."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (date, time, timedelta)):
        return _moment(value, form)
    if isinstance(value, (int, float)):
        return _number(value, _LITERAL.sub("", form.partition(";")[0]))
    return " ".join(str(value).split())


def _moment(value: date | time | timedelta, form: str) -> str:
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02d}"
    if isinstance(value, time):
        return value.strftime("%H:%M" if not value.second else "%H:%M:%S")
    if "年" not in form:
        day = f"{value:%Y-%m-%d}"
    else:
        day = f"{value.year}年{value.month}月" + (f"{value.day}日" if "日" in form or "d" in form.lower() else "")
    has_time = isinstance(value, datetime) and (value.hour or value.minute or value.second)
    return f"{day} {value:%H:%M}" if has_time else day


def _number(value: float, form: str) -> str:
    places = re.search(r"0\.(0+)", form)
    if "%" in form:
        return f"{value * 100:.{len(places.group(1)) if places else 0}f}%"
    if places and "E" not in form:
        return f"{value:.{len(places.group(1))}f}"
    return str(value) if isinstance(value, int) else f"{value:.15g}"

"""What does a table in plain text say? Its rows, whatever sign stands between the cells and in whatever encoding it is written."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ingest.encodings import Decoded, decode
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical

_MOST_BYTES = 20_000_000
_DELIMITERS = ",\t;|，"
_SAMPLE_LINES = 50


class CsvReader:
    """CSV and TSV. One page, one table, the first row its header."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; of a very long table the beginning, with a warning."""
        del password  # a text is never encrypted
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        decoded = decode(data[:_MOST_BYTES])
        notes: tuple[str, ...] = ()
        if len(data) > _MOST_BYTES:
            decoded = _whole_lines(decoded)
            notes = (f"Only the first {_MOST_BYTES // 1_000_000} MB of the table are read; split it to have the rest.",)
        builder = TextBuilder()
        for cells in _rows(canonical(decoded.text)):
            builder.add(BlockKind.TABLE_ROW, " | ".join(cells), table=1)
        return builder.reading(warnings=(*decoded.warnings, *notes))


def _whole_lines(decoded: Decoded) -> Decoded:
    """Without the last line, in whose middle the reading stopped."""
    kept = decoded.text.rpartition("\n")[0] or decoded.text
    return replace(decoded, text=kept, damaged=kept.count("\ufffd") if decoded.damaged else 0)


def _rows(text: str) -> Iterator[list[str]]:
    delimiter = _delimiter(text)
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except csv.Error:  # a quotation mark that nothing closes swallowed the rest
        found = [line.split(delimiter) for line in text.splitlines()]
    for row in found:
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            yield cells


def _delimiter(text: str) -> str:
    """The sign that cuts most of the first lines into equally many cells, at least two; a comma where none does."""
    lines = text.splitlines(keepends=True)[:_SAMPLE_LINES]

    def fits(delimiter: str) -> tuple[float, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        except csv.Error:
            return 0.0, 0
        width, times = max(widths.items(), key=lambda pair: pair[1], default=(0, 0))
        return (times / sum(widths.values()), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=fits)

"""How does what a command prints fit the terminal? Whole into a pipe or file, so that nothing is lost to what reads it there."""

import re
import shutil
import sys
from collections.abc import Sequence

import typer

_GAP = "  "
_LEAST = 20  # cells of a column that is shortened, before others are left out for it
_WIDE = "\u2e80-\uffef\U00020000-\U0003ffff"  # a line may end after each of these
# A space, or what stays on one line: a word or a Chinese character, with its opening and closing punctuation.
_PIECE = re.compile(rf"\s+|[（《〈「『“‘〔【]*(?:[^\s{_WIDE}]+|\S)[，。、；：？！）》〉」』”’〕】…]*")


def terminal_width() -> int | None:
    """The terminal's width in cells, of which a Chinese character takes two; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shortened(text: str, width: int) -> str:
    """The text on one line of so many cells; … stands for what was left out."""
    from rich.cells import cell_len, set_cell_size

    text = " ".join(text.split())
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def wrapped(text: str, *, width: int | None, indent: str = "", first: str | None = None) -> str:
    """The text in lines of at most so many cells, or in one where there is no width. What has no place to break at stays whole.

    Args:
        text: White space in it, line ends too, is a place to break.
        width: Cells of a line, or None.
        indent: Before every line.
        first: Before the first line in place of `indent`.
    """
    from rich.cells import cell_len

    lines = [indent if first is None else first]
    begun = False
    for piece in _PIECE.findall(" ".join(text.split())):
        if begun and width is not None and cell_len(lines[-1] + piece) > width and not piece.isspace():
            lines.append(indent)
            begun = False
        if begun or not piece.isspace():
            lines[-1] += piece
            begun = True
    return "\n".join(line.rstrip() for line in lines)


def print_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, shorten: str, below: str = "", ending: str
) -> None:
    """Print a table with its header, and a last line. On a terminal the line says which columns had no room.

    Args:
        names: Of the columns, the one that is never shortened or left out first.
        rows: A text a column.
        shorten: The column that gets the cells which the others leave.
        below: A column that stands below its row, on a terminal.
        ending: The last line.
    """
    lines, left_out = fitted(names, rows, shorten=shorten, below=below, width=terminal_width())
    if rows:
        typer.secho(lines[0], bold=True)
    for line in lines[1:]:
        typer.echo(line)
    typer.secho(ending + (f"; no room for {', '.join(left_out)}" if left_out else ""), dim=True)


def fitted(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, shorten: str, below: str = "", width: int | None
) -> tuple[list[str], list[str]]:
    """The lines of a table, as in `print_table`, and the columns that had no room. Without a width every value is whole."""
    from rich.cells import cell_len, set_cell_size

    columns = {name: [name, *(" ".join(row[i].split()) for row in rows)] for i, name in enumerate(names)}
    cells = {name: max(map(cell_len, texts)) for name, texts in columns.items()}
    left_out: list[str] = []
    if width is not None:
        left = width - cells[names[0]] - len(_GAP)
        for name in [name for name in names[1:] if name != shorten]:
            wanted = name != below and any(columns[name][1:])
            if wanted and left - cells[name] - len(_GAP) >= min(_LEAST, cells[shorten]):
                left -= cells[name] + len(_GAP)
            else:
                del cells[name]
                left_out += [name] if wanted else []
        cells[shorten] = min(cells[shorten], max(left, _LEAST))
    lines: list[str] = []
    for texts in zip(*columns.values(), strict=True):
        row = dict(zip(names, texts, strict=True))
        shown = [set_cell_size(shortened(row[name], size), size) for name, size in cells.items()]
        lines.append(_GAP.join(shown).rstrip())
        if width is not None and lines[1:] and row.get(below):
            lines.append(wrapped(row[below], width=width, indent="    ", first="  → "))
    return lines, left_out

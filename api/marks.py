"""How is a stretch of text set for reading, with the quoted span marked? Pure functions from spans to what a template prints.

The catalogue keeps a version's text, outline and page spans, not its blocks, so structure is read from the lines: headings are lines that the
outline names, table rows are lines of cells joined by " | ", list items begin with a bullet. Every code point of the text comes out once, but for
white space around lines and the separators of cells.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xuesi.core.domain import OutlineEntry, Page, Span
from xuesi.core.text import normalise

PART_CHARS = 20_000
_CELL = " | "
_BULLET = re.compile(r"[-•·●○▪■◆*–][ \t\u3000]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is marked as a whole or not at all."""

    text: str
    marked: bool = False


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SetBlock:
    """A piece of the page as it is set: `heading` (with `level` 1-6), `paragraph`, `list` (an item a row) or `table` (cells a row, the first its header)."""

    kind: str
    rows: tuple[tuple[Pieces, ...], ...]
    level: int = 0


@dataclass(frozen=True, slots=True)
class SetPage:
    """What of a page lies in the part that is shown; `begins` if its first code point does."""

    page: Page
    begins: bool
    blocks: tuple[SetBlock, ...]


def pieces(text: str, span: Span, marks: Sequence[Span]) -> Pieces:
    """The text of `span`, cut where a mark begins or ends. Marks are in order and do not overlap."""
    out: list[Piece] = []
    at = span.start
    for mark in marks:
        start, end = max(mark.start, at), min(mark.end, span.end)
        if start >= end:
            continue
        if start > at:
            out.append(Piece(text[at:start]))
        out.append(Piece(text[start:end], marked=True))
        at = end
    if at < span.end:
        out.append(Piece(text[at : span.end]))
    return tuple(out)


def parts(text: str, pages: Sequence[Page], *, limit: int = PART_CHARS) -> list[Span]:
    """Cut a text into parts that open quickly: whole pages together up to `limit` code points; a longer page at its line ends.

    Returns:
        Parts in order that cover the text; at least one.
    """
    ends: list[int] = []
    start = 0
    for page in pages or [Page(1, Span(0, len(text)), "")]:
        if page.span.end - start <= limit:
            continue
        if page.span.start > start:
            start = page.span.start
            ends.append(start)
        while page.span.end - start > limit:
            line_end = text.rfind("\n", start + limit // 2, start + limit)
            start = line_end + 1 if line_end >= 0 else start + limit
            ends.append(start)
    starts = [0, *ends]
    return [Span(a, b) for a, b in zip(starts, [*ends, len(text)], strict=True) if a < b] or [Span(0, 0)]


def heading_levels(outline: Iterable[OutlineEntry]) -> dict[tuple[int, str], int]:
    """(page, title without white space) → level 1-6."""
    return {(e.page, _bare(e.title)): min(max(e.level, 1), 6) for e in outline if _bare(e.title)}


def set_part(
    text: str, pages: Sequence[Page], *, part: Span, mark: Span | None, headings: Mapping[tuple[int, str], int]
) -> list[SetPage]:
    """Set the part of the text for reading, page by page."""
    out: list[SetPage] = []
    for page in pages:
        shown = Span(max(page.span.start, part.start), max(page.span.start, part.start, min(page.span.end, part.end)))
        if not len(shown):
            continue
        blocks = _blocks(text, shown, marks=[mark] if mark else [], headings=headings, page=page.number)
        out.append(SetPage(page, begins=shown.start == page.span.start, blocks=tuple(blocks)))
    return out


def _blocks(
    text: str, shown: Span, *, marks: Sequence[Span], headings: Mapping[tuple[int, str], int], page: int
) -> list[SetBlock]:
    out: list[SetBlock] = []
    for line in _lines(text, shown):
        content = line.of(text)
        level = headings.get((page, _bare(content)), 0)
        bullet = _BULLET.match(content)
        if level:
            out.append(SetBlock("heading", ((pieces(text, line, marks),),), level))
        elif _CELL in content:
            cells = tuple(pieces(text, cell, marks) for cell in _cells(text, line))
            _join(out, "table", cells)
        elif bullet:
            _join(out, "list", (pieces(text, Span(line.start + bullet.end(), line.end), marks),))
        else:
            out.append(SetBlock("paragraph", ((pieces(text, line, marks),),)))
    return out


def _join(out: list[SetBlock], kind: str, row: tuple[Pieces, ...]) -> None:
    """Add a row to the table or list that it continues, or begin one. A table goes on while its rows have the same number of cells."""
    last = out[-1] if out else None
    if last and last.kind == kind and len(last.rows[-1]) == len(row):
        out[-1] = SetBlock(kind, (*last.rows, row))
    else:
        out.append(SetBlock(kind, (row,)))


def _lines(text: str, span: Span) -> Iterable[Span]:
    """Lines that are not blank, without the white space around them."""
    start = span.start
    while start < span.end:
        end = text.find("\n", start, span.end)
        end = span.end if end < 0 else end
        line = text[start:end]
        if line.strip():
            left = start + len(line) - len(line.lstrip())
            yield Span(left, start + len(line.rstrip()))
        start = end + 1


def _cells(text: str, line: Span) -> Iterable[Span]:
    start = line.start
    while (end := text.find(_CELL, start, line.end)) >= 0:
        yield Span(start, end)
        start = end + len(_CELL)
    yield Span(start, line.end)


def _bare(title: str) -> str:
    return "".join(title.split())


def found_words(text: str, terms: Collection[str]) -> Pieces:
    """The text with every occurrence of the terms marked.

    Terms are as the lexical index has them (NFKC, lower case); both sides are compared in that form, so full-width letters are found too.
    """
    folded, origin = normalise(text)
    covered = bytearray(len(text))
    for term in terms:
        pattern = re.compile(rf"\b{re.escape(term)}\b" if term.isascii() else re.escape(term))
        for match in pattern.finditer(folded):
            first, last = origin[match.start()], origin[match.end() - 1]
            covered[first : last + 1] = b"\x01" * (last + 1 - first)
    marks = [Span(m.start(), m.end()) for m in re.finditer(b"\x01+", bytes(covered))]
    return pieces(text, Span(0, len(text)), marks)

"""What does an OpenDocument text say? Headings, numbered lists, tables, text boxes and notes, in reading order."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from ingest.readers.labels import BULLET, labelled
from ingest.readers.ooxml import numeral, office_errors
from ingest.readers.tables import Place, rows_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.errors import EncryptedDocument, UnreadableDocument
from xuesi.core.ports import Reading

_NAME = "urn:oasis:names:tc:opendocument:xmlns:"
TEXT, TABLE, OFFICE = (f"{{{_NAME}{part}:1.0}}" for part in ("text", "table", "office"))
DRAW, STYLE, META = (f"{{{_NAME}{part}:1.0}}" for part in ("drawing", "style", "meta"))
_DC = "{http://purl.org/dc/elements/1.1/}"
_MOST_BYTES = 100_000_000
_MOST_REPEATS = 50  # a row of empty cells is written as one cell that repeats ten thousand times
_NOT_READ = {f"{TEXT}tracked-changes", f"{OFFICE}annotation", f"{TEXT}note", f"{DRAW}frame", f"{TEXT}ruby-text",
             f"{OFFICE}forms", f"{TEXT}sequence-decls"}  # fmt: skip
_FORMS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


class OdtReader:
    """ODT. Pages are those that the program drew last; without such marks the document is one page."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`. Headers, footers, comments and deleted text are not read."""
        del password
        with office_errors("ODT"), zipfile.ZipFile(path) as archive:
            if b"encryption-data" in _part(archive, "META-INF/manifest.xml"):
                raise EncryptedDocument(
                    "The file is an OpenDocument text with a password, which is not opened here.",
                    hint="Open it in the program that made it, save a copy without a password, and add that.",
                )
            content = _xml(archive, "content.xml")
            styles = _xml(archive, "styles.xml") if "styles.xml" in archive.namelist() else None
            walk = _Walk([root for root in (content, styles) if root is not None])
            walk.body(next(content.iter(f"{OFFICE}text")))
            meta = _xml(archive, "meta.xml") if "meta.xml" in archive.namelist() else None
            return walk.builder.reading(properties=_properties(meta))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        data = part.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UnreadableDocument(f"{name} inside the file unpacks to more than {_MOST_BYTES // 1_000_000} MB.")
    return data


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    return etree.fromstring(_part(archive, name), etree.XMLParser(resolve_entities=False, no_network=True))


def _properties(meta: Any) -> dict[str, str]:
    if meta is None:
        return {}
    tags = {
        "title": f"{_DC}title",
        "author": f"{META}initial-creator",
        "subject": f"{_DC}subject",
        "created": f"{META}creation-date",
    }
    found = {name: _first(meta, tag) for name, tag in tags.items()}
    return found | {"created": found["created"][:10]}


def _first(root: Any, tag: str) -> str:
    element = next(root.iter(tag), None)
    return (element.text or "").strip() if element is not None else ""


class _Walk:
    """Appends to `builder` what it meets on its way through the document."""

    def __init__(self, roots: list[Any]) -> None:
        self.builder = TextBuilder()
        self._lists = {style.get(f"{STYLE}name"): style for root in roots for style in root.iter(f"{TEXT}list-style")}
        self._tables = 0
        self._break_waits = False
        self._has_text = False
        self.builder.start_page()

    def body(self, element: Any, depth: int = 0, style: str = "") -> None:
        for child in element:
            if child.tag == f"{TEXT}soft-page-break":
                self._break_waits = True
            elif child.tag in (f"{TEXT}h", f"{TEXT}p"):
                self._paragraph(child, depth)
            elif child.tag == f"{TEXT}list":
                self._list(child, depth + 1, child.get(f"{TEXT}style-name") or style)
            elif child.tag == f"{TABLE}table":
                self._table(child)
            elif child.tag == f"{DRAW}frame":
                self._boxes(child)
            elif isinstance(child.tag, str) and child.tag not in _NOT_READ:
                self.body(child, depth, style)  # sections, indexes

    def _paragraph(self, paragraph: Any, depth: int, label: str = "") -> None:
        text = "".join(_inline(paragraph))
        text = labelled(label, text) if text.strip() else ""
        if paragraph.tag == f"{TEXT}h":
            level = paragraph.get(f"{TEXT}outline-level", "1")
            self._add(BlockKind.HEADING, text, level=min(9, int(level)) if level.isdigit() else 1)
        elif depth:
            self._add(BlockKind.LIST_ITEM, text, level=depth)
        else:
            self._add(BlockKind.PARAGRAPH, text)
        self._beside(paragraph)

    def _beside(self, element: Any) -> None:
        """What hangs on a paragraph or cell: text boxes and notes; then the page may end inside it."""
        for frame in _outermost(element, f"{DRAW}frame"):
            self._boxes(frame)
        for note in _outermost(element, f"{TEXT}note"):
            mark = "".join(note.find(f"{TEXT}note-citation").itertext())
            paragraphs = ("".join(_inline(p)).strip() for p in note.find(f"{TEXT}note-body").iter(f"{TEXT}p"))
            self._add(BlockKind.NOTE, f"[{mark}] {' '.join(paragraphs)}")
        self._break_waits = self._break_waits or next(element.iter(f"{TEXT}soft-page-break"), None) is not None

    def _boxes(self, frame: Any) -> None:
        for box in frame.iterchildren(f"{DRAW}text-box"):
            self.body(box)

    def _add(self, kind: BlockKind, text: str, *, level: int = 0, table: int = 0, header: bool = False) -> None:
        if not text.strip():
            return
        if self._break_waits and self._has_text:
            self.builder.start_page()
        self._break_waits, self._has_text = False, True
        self.builder.add(kind, text, level=level, table=table, header=header)

    def _list(self, element: Any, depth: int, style: str) -> None:
        number = None
        for item in element:
            if item.tag == f"{TEXT}list-header":
                self.body(item, depth, style)
            if item.tag != f"{TEXT}list-item":
                continue
            kept = item.get(f"{TEXT}start-value")
            number = (
                int(kept) if kept and kept.isdigit() else self._start(style, depth) if number is None else number + 1
            )
            first = next((child for child in item if child.tag in (f"{TEXT}p", f"{TEXT}h")), None)
            if first is not None:
                self._paragraph(first, depth, self._label(style, depth, number))
                item.remove(first)
            self.body(item, depth, style)

    def _level(self, style: str, depth: int) -> Any:
        levels = self._lists[style].iter(f"{TEXT}list-level-style-number") if style in self._lists else ()
        return next((level for level in levels if level.get(f"{TEXT}level") == str(depth)), None)

    def _start(self, style: str, depth: int) -> int:
        level = self._level(style, depth)
        start = level.get(f"{TEXT}start-value", "1") if level is not None else "1"
        return int(start) if start.isdigit() else 1

    def _label(self, style: str, depth: int, number: int) -> str:
        """The number shown before an item, with a space where one is shown, or a bullet."""
        level = self._level(style, depth)
        bullets = self._lists[style].iter(f"{TEXT}list-level-style-bullet") if style in self._lists else ()
        if any(bullet.get(f"{TEXT}level") == str(depth) for bullet in bullets):
            return BULLET
        form = level.get(f"{STYLE}num-format", "") if level is not None else ""
        if not form:
            return ""
        shown = numeral(number, "chineseCounting" if "一" in form else _FORMS.get(form, "decimal"))
        label = f"{level.get(f'{STYLE}num-prefix', '')}{shown}{level.get(f'{STYLE}num-suffix', '')}".strip()
        return label if label.endswith(("、", "）")) else f"{label} "

    def _table(self, table: Any) -> None:
        self._tables += 1
        number = self._tables
        rows = list(_own(table, f"{TABLE}table-row"))
        cells, spans = _places(rows)
        named = len(list(_own(table, f"{TABLE}table-row", header=True)))
        said = {row.number: row for row in rows_of(cells, spans, named=named)}
        for i, row in enumerate(rows):
            if i in said:
                self._add(BlockKind.TABLE_ROW, said[i].text, table=number, header=said[i].header)
            self._beside(row)


def _places(rows: Sequence[Any]) -> tuple[dict[Place, str], dict[Place, tuple[int, int]]]:
    """The text of each cell by the place where it begins, and over how many rows and columns it goes."""
    cells: dict[Place, str] = {}
    spans: dict[Place, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        column = 0
        for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            again = min(_count(cell, "number-columns-repeated"), _MOST_REPEATS)
            if cell.tag == f"{TABLE}table-cell":
                text = " ".join(" ".join("".join(_inline(p)).split()) for p in _paragraphs(cell)).strip()
                cells.update({(number, column + i): text for i in range(again)})
                spans[number, column] = _count(cell, "number-rows-spanned"), _count(cell, "number-columns-spanned")
            column += again
    return cells, spans


def _count(cell: Any, name: str) -> int:
    value = cell.get(f"{TABLE}{name}", "1")
    return max(1, int(value)) if value.isdecimal() else 1


def _outermost(element: Any, tag: str) -> Iterator[Any]:
    """The elements of this tag that are in no text box or note themselves: those come with the box, else nested ones double each time."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag not in (f"{DRAW}frame", f"{TEXT}note"):
            yield from _outermost(child, tag)


def _paragraphs(cell: Any) -> Iterator[Any]:
    yield from (
        p
        for p in cell.iter(f"{TEXT}p", f"{TEXT}h")
        if next(p.iterancestors(f"{TEXT}note", f"{DRAW}frame"), None) is None
    )


def _own(element: Any, tag: str, *, header: bool = False) -> Iterator[Any]:
    """The rows of a table, but not of tables inside its cells; with `header` only those of its header."""
    for child in element:
        if child.tag == tag and not header:
            yield child
        elif child.tag == f"{TABLE}table-header-rows":
            yield from _own(child, tag)
        elif child.tag in (f"{TABLE}table-rows", f"{TABLE}table-row-group"):
            yield from _own(child, tag, header=header)


def _inline(element: Any) -> Iterator[str]:
    """The text of a paragraph. White space is one space (ODF 1.2 part 1, 6.1.2); more of it has elements of its own."""
    yield _collapsed(element.text)
    for child in element:
        if child.tag == f"{TEXT}s":
            yield " " * min(int(child.get(f"{TEXT}c", "1")), _MOST_REPEATS)
        elif child.tag == f"{TEXT}tab":
            yield "\t"
        elif child.tag == f"{TEXT}line-break":
            yield "\n"
        elif isinstance(child.tag, str) and child.tag not in _NOT_READ:
            yield from _inline(child)
        yield _collapsed(child.tail)


def _collapsed(text: str | None) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text or "")

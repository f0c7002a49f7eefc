"""What does a Word document say? Headings, numbered lists, tables, text boxes, diagrams and footnotes, in reading order."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from lxml import etree

from ingest.readers.docx_styles import Lists, Styles
from ingest.readers.labels import labelled
from ingest.readers.ooxml import MC, W, diagram_ids, diagram_lines, office_errors
from ingest.readers.tables import Place, rows_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical

_NOT_READ = {f"{W}{name}" for name in ("del", "moveFrom", "rt", "instrText", "delText")} | {f"{MC}Fallback"}
_MATHS_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_WRAPPERS = {f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")}
_TEXTLESS = {f"{W}{name}" for name in ("pPr", "rPr", "txbxContent", "tbl")} | _NOT_READ
_SIGNS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-", "lastRenderedPageBreak": "\f"}
_PAGE_BREAK = "\f"
_KEPT_BREAK = "\ue000"  # canonical text has no form feeds; a private character takes its place for a moment
_SPACE_OR_BREAK = " \t\n\u3000\xa0" + _KEPT_BREAK


class DocxReader:
    """DOCX. Pages are those that Word drew last (or the author forced); without such marks the document is one page."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`. Headers, footers and comments are not read; deleted text of tracked changes neither."""
        del password  # an encrypted DOCX is no DOCX but an OLE file, and is refused by its format
        with office_errors("DOCX"):
            document = docx.Document(str(path))
            walk = _Walk(document.part)
            walk.body(document.element.body)
            return walk.builder.reading(properties=_properties(document.core_properties))


def _properties(core: Any) -> dict[str, str]:
    created = core.created
    found = {"title": core.title or "", "author": core.author or "", "subject": core.subject or ""}
    return found | ({"created": created.date().isoformat()} if created else {})


class _Walk:
    """Appends to `builder` what it meets on its way through the document."""

    def __init__(self, part: Any) -> None:
        self.builder = TextBuilder()
        self._part = part
        self._styles = Styles(_related(part, RELATIONSHIP_TYPE.STYLES))
        self._lists = Lists(_related(part, RELATIONSHIP_TYPE.NUMBERING))
        self._footnotes = {
            (kind, note.get(f"{W}id")): note
            for kind in ("footnote", "endnote")
            for note in _notes(_related(part, getattr(RELATIONSHIP_TYPE, f"{kind.upper()}S")), kind)
        }
        self._footnote_count = 0
        self._tables = 0
        self._break_waits = False
        self._page_has_text = False
        self.builder.start_page()

    def body(self, element: Any) -> None:
        for child in element:
            if child.tag == f"{W}p":
                self._paragraph(child)
            elif child.tag == f"{W}tbl":
                self._table(child)
            elif child.tag not in _NOT_READ and child.tag != f"{W}sectPr":
                self.body(child)  # content controls, tracked insertions, custom XML

    def _paragraph(self, paragraph: Any) -> None:
        if _is_on(paragraph.find(f"{W}pPr/{W}pageBreakBefore")):
            self._break_waits = True
        text = "".join(_run_text(paragraph))
        level = self._styles.heading_level(paragraph)
        place = self._styles.numbering(paragraph)
        has_text = bool(text.replace(_PAGE_BREAK, "").strip())
        label = self._lists.next_label(place) if place is not None and has_text else ""
        if level:
            self._add(BlockKind.HEADING, text, label=label, level=level)
        elif place is not None or self._styles.is_contents(paragraph):
            self._add(BlockKind.LIST_ITEM, text, label=label, level=place.depth + 1 if place is not None else 1)
        else:
            self._add(BlockKind.PARAGRAPH, text)
        for box in _outermost(paragraph, f"{W}txbxContent"):
            self.body(box)
        self._diagrams(paragraph)
        self._notes_of(paragraph)

    def _add(
        self, kind: BlockKind, text: str, *, label: str = "", level: int = 0, table: int = 0, header: bool = False
    ) -> None:
        """Append text in which form feeds stand for page breaks; a break at its end waits for what comes next."""
        parts = canonical(text.replace(_PAGE_BREAK, _KEPT_BREAK)).strip(_SPACE_OR_BREAK).split(_KEPT_BREAK)
        whole = text.strip(" \t\n\u3000")
        self._break_waits = self._break_waits or whole.startswith(_PAGE_BREAK)
        if any(parts):
            self._turn_page(inside_block=False)
            self.builder.add(kind, labelled(label, parts[0]), level=level, table=table, header=header)
            self._page_has_text = True
            for part in parts[1:]:
                self._break_waits = True
                self._turn_page(inside_block=True)
                self.builder.extend(part)
                self._page_has_text = True
        self._break_waits = self._break_waits or whole.endswith(_PAGE_BREAK)

    def _turn_page(self, *, inside_block: bool) -> None:
        if self._break_waits and self._page_has_text:
            self.builder.start_page(inside_block=inside_block)
            self._page_has_text = False
        self._break_waits = False

    def _table(self, table: Any) -> None:
        rows = [list(_own(row, f"{W}tc")) for row in _own(table, f"{W}tr")]
        if max(map(len, rows), default=0) < 2:  # a frame around text
            for cell in (cell for row in rows for cell in row):
                self.body(cell)
            return
        self._tables += 1
        cells, spans = _places(rows)
        said = {row.number: row for row in rows_of(cells, spans, named=_named(table))}
        for number, row in enumerate(rows):
            if number in said:
                self._add(BlockKind.TABLE_ROW, said[number].text, table=self._tables, header=said[number].header)
            for cell in row:
                self._notes_of(cell)

    def _diagrams(self, element: Any) -> None:
        for key in diagram_ids(element):
            for line in diagram_lines(self._part.related_parts[key].blob):
                self._add(BlockKind.LIST_ITEM, line, level=1)

    def _notes_of(self, element: Any) -> None:
        for kind in ("footnote", "endnote"):
            for reference in element.iter(f"{W}{kind}Reference"):
                note = self._footnotes.get((kind, reference.get(f"{W}id")))
                text = _cell_text(note) if note is not None else ""
                if text:
                    self._footnote_count += 1
                    self._add(BlockKind.NOTE, f"[{self._footnote_count}] {text}")


def _related(part: Any, kind: str) -> Any:
    """The root of the XML part that is related in this way, or None."""
    found = next((rel.target_part for rel in part.rels.values() if rel.reltype == kind and not rel.is_external), None)
    return etree.fromstring(found.blob, etree.XMLParser(resolve_entities=False)) if found is not None else None


def _notes(root: Any, kind: str) -> Iterator[Any]:
    """The notes that the author wrote; those with a type are separators."""
    yield from (note for note in (root.iter(f"{W}{kind}") if root is not None else ()) if note.get(f"{W}type") is None)


def _own(element: Any, tag: str) -> Iterator[Any]:
    """The children with this tag, seen through content controls and tracked insertions."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _own(child, tag)


def _outermost(element: Any, tag: str) -> Iterator[Any]:
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag not in _NOT_READ:
            yield from _outermost(child, tag)


def _run_text(element: Any) -> Iterator[str]:
    """The text of a paragraph; form feeds stand for page breaks. Text boxes are blocks of their own."""
    for child in element:
        if child.tag in (f"{W}t", _MATHS_TEXT):
            yield (child.text or "").replace(_PAGE_BREAK, " ")
        elif child.tag == f"{W}br":
            yield _PAGE_BREAK if child.get(f"{W}type") == "page" else "\n"
        elif isinstance(child.tag, str) and child.tag.removeprefix(W) in _SIGNS:
            yield _SIGNS[child.tag.removeprefix(W)]
        elif child.tag not in _TEXTLESS:
            yield from _run_text(child)


def _cell_text(cell: Any) -> str:
    """All paragraphs of a cell, those of tables inside it too, on one line."""
    paragraphs = ("".join(_run_text(paragraph)).split() for paragraph in cell.iter(f"{W}p"))
    return " ".join(" ".join(words) for words in paragraphs if words)


def _places(rows: Sequence[Sequence[Any]]) -> tuple[dict[Place, str], dict[Place, tuple[int, int]]]:
    """The text of each cell by the place where it begins, and over how many rows and columns it goes."""
    cells: dict[Place, str] = {}
    spans: dict[Place, tuple[int, int]] = {}
    begun: dict[int, int] = {}  # in which row the cell begins that a column is in
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            over, merge = _columns(cell), cell.find(f"{W}tcPr/{W}vMerge")
            top = begun.get(column, number) if merge is not None and merge.get(f"{W}val") != "restart" else number
            if top == number:
                cells[number, column] = _cell_text(cell)
            begun[column] = top
            spans[top, column] = number - top + 1, over
            column += over
    return cells, spans


def _columns(cell: Any) -> int:
    span = cell.find(f"{W}tcPr/{W}gridSpan")
    return int(span.get(f"{W}val", "1")) if span is not None else 1


def _named(table: Any) -> int:
    """How many rows the file has Word say again on each page."""
    marks = (_is_on(row.find(f"{W}trPr/{W}tblHeader")) for row in _own(table, f"{W}tr"))
    return sum(1 for _ in takewhile(bool, marks))


def _is_on(switch: Any) -> bool:
    return switch is not None and switch.get(f"{W}val", "1") not in ("0", "false", "off")

"""What does a presentation say? Slide by slide: title, body, tables, diagrams, and the speaker's notes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.shapes.group import GroupShape

from ingest.length import is_wide
from ingest.pages_read import page_read
from ingest.readers.labels import BULLET, labelled
from ingest.readers.ooxml import A, autonumber, diagram_ids, diagram_lines, office_errors
from ingest.readers.tables import Place, rows_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading

_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_FURNITURE = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


class PptxReader:
    """PPTX. A page is a slide, its title a heading; hidden slides are read too. Shapes come in the order they are stacked."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`."""
        del password  # an encrypted PPTX is no PPTX but an OLE file, and is refused by its format
        with office_errors("PPTX"):
            presentation = pptx.Presentation(str(path))
            builder = TextBuilder()
            walk = _Walk(builder)
            page_read(0, len(presentation.slides))
            for number, slide in enumerate(presentation.slides, start=1):
                builder.start_page(str(number))
                walk.slide(slide)
                page_read(number, len(presentation.slides))
            core = presentation.core_properties
            created = {"created": core.created.date().isoformat()} if core.created else {}
            properties = {"title": core.title or "", "author": core.author or "", "subject": core.subject or ""}
            return builder.reading(
                properties=properties | created, hint="Add slides that hold text, or the text itself."
            )


class _Walk:
    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._tables = 0

    def slide(self, slide: Any) -> None:
        shapes = list(_flat(slide.shapes))
        for shape in shapes:
            if _placeholder(shape) in _TITLES:
                self._builder.add(BlockKind.HEADING, " ".join(shape.text_frame.text.split()), level=1)
        for shape in shapes:
            if _placeholder(shape) not in (*_TITLES, *_FURNITURE):
                self._shape(shape, slide)
        self._notes(slide)

    def _shape(self, shape: Any, slide: Any) -> None:
        if getattr(shape, "has_table", False) and shape.has_table:
            self._table(shape.table)
        elif shape.has_text_frame:
            self._paragraphs(shape)
        for key in diagram_ids(shape.element):
            for line in diagram_lines(slide.part.related_part(key).blob):
                self._builder.add(BlockKind.LIST_ITEM, line, level=1)

    def _paragraphs(self, shape: Any) -> None:
        is_list = _placeholder(shape) in (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)
        paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
        counts: dict[int, int] = {}
        for paragraph in paragraphs:
            if paragraph.level or (is_list and len(paragraphs) > 1):
                text = labelled(_label(paragraph, counts), paragraph.text)
                self._builder.add(BlockKind.LIST_ITEM, text, level=paragraph.level + 1)
            else:
                self._builder.add(BlockKind.PARAGRAPH, paragraph.text)

    def _table(self, table: Any) -> None:
        self._tables += 1
        cells: dict[Place, str] = {}
        spans: dict[Place, tuple[int, int]] = {}
        for number, row in enumerate(table.rows):
            for column, cell in enumerate(row.cells):
                if not cell.is_spanned:
                    cells[number, column] = " ".join(cell.text_frame.text.split())
                    spans[number, column] = cell.span_height, cell.span_width
        for said in rows_of(cells, spans):
            self._builder.add(BlockKind.TABLE_ROW, said.text, table=self._tables, header=said.header)

    def _notes(self, slide: Any) -> None:
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        lines = [p.text.strip() for p in frame.paragraphs if p.text.strip()] if frame is not None else []
        if lines:
            self._builder.add(BlockKind.NOTE, "备注：" if any(map(is_wide, lines[0])) else "Notes:")
        for line in lines:
            self._builder.add(BlockKind.NOTE, line)


def _label(paragraph: Any, counts: dict[int, int]) -> str:
    """What is shown before an item: a number that the program counts in `counts` by level, nothing, or a bullet."""
    properties = paragraph._p.pPr  # noqa: SLF001 python-pptx has no public door to bullets
    form = properties.find(f"{A}buAutoNum") if properties is not None else None
    for level in [level for level in counts if level > paragraph.level or (form is None and level == paragraph.level)]:
        del counts[level]
    if form is not None:
        counts[paragraph.level] = counts.get(paragraph.level, int(form.get("startAt", "1")) - 1) + 1
        return autonumber(counts[paragraph.level], form.get("type", ""))
    return "" if properties is not None and properties.find(f"{A}buNone") is not None else BULLET


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    """The shapes, those inside groups in their group's place."""
    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None

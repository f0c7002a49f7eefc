"""How do lines of pages become the text of a document? Furniture goes, paragraphs are joined, notes come to their marks, tables go on over pages."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np

from ingest.readers.pdf_furniture import without_furniture
from ingest.readers.pdf_layout import Paragraph, paragraphs
from ingest.readers.pdf_notes import Note, without_notes
from ingest.readers.pdf_page import ReadPage
from ingest.readers.pdf_table_pages import Table, over_pages
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Furniture, LeftOut


def document_of(pages: Sequence[ReadPage]) -> TextBuilder:
    """The builder with the text of the pages, every page begun in it."""
    kept, left_out = without_furniture([page.lines for page in pages], [page.height for page in pages])
    kept, notes = without_notes(kept)
    kept, continued, headers = over_pages(kept)
    document = _Document(pages, continued)
    document.builder.leave_out([*left_out, *headers, *_line_numbers(pages)])
    holders = {id(line): several for line, several in notes}
    starts = list(accumulate(map(len, kept), initial=0))
    held = {
        starts[page] + i: holders[id(line)]
        for page, lines in enumerate(kept)
        for i, line in enumerate(lines)
        if id(line) in holders
    }
    for paragraph in paragraphs(kept):
        own = range(paragraph.first, paragraph.first + len(paragraph.lines))
        document.add(paragraph, [note for i in own for note in held.get(i, ())])
    return document.finished()


def _line_numbers(pages: Sequence[ReadPage]) -> Iterator[LeftOut]:
    numbered = [page for page in pages if page.line_numbers]
    if numbered:
        text = ", ".join(numbered[0].line_numbers)
        yield LeftOut(Furniture.LINE_NUMBER, text, tuple(page.report.number for page in numbered))


class _Document:
    """Appends paragraphs with their notes to `builder`, page after page."""

    def __init__(self, pages: Sequence[ReadPage], continued: Mapping[Table, Table]) -> None:
        self.builder = TextBuilder()
        self._pages = pages
        self._continued = continued
        self._tables: dict[Table, int] = {}
        self._begun = 0
        self._waiting: list[Note] = []
        self._table = 0

    def add(self, paragraph: Paragraph, notes: Sequence[Note]) -> None:
        """Append a paragraph. Its notes come after it, or before it if it goes on on a page after theirs; never among the rows of a table."""
        table = self._number(paragraph.table) if paragraph.table else 0
        if table != self._table:
            self._flush()
        self._table = table
        first, last = paragraph.lines[0].page, paragraph.lines[-1].page
        self._begin(first)
        for note in notes:
            if note.lines[0].page == first < last:
                self._note(note)
            else:
                self._waiting.append(note)
        self._paragraph(paragraph, table)
        if not table and not paragraph.level:
            self._flush()

    def finished(self) -> TextBuilder:
        """The builder, with the pages that nothing came from."""
        self._flush()
        self._begin(len(self._pages) - 1)
        return self.builder

    def _begin(self, until: int, *, inside_block: bool = False) -> None:
        for page in self._pages[self._begun : until + 1]:
            self.builder.start_page(page.label, width=page.width, height=page.height, inside_block=inside_block)
        self._begun = max(self._begun, until + 1)

    def _number(self, table: Table) -> int:
        return self._tables.setdefault(self._continued.get(table, table), len(self._tables) + 1)

    def _paragraph(self, paragraph: Paragraph, table: int) -> None:
        (_, text, boxes), *rest = paragraph.parts()
        kind = BlockKind.TABLE_ROW if table else BlockKind.HEADING if paragraph.level else BlockKind.PARAGRAPH
        header = paragraph.lines[0].header and paragraph.table not in self._continued
        self.builder.add(kind, text, level=paragraph.level, table=table, header=header, boxes=boxes)
        for page, part, own in rest:
            self._begin(page, inside_block=True)
            self.builder.extend(part, own)

    def _flush(self) -> None:
        for note in self._waiting:
            self._note(note)
        self._waiting = []

    def _note(self, note: Note) -> None:
        """A note; what does not stand on the page that is being written has no boxes."""
        parts = Paragraph(note.lines).parts()
        boxes = [own if page == self._begun - 1 else np.full_like(own, np.nan) for page, _, own in parts]
        self.builder.add(BlockKind.NOTE, "".join(text for _, text, _ in parts), boxes=np.concatenate(boxes))

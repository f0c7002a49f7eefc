"""What does a PDF say, and where on its pages? Text with boxes from PDFium; metadata, outline and repair from pypdf."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pypdf

from ingest.readers.pdf_chars import PageChars, is_drawn, open_pdf, page_chars
from ingest.readers.pdf_layout import paragraphs, without_running
from ingest.readers.pdf_lines import lines_of
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind, OutlineEntry
from xuesi.core.errors import NoText, UnreadableDocument, XuesiError
from xuesi.core.ports import Reading

_SCAN_HINT = "It looks like a scan: add a copy with a text layer."
_DAMAGED_SHARE = 0.2


class PdfReader:
    """PDF with a text layer. A paragraph may go on over the end of a page; running heads and page numbers are left out."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`."""
        data = path.read_bytes()
        try:
            return _read(data, password)
        except UnreadableDocument:
            return _read(_repaired(data, password), None)


def _read(data: bytes, password: str | None) -> Reading:
    with open_pdf(data, password=password) as document:
        pages = [page_chars(document, index) for index in range(len(document))]
        if not pages:
            raise UnreadableDocument("The PDF has no pages.", hint="Get the file anew from its source.")
        if not any(page.text.strip() for page in pages) and any(is_drawn(document, i) for i in range(len(pages))):
            raise NoText("The PDF shows images or drawings only; it holds no text.", hint=_SCAN_HINT)
    properties, outline, warnings = _facts(data, password)
    builder = _built(pages)
    return builder.reading(
        properties=properties,
        outline=outline,
        warnings=[*warnings, *_doubts(pages)],
        with_boxes=True,
        hint=_SCAN_HINT,
    )


def _built(pages: Sequence[PageChars]) -> TextBuilder:
    lines = [lines_of(page, index) for index, page in enumerate(pages)]
    builder = TextBuilder()
    tables: dict[tuple[int, int], int] = {}
    begun = 0

    def begin(until: int, *, inside_block: bool = False) -> None:
        nonlocal begun
        for page in pages[begun : until + 1]:
            builder.start_page(page.label, width=page.width, height=page.height, inside_block=inside_block)
        begun = max(begun, until + 1)

    for paragraph in paragraphs(without_running(lines, [page.height for page in pages])):
        (page, text, boxes), *rest = paragraph.parts()
        begin(page)
        if paragraph.table:
            table = tables.setdefault(paragraph.table, len(tables) + 1)
            builder.add(BlockKind.TABLE_ROW, text, table=table, boxes=boxes)
        else:
            kind = BlockKind.HEADING if paragraph.level else BlockKind.PARAGRAPH
            builder.add(kind, text, level=paragraph.level, boxes=boxes)
        for page, text, boxes in rest:
            begin(page, inside_block=True)
            builder.extend(text, boxes)
    begin(len(pages) - 1)
    return builder


def _doubts(pages: Sequence[PageChars]) -> Iterator[str]:
    empty = [number for number, page in enumerate(pages, start=1) if not page.text.strip()]
    if empty:
        shown = ", ".join(map(str, empty[:20])) + (", …" if len(empty) > 20 else "")
        yield f"{len(empty)} of {len(pages)} pages hold no text and cannot be found: {shown}."
    text = "".join(page.text for page in pages)
    damaged = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or (c < " " and c not in "\r\n\t") for c in text)
    if damaged > _DAMAGED_SHARE * len(text):
        yield f"{damaged} of {len(text)} characters have no meaning in the PDF's fonts; the text may be unreadable."


@contextlib.contextmanager
def _pypdf_errors() -> Iterator[None]:
    """Damage shows in pypdf as errors of many kinds (KeyError, RecursionError and its own): all mean that the file is damaged."""
    try:
        yield
    except XuesiError:
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The file is damaged or cut off: it cannot be opened as a PDF.", hint="Get the file anew from its source."
        ) from error


def _repaired(data: bytes, password: str | None) -> bytes:
    """The file written anew by pypdf, which is more patient with damage than PDFium, without encryption."""
    with _pypdf_errors():
        writer = pypdf.PdfWriter(clone_from=_opened(data, password))
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()


def _opened(data: bytes, password: str | None) -> pypdf.PdfReader:
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        reader.decrypt(password or "")
    return reader


def _facts(data: bytes, password: str | None) -> tuple[Mapping[str, str], Sequence[OutlineEntry], Sequence[str]]:
    """What the file says of itself and its bookmarks. Damage there costs them, not the document."""
    try:
        with _pypdf_errors():
            reader = _opened(data, password)
            return _properties(reader), list(_bookmarks(reader, reader.outline, 1)), ()
    except UnreadableDocument:
        return {}, (), ("The PDF's own metadata and bookmarks are damaged and were left out.",)


def _properties(reader: pypdf.PdfReader) -> dict[str, str]:
    info = reader.metadata
    if info is None:
        return {}
    created = info.creation_date
    named = {"title": info.title, "author": info.author, "subject": info.subject}
    found = {name: " ".join(str(value).split()) for name, value in named.items() if value}
    return found | ({"created": created.date().isoformat()} if created else {})


def _bookmarks(reader: pypdf.PdfReader, entries: Sequence[Any], level: int) -> Iterator[OutlineEntry]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _bookmarks(reader, entry, level + 1)
            continue
        page = reader.get_destination_page_number(entry)
        if page is not None and page >= 0 and entry.title:
            yield OutlineEntry(str(entry.title).strip(), page + 1, level)

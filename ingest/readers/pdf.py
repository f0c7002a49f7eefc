"""What does a PDF say, and where on its pages? Text with boxes from PDFium; metadata, outline and repair from pypdf."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pypdf

from ingest.pages_read import page_read
from ingest.readers.paged import reading_of, refuse_textless
from ingest.readers.pdf_chars import open_pdf
from ingest.readers.pdf_page import ReadPage, read_page
from xuesi.core.domain import OutlineEntry
from xuesi.core.errors import NoText, UnreadableDocument, XuesiError
from xuesi.core.ports import Reading


class PdfReader:
    """PDF. A page without good text is read from its picture; a paragraph may go on over the end of a page."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`."""
        try:
            return _read(path, password)
        except UnreadableDocument:
            return _read(_repaired(path, password), None)


def _read(source: Path | bytes, password: str | None) -> Reading:
    with open_pdf(source, password=password) as document:
        pages = list(_pages(document))
    refuse_textless(pages, "the PDF")
    properties, outline, warnings = _facts(source, password)
    return reading_of(pages, properties=properties, outline=outline, warnings=warnings)


def _pages(document: Any) -> Iterator[ReadPage]:
    page_read(0, len(document))
    for index in range(len(document)):
        yield read_page(document, index)
        page_read(index + 1, len(document))


@contextlib.contextmanager
def _pypdf_errors() -> Iterator[None]:
    """Damage shows in pypdf as errors of many kinds (KeyError, RecursionError and its own): all mean that the file is damaged."""
    try:
        yield
    except (XuesiError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The file is damaged or cut off: it cannot be opened as a PDF.", hint="Get the file anew from its source."
        ) from error


def _repaired(source: Path | bytes, password: str | None) -> bytes:
    """The file written anew by pypdf, which is more patient with damage than PDFium, without encryption."""
    with _pypdf_errors():
        reader = _opened(source, password)
        if not reader.pages:  # PDFium says no more of it than that it is damaged
            raise NoText("The PDF opens, but has no pages.", hint="Save it anew in the program that made it.")
        writer = pypdf.PdfWriter(clone_from=reader)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()


def _opened(source: Path | bytes, password: str | None) -> pypdf.PdfReader:
    reader = pypdf.PdfReader(io.BytesIO(source) if isinstance(source, bytes) else source, strict=False)
    if reader.is_encrypted:
        reader.decrypt(password or "")
    return reader


def _facts(
    source: Path | bytes, password: str | None
) -> tuple[Mapping[str, str], Sequence[OutlineEntry], Sequence[str]]:
    """What the file says of itself and its bookmarks. Damage there costs them, not the document."""
    try:
        with _pypdf_errors():
            reader = _opened(source, password)
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

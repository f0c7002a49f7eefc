"""What does a plain text say? Its lines as paragraphs, in whatever encoding they are written."""

from pathlib import Path

from ingest.encodings import decode
from ingest.lines import unwrap
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical


class TxtReader:
    """Plain text. A line is a paragraph, unless the file breaks its lines at a fixed width. A form feed starts a page."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; a text is never encrypted."""
        del password
        decoded = decode(path.read_bytes())
        builder = TextBuilder()
        pages = [page for page in decoded.text.split("\f") if page.strip()]
        for page in pages:
            if len(pages) > 1:
                builder.start_page()
            for paragraph in unwrap(canonical(page)):
                builder.add(BlockKind.PARAGRAPH, paragraph)
        return builder.reading(warnings=decoded.warnings)

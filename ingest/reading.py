"""What is done to a file in the process that reads it? Its format is told, dangers are named, and its reader reads; see docs/ingest.md."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingest.archives import guard
from ingest.dangers import dangers
from ingest.formats import detect, open_reader
from ingest.pages_read import PageRead, listening
from xuesi.core.errors import UnreadableDocument
from xuesi.core.ports import Reading


def read_file(
    path: Path,
    file_name: str,
    *,
    password: str | None,
    max_unpacked_bytes: int,
    page_read: PageRead,
    reader_used: Callable[[str], None],
) -> Reading:
    """Read the file.

    Args:
        path: The file.
        file_name: What its uploader calls it.
        password: Opens an encrypted file.
        max_unpacked_bytes: Largest unpacked size of an archive.
        page_read: Told pages done and pages in all, see `ingest.pages_read`.
        reader_used: Told the name of the format's reader before it is loaded.

    Raises:
        InvalidInput: If it cannot be read.
    """
    if zipfile.is_zipfile(path):
        guard(path, limit_bytes=max_unpacked_bytes)
    found = detect(path, file_name)
    reader_used(found.reader)
    with listening(page_read):
        try:
            reading = open_reader(found).read(path, password=password)
        except RecursionError as error:
            raise UnreadableDocument(
                "The file is nested deeper than any document is.", hint="Save it anew in the program that made it."
            ) from error
    return replace(reading, warnings=(*reading.warnings, *dangers(path)))

"""Does a file hold what might do harm elsewhere: macros, scripts, content fetched from outside? It does none here, and is named."""

import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ingest.formats import is_pdf

MACROS = "The file holds macros, which are ignored."
SCRIPTS = "The file holds scripts or actions, which are ignored."
EMBEDDED = "The file holds other files inside, which are not read."
OUTSIDE = "The file refers to content outside ({0}), which is not fetched."

_MACRO_PARTS = re.compile(r"vbaProject\.bin$|vbaData\.xml$|^Basic/|^Scripts/|macrosheets/", re.IGNORECASE)
_EMBEDDED_PARTS = re.compile(r"/embeddings/.*\.(?:bin|docx?|xlsx?|pptx?|pdf)$", re.IGNORECASE)
_RELATIONSHIP = re.compile(rb"<Relationship\b[^<>]*>", re.IGNORECASE)
_TARGET = re.compile(rb"""Target\s*=\s*["']([^"']{1,300})""", re.IGNORECASE)
_RELATIONSHIPS_BYTES = 2_000_000
_SHOWN = 80


def dangers(path: Path) -> tuple[str, ...]:
    """A sentence for each kind of danger that the file shows. A PDF that packs its objects may hide some."""
    if is_pdf(path):
        return tuple(_of_pdf(path))
    with path.open("rb") as file:
        head = file.read(2)
    if head == b"PK" and zipfile.is_zipfile(path):
        return tuple(_of_archive(path))
    return ()


def _of_archive(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(_MACRO_PARTS.search(name) for name in names):
            yield MACROS
        if any(_EMBEDDED_PARTS.search(name) for name in names):
            yield EMBEDDED
        outside = sorted({target for name in names if name.endswith(".rels") for target in _outside(archive, name)})
        if outside:
            yield OUTSIDE.format(", ".join(outside[:3]) + (", …" if len(outside) > 3 else ""))


def _outside(archive: zipfile.ZipFile, name: str) -> Iterator[str]:
    """What is loaded from outside when the document is opened: templates, images, objects. A link that a person may follow is none of these."""
    try:
        with archive.open(name) as file:
            relationships = file.read(_RELATIONSHIPS_BYTES)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError):  # damaged, and the reader did without it
        return
    for relationship in _RELATIONSHIP.findall(relationships):
        if b"External" in relationship and b"/hyperlink" not in relationship:
            found = _TARGET.search(relationship)
            if found:
                yield found[1].decode("utf-8", "replace")[:_SHOWN]


def _of_pdf(path: Path) -> Iterator[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if re.search(rb"/(?:JavaScript|JS|Launch|SubmitForm|ImportData)\b", data):
            yield SCRIPTS
        if re.search(rb"/EmbeddedFiles?\b", data):
            yield EMBEDDED

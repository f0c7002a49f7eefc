"""In what format is a file, whatever its name says? First step of ingest: the content decides, the name only helps with plain text."""

import importlib
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ingest.encodings import preview
from xuesi.core.errors import EmptyFile, EncryptedDocument, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reader

SUPPORTED = "PDF, DOCX, PPTX, HTML, Markdown and plain text"


@dataclass(frozen=True, slots=True)
class Format:
    """What a file is: its media type, and the reader (module of `ingest.readers`) that reads it."""

    media_type: str
    reader: str


PDF = Format("application/pdf", "pdf")
DOCX = Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx")
PPTX = Format("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx")
HTML = Format("text/html", "html")
MARKDOWN = Format("text/markdown", "markdown")
TXT = Format("text/plain", "txt")

_TEXT_NAMES = {".md": MARKDOWN, ".markdown": MARKDOWN, ".mdown": MARKDOWN, ".html": HTML, ".htm": HTML, ".xhtml": HTML}
_BINARY_NAMES = {".pdf": "a PDF", ".docx": "a Word document", ".pptx": "a presentation", ".doc": "a Word document", ".ppt": "a presentation",
                 ".wps": "a WPS document", ".xls": "a spreadsheet", ".xlsx": "a spreadsheet", ".epub": "an e-book", ".png": "an image",
                 ".jpg": "an image", ".jpeg": "an image", ".zip": "an archive"}  # fmt: skip
_MAGIC = (
    (b"{\\rtf", "RTF"), (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"), (b"GIF8", "an image"), (b"BM", "an image"),
    (b"II*\0", "an image"), (b"MM\0*", "an image"), (b"Rar!", "an archive"), (b"7z\xbc\xaf", "an archive"), (b"\x1f\x8b", "an archive"),
    (b"MZ", "a program"), (b"\x7fELF", "a program"), (b"AT&TFORM", "a DjVu file"), (b"ID3", "a sound"), (b"%!PS", "PostScript"),
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML_START = re.compile(r"\s*<\?xml")
_HEAD_BYTES = 8192


def detect(path: Path, file_name: str) -> Format:
    """The format of the file at `path`, whose uploader calls it `file_name`.

    Raises:
        EmptyFile: If it has no bytes.
        UnsupportedFormat: If its content is in no format that is read, or is plain text under a name that promises something else.
        EncryptedDocument: If it is an Office file with a password.
        UnreadableDocument: If it is an archive cut short.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise EmptyFile(f"{file_name} has no content.", hint="Check the file on your side and add it again.")
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(b"PK"):
        return _archive(path, file_name)
    if head.startswith(_OLE):
        raise _old_office(path, file_name)
    for magic, what in _MAGIC:
        if head.startswith(magic) and (len(magic) > 2 or b"\0" in head):
            raise _unsupported(f"{file_name} is {what}.")
    return _text(head, file_name)


def open_reader(found: Format) -> Reader:
    """The reader for a format; its vendor is imported here and not before."""
    module = importlib.import_module(f"ingest.readers.{found.reader}")
    reader: Reader = getattr(module, f"{found.reader.capitalize()}Reader")()
    return reader


def _unsupported(detail: str, hint: str = "") -> UnsupportedFormat:
    return UnsupportedFormat(f"{detail} Supported are {SUPPORTED}.", hint=hint or "Save or export it in one of these.")


def _archive(path: Path, file_name: str) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            types = (
                archive.read("[Content_Types].xml").decode("utf-8", "replace") if "[Content_Types].xml" in names else ""
            )
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise UnreadableDocument(
            f"{file_name} is damaged or cut off: its archive cannot be opened.",
            hint="Get the file anew from its source.",
        ) from error
    if "wordprocessingml.document.main" in types:
        return DOCX
    if "presentationml.presentation.main" in types or "presentationml.slideshow.main" in types:
        return PPTX
    if "ms-word" in types or "wordprocessingml.template" in types:
        raise _unsupported(f"{file_name} is a Word template or has macros.", "Save it as DOCX and add that.")
    if "ms-powerpoint" in types:
        raise _unsupported(f"{file_name} is a presentation with macros.", "Save it as PPTX and add that.")
    if "spreadsheetml" in types:
        raise _unsupported(f"{file_name} is a spreadsheet.", "Save it as PDF and add that.")
    if "META-INF/container.xml" in names:
        raise _unsupported(f"{file_name} is an e-book (EPUB).")
    raise _unsupported(f"{file_name} is an archive, but no DOCX or PPTX.", "Unpack it and add the files inside.")


def _old_office(path: Path, file_name: str) -> Exception:
    if _ENCRYPTED_PACKAGE in path.read_bytes():
        return EncryptedDocument(
            f"{file_name} is an Office file with a password, which is not opened here.",
            hint="Open it in the program that made it, save a copy without a password, and add that.",
        )
    slides = file_name.lower().endswith((".ppt", ".pps", ".dps"))
    return _unsupported(
        f"{file_name} is in the old binary Office format (DOC, PPT, WPS).",
        f"Open it and save it as {'PPTX' if slides else 'DOCX'}, then add that.",
    )


def _text(head: bytes, file_name: str) -> Format:
    """Text, if the bytes are text; the name tells Markdown and HTML without a head from plain text."""
    suffix = Path(file_name).suffix.lower()
    shown = preview(head)
    if shown is None:
        raise _unsupported(f"{file_name} is in a format that is not known.")
    if _HTML_START.match(shown):
        return HTML
    if suffix in _BINARY_NAMES:
        raise _unsupported(
            f"{file_name} is named like {_BINARY_NAMES[suffix]}, but is not one.", "Check the file on your side."
        )
    if _XML_START.match(shown) and suffix not in _TEXT_NAMES:
        raise _unsupported(f"{file_name} is XML.")
    return _TEXT_NAMES.get(suffix, TXT)

"""In what format is a file, whatever its name says? First step of ingest: the content decides, the name only helps with plain text."""

import importlib
import mmap
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from ingest.archives import check_directory
from ingest.encodings import preview
from ingest.mail import is_mail
from xuesi.core.errors import EmptyFile, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reader

SUPPORTED = "PDF, DOCX, PPTX, XLSX (with LibreOffice also DOC, PPT, XLS, WPS, ET, DPS), ODT, RTF, EPUB, HTML, Markdown, CSV, plain text, EML, pictures (PNG, JPEG, TIFF, WebP, BMP) and ZIP of any of them"


@dataclass(frozen=True, slots=True)
class Format:
    """What a file is: its media type, and the reader (module of `ingest.readers`) that reads it; empty where nobody reads it as it is."""

    media_type: str
    reader: str


PDF = Format("application/pdf", "pdf")
DOCX = Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx")
PPTX = Format("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx")
XLSX = Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
ODT = Format("application/vnd.oasis.opendocument.text", "odt")
EPUB = Format("application/epub+zip", "epub")
RTF = Format("application/rtf", "rtf")
HTML = Format("text/html", "html")
MARKDOWN = Format("text/markdown", "markdown")
TXT = Format("text/plain", "txt")
CSV = Format("text/csv", "csv")
TSV = Format("text/tab-separated-values", "csv")
PNG, JPEG, TIFF, WEBP, BMP = (Format(f"image/{name}", "image") for name in ("png", "jpeg", "tiff", "webp", "bmp"))

MAIL = Format("message/rfc822", "mail")
ZIP = Format("application/zip", "")  # its members are read

PICTURES = frozenset(it.media_type for it in (PNG, JPEG, TIFF, WEBP, BMP))

_TEXT_NAMES = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".csv": CSV,
    ".tsv": TSV,
}
_BINARY_NAMES = {".pdf": "a PDF", ".docx": "a Word document", ".pptx": "a presentation", ".doc": "a Word document", ".ppt": "a presentation",
                 ".wps": "a WPS document", ".xls": "a spreadsheet", ".xlsx": "a spreadsheet", ".odt": "an OpenDocument text", ".rtf": "a Rich Text file", ".epub": "an e-book", ".png": "an image",
                 ".jpg": "an image", ".jpeg": "an image", ".tif": "an image", ".tiff": "an image", ".webp": "an image", ".bmp": "an image", ".zip": "an archive"}  # fmt: skip
_PICTURE_STARTS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PNG), (re.compile(rb"\xff\xd8\xff"), JPEG), (re.compile(rb"II[*+]\0|MM\0[*+]"), TIFF),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), WEBP), (re.compile(rb"BM.{12}[\x0c\x28\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), BMP),
)  # fmt: skip
_MAGIC = (
    (b"GIF8", "a GIF image"), (b"Rar!", "an archive"), (b"7z\xbc\xaf", "an archive"), (b"\x1f\x8b", "an archive"),
    (b"MZ", "a program"), (b"\x7fELF", "a program"), (b"AT&TFORM", "a DjVu file"), (b"ID3", "a sound"), (b"%!PS", "PostScript"),
)  # fmt: skip
# What stands in the content types (or the media type) of a package, the first that fits.
_PACKAGES = (
    ("wordprocessingml.document.main", DOCX), ("presentationml.presentation.main", PPTX), ("presentationml.slideshow.main", PPTX),
    ("spreadsheetml.sheet.main", XLSX), (EPUB.media_type, EPUB), ("opendocument.text", ODT),
)  # fmt: skip
_REFUSED_PACKAGES = (
    ("ms-word", "a Word document with macros or a template", "DOCX"), ("wordprocessingml.template", "a Word template", "DOCX"),
    ("ms-powerpoint", "a presentation with macros", "PPTX"), ("ms-excel", "a spreadsheet with macros", "XLSX"),
    ("spreadsheetml", "a spreadsheet template", "XLSX"), ("opendocument.spreadsheet", "an OpenDocument spreadsheet", "XLSX"),
    ("opendocument", "an OpenDocument file, but no text", "PPTX or PDF"),
)  # fmt: skip
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLD_OFFICE = "application/x-ole-storage"
PACKAGE = "EncryptedPackage"  # the stream of a newer Office file under a password


@dataclass(frozen=True, slots=True)
class OldOffice:
    """A binary Office format: how it is known, and the extension of the format that came after it."""

    name: str
    media_type: str
    becomes: str
    streams: tuple[str, ...]
    suffixes: tuple[str, ...]


_OLD = (
    OldOffice("DOC, WPS", "application/msword", "docx", ("WordDocument",), (".doc", ".dot", ".wps", ".wpt")),
    OldOffice("PPT, DPS", "application/vnd.ms-powerpoint", "pptx", ("PowerPoint Document",), (".ppt", ".pps", ".pot", ".dps")),
    OldOffice("XLS, ET", "application/vnd.ms-excel", "xlsx", ("Workbook", "Book"), (".xls", ".xlt", ".et")),
)  # fmt: skip
_LOCKED = {f".{it.reader}": Format(it.media_type, "") for it in (DOCX, PPTX, XLSX)}
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML_START = re.compile(r"\s*<\?xml")
_HEAD_BYTES = 8192
_PDF_MARK, _PDF_WITHIN = b"%PDF-", 1024
_MOST_TYPES_BYTES = 1_000_000  # of the small parts that say what an archive is


def detect(path: Path, file_name: str) -> Format:
    """The format of the file at `path`, whose uploader calls it `file_name`.

    Raises:
        EmptyFile: If it has no bytes.
        UnsupportedFormat: If its content is in no format that is read, or is plain text under a name that promises something else.
        UnreadableDocument: If it is an archive cut short.
        TooMuchToRead: If it is an archive with more members than any document has.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise EmptyFile(f"{file_name} has no content.", hint="Save it again where it comes from and add that.")
    if _PDF_MARK in head[:_PDF_WITHIN]:
        return PDF
    if head.startswith(b"PK"):
        return _archive(path, file_name)
    if head.startswith(b"{\\rtf"):
        return RTF
    for start, picture in _PICTURE_STARTS:
        if start.match(head):
            return picture
    if head.startswith(OLE):
        return _office(path, file_name)
    for magic, what in _MAGIC:
        if head.startswith(magic) and (len(magic) > 2 or b"\0" in head):
            raise _unsupported(f"{file_name} is {what}.")
    return _text(head, file_name)


def is_pdf(path: Path) -> bool:
    """Whether the file is taken for a PDF: its mark stands near the beginning."""
    with path.open("rb") as file:
        return _PDF_MARK in file.read(_PDF_WITHIN)


def open_reader(found: Format) -> Reader:
    """The reader for a format; its vendor is imported here and not before.

    Raises:
        UnsupportedFormat: If it is a ZIP, of which only the members are read.
    """
    if found is ZIP:
        raise _unsupported(
            "A ZIP is no document itself.", "Add it as a whole, not as a version or a part of something."
        )
    module = importlib.import_module(f"ingest.readers.{found.reader}")
    reader: Reader = getattr(module, f"{found.reader.capitalize()}Reader")()
    return reader


def _unsupported(detail: str, hint: str = "") -> UnsupportedFormat:
    return UnsupportedFormat(f"{detail} Supported are {SUPPORTED}.", hint=hint or "Save or export it in one of these.")


def _archive(path: Path, file_name: str) -> Format:
    check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            types, kind = (_small_part(archive, name) for name in ("[Content_Types].xml", "mimetype"))
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        raise UnreadableDocument(
            f"{file_name} is damaged or cut off: its archive cannot be opened.",
            hint="Get the file anew from its source.",
        ) from error
    parts = types + kind if "META-INF/container.xml" not in names else f"{types}{kind}{EPUB.media_type}"
    for sign, found in _PACKAGES:
        if sign in parts:
            return found
    for sign, what, better in _REFUSED_PACKAGES:
        if sign in parts:
            raise _unsupported(f"{file_name} is {what}.", f"Save it as {better} and add that.")
    return ZIP


def _small_part(archive: zipfile.ZipFile, name: str) -> str:
    """The beginning of a part, empty if there is none: an archive may claim any size for it."""
    if name not in archive.namelist():
        return ""
    with archive.open(name) as part:
        return part.read(_MOST_TYPES_BYTES).decode("utf-8", "replace")


def _office(path: Path, file_name: str) -> Format:
    """An Office file that is not read as it is: under a password, or of before 2007 (`ingest.apart.office`)."""
    if _holds(path, PACKAGE):
        return _LOCKED.get(Path(file_name).suffix.lower(), Format(OLD_OFFICE, ""))
    old = old_office(path, file_name)
    return Format(old.media_type, "")


def old_office(path: Path, file_name: str) -> OldOffice:
    """Which of the binary Office formats a file is in, told by its streams; by its name only where it is older than those.

    Raises:
        UnsupportedFormat: If it is in none of them, or LibreOffice, which opens them, is not installed here.
    """
    suffix = Path(file_name).suffix.lower()
    likely = sorted(_OLD, key=lambda it: suffix not in it.suffixes)  # one may hold another inside, with its streams
    found = next((it for it in likely if any(_holds(path, stream) for stream in it.streams)), None)
    found = found or next((it for it in _OLD if suffix in it.suffixes), None)
    if found is None:
        what = (
            "an Outlook message"
            if _holds(path, "__properties_version1.0")
            else "in an old binary format that is not known"
        )
        raise _unsupported(f"{file_name} is {what}.", "Save it as EML or PDF, then add that.")
    if soffice() is None:
        raise UnsupportedFormat(
            f"{file_name} is in an old Office format ({found.name}), which only LibreOffice opens, and LibreOffice is not installed here.",
            hint=f"Save it as {found.becomes.upper()} and add that; or have LibreOffice installed on the server (Debian, Ubuntu: "
            "apt-get install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui) and add it again.",
        )
    return found


def soffice() -> Path | None:
    """LibreOffice's program, if it is installed."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return Path(found) if found else None


def _holds(path: Path, stream: str) -> bool:
    """Whether a compound file's directory has a stream of that name, as far as a look at its bytes can tell."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(stream.encode("utf-16-le")) >= 0


def _text(head: bytes, file_name: str) -> Format:
    """Text, if the bytes are text; the name tells Markdown and HTML without a head from plain text."""
    suffix = Path(file_name).suffix.lower()
    if is_mail(head):
        return MAIL
    shown = preview(head)
    if shown is None:
        raise _unsupported(f"{file_name} is in a format that is not known.")
    if _HTML_START.match(shown):
        return HTML
    if suffix in _BINARY_NAMES:
        raise _unsupported(
            f"{file_name} is named like {_BINARY_NAMES[suffix]}, but is not one.",
            "Save it anew in the program that made it, or give it the ending of what it is.",
        )
    if _XML_START.match(shown) and suffix not in _TEXT_NAMES:
        raise _unsupported(f"{file_name} is XML.")
    return _TEXT_NAMES.get(suffix, TXT)

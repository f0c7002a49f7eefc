"""What does an e-book say? Its chapters in reading order, each a page."""

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from ingest.encodings import decode
from ingest.pages_read import page_read
from ingest.readers.html_walk import Walk, drop, parsed
from ingest.readers.ooxml import office_errors
from ingest.readers.text_builder import TextBuilder
from xuesi.core.errors import EncryptedDocument, UnreadableDocument
from xuesi.core.ports import Reading
from xuesi.core.text import has_words

_MOST_BYTES = 50_000_000  # of one part, unpacked
_NOT_READ = ("script", "style", "template", "svg", "head", "rt", "rp")
_WEB = ("application/xhtml+xml", "text/html", "text/xml")
_OBFUSCATED_FONT = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


class EpubReader:
    """EPUB 2 and 3. A page is a chapter, as the book's spine names them; those without text are left out."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`. Raises EncryptedDocument for a book whose publisher locked it."""
        del password
        with office_errors("EPUB"), zipfile.ZipFile(path) as archive:
            _refuse_locked(archive)
            place, package = _package(archive)
            builder = TextBuilder()
            names = list(_chapters(archive, place, package))
            number = 0
            page_read(0, len(names))
            for done, name in enumerate(names, start=1):
                chapter = _body(_part(archive, name))
                if chapter is not None:
                    number += 1
                    builder.start_page(str(number))
                    Walk(builder).walk(chapter)
                page_read(done, len(names))
            return builder.reading(properties=_properties(package))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        data = part.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UnreadableDocument(f"{name} inside the e-book unpacks to more than {_MOST_BYTES // 1_000_000} MB.")
    return data


def _xml(data: bytes) -> Any:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))


def _refuse_locked(archive: zipfile.ZipFile) -> None:
    """Fonts may be scrambled, which does no harm; anything else that is encrypted is text."""
    if "META-INF/encryption.xml" not in archive.namelist():
        return
    methods = _xml(_part(archive, "META-INF/encryption.xml")).xpath("//*[local-name()='EncryptionMethod']/@Algorithm")
    if any(method not in _OBFUSCATED_FONT for method in methods):
        raise EncryptedDocument(
            "The e-book is locked by its publisher (DRM) and cannot be read here.",
            hint="Ask the publisher for a copy without a lock.",
        )


def _package(archive: zipfile.ZipFile) -> tuple[str, Any]:
    """The folder of the package file inside the archive, and its root."""
    found = _xml(_part(archive, "META-INF/container.xml")).xpath("//*[local-name()='rootfile']/@full-path")
    name = str(found[0])
    return posixpath.dirname(name), _xml(_part(archive, name))


def _chapters(archive: zipfile.ZipFile, place: str, package: Any) -> Iterator[str]:
    """The names of the chapters' parts in reading order."""
    items = {item.get("id"): item for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")}
    names = set(archive.namelist())
    # A book names each chapter once; one that names them again and again would never end.
    for key in dict.fromkeys(package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref")):
        item = items.get(key)
        if item is None or item.get("media-type") not in _WEB or "nav" in (item.get("properties") or "").split():
            continue
        name = posixpath.normpath(posixpath.join(place, unquote(item.get("href", "").partition("#")[0])))
        if name in names:
            yield name


def _body(data: bytes) -> Any:
    root = parsed(decode(data).text)
    drop(root, _NOT_READ)
    return root if has_words(root.text_content()) else None


def _properties(package: Any) -> dict[str, str]:
    names = {
        "title": "title",
        "author": "creator",
        "created": "date",
        "subject": "description",
        "publisher": "publisher",
    }
    texts = {name: package.xpath(f"string((//*[local-name()='{tag}'])[1])") for name, tag in names.items()}
    return {name: " ".join(str(text).split()) for name, text in texts.items()}

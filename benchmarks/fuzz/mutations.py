"""How is a valid file made a bad one? As bytes, as the members of its archive, as a tree of XML, or as the objects of a PDF.

Every function takes a source of chance and is the same for the same source, so that a run can be repeated from its seed.
"""

import contextlib
import copy
import io
import re
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import pypdf
from lxml import etree
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
)

Mutation = Callable[[bytes, Random], bytes]
_MOST_BYTES = 400_000  # a larger file is as slow as it is large, which says nothing
_NUMBERS = (
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "-2147483649",
    "99999999999999999999",
    "1e999",
    "NaN",
    "0.0000001",
    "²",
    "٣",
)
_WORDS = (
    *_NUMBERS,
    "",
    " ",
    "x",
    "x" * 5000,
    "../../../etc/passwd",
    "A1:XFD1048576",
    "true",
    "#",
    "%",
    "\t",
    "。",
    "𠀀",
    "\u200f",
    "&l;",
)
_FRAGMENTS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b"<", b">", b"&", b'"', b"'", b"|", b"(", b")", b"[", b"]", b"{", b"}", b"\\", b"`", b"*", b"#", b"- ", b"> ",
    b"<div>", b"</div>", b"<table>", b"<tr><td>", b"<ul><li>", b"<!--", b"<![CDATA[", b"<script>", b"\\bin99999999 ", b"\\u-1?", b"{\\*", b"\\'", b"\\trowd", b"\\cell",
    b"<<", b">>", b"obj", b"endobj", b"stream", b"endstream", b"/Kids", b"/Parent", b" 0 R", b"BT", b"ET", b"Do", b"q ", b"Tj", b"\xe3\x80\x80", b"\x0c", b"---\n", b"1. ", b"[a](", b"|-|\n",
)  # fmt: skip
_TEXTLIKE = re.compile(rb"-?\d+")
_PDF_VALUES = (
    lambda c: NumberObject(c.choice((0, -1, 2**31, -(2**31), 10**12))),
    lambda c: FloatObject(c.choice(("1e30", "-1e30", "0.00001"))),
)
_CONTENT = (
    b"q",
    b"Q",
    b"BT",
    b"ET",
    b"Do",
    b"cm",
    b"re",
    b"f",
    b"S",
    b"l",
    b"m",
    b"n",
    b"W",
    b"Tm",
    b"Td",
    b"TL",
    b"T*",
    b"1e30",
    b"-1e30",
    b"0",
    b"99999999999",
)
ARCHIVES = ("docx", "pptx", "xlsx", "odt", "epub")


def mutated(data: bytes, name: str, chance: Random) -> bytes:
    """The file after one to six changes of kinds that fit its format (`name` as its extension)."""
    kinds: tuple[Mutation, ...] = (changed_bytes,)
    if name in ARCHIVES:
        kinds = (*[changed_archive] * 8, changed_bytes)
    elif name == "zip":
        kinds = (changed_archive, changed_bytes, changed_bytes)
    elif name == "pdf":
        kinds = (changed_pdf, changed_pdf, changed_numbers, changed_bytes)
    elif name in ("html", "md", "rtf", "csv", "txt", "eml"):
        kinds = (changed_bytes, repeated, changed_numbers)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        data = chance.choice(kinds)(data, chance)[:_MOST_BYTES]
    return data


def changed_bytes(data: bytes, chance: Random) -> bytes:
    """A bit turned, bytes set, cut out, put in, doubled or exchanged, or the end cut off."""
    at = chance.randrange(len(data) + 1)
    size = chance.choice((1, 2, 4, 16, 256, 4096))
    other = chance.randrange(len(data) + 1)
    piece = data[other : other + size]
    match chance.randrange(7):
        case 0 if data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        case 1:
            return (
                data[:at]
                + bytes(chance.choice((0, 255, 127, 32)) for _ in range(min(size, 16)))
                + data[at + min(size, 16) :]
            )
        case 2:
            return data[:at] + data[at + size :]
        case 3:
            return data[:at] + chance.choice(_FRAGMENTS) + data[at:]
        case 4:
            return data[:at] + piece + data[at:]
        case 5:
            return data[:at] + piece + data[at + len(piece) :]
    return data[:at]


def repeated(data: bytes, chance: Random) -> bytes:
    """A piece of the file, or a sign that opens or closes something, again and again: what nests or costs more than its size shows here."""
    at = chance.randrange(len(data) + 1)
    piece = chance.choice(_FRAGMENTS) if chance.random() < 0.6 else data[at : at + chance.choice((1, 3, 20, 200))]
    times = chance.choice((2, 10, 100, 1_000, 10_000, 50_000))
    return data[:at] + piece * min(times, 200_000 // max(1, len(piece))) + data[at:]


def changed_numbers(data: bytes, chance: Random) -> bytes:
    """A number of the file made another one."""
    found = list(_TEXTLIKE.finditer(data[:100_000]))
    if not found:
        return changed_bytes(data, chance)
    one = chance.choice(found)
    return data[: one.start()] + chance.choice(_NUMBERS).encode() + data[one.end() :]


def changed_archive(data: bytes, chance: Random) -> bytes:
    """A member changed, left out, doubled, renamed, or given another's content; packed again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith("/")]
    except Exception:  # noqa: BLE001 an earlier change broke it
        return changed_bytes(data, chance)
    if not parts:
        return changed_bytes(data, chance)
    at = chance.randrange(len(parts))
    name, content = parts[at]
    match chance.randrange(12):
        case 0:
            del parts[at]
        case 1:
            parts.append((name, chance.choice(parts)[1]))
        case 2:
            parts[at] = (chance.choice(("../x", "/etc/x", "a\\b", name.upper(), chance.choice(parts)[0])), content)
        case 3:
            parts[at] = (name, chance.choice(parts)[1])
        case 4:
            parts[at] = (name, changed_bytes(content, chance))
        case _:
            parts[at] = (name, changed_xml(content, chance))
    return _packed(parts)


def _packed(parts: list[tuple[str, bytes]]) -> bytes:
    import warnings

    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(out := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


def changed_xml(data: bytes, chance: Random) -> bytes:  # noqa: C901 one case a change
    """An element left out, doubled, nested in itself, moved or renamed; an attribute or a text made another one."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except (etree.XMLSyntaxError, ValueError):
        return changed_bytes(data, chance)
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    one, other = chance.choice(elements), chance.choice(elements)
    parent = one.getparent()
    match chance.randrange(10):
        case 0 if parent is not None:
            parent.remove(one)
        case 1 if parent is not None:
            _doubled(one, chance.choice((1, 1, 2, 50, 2000)))
        case 2 if parent is not None:
            _nested(one, chance.choice((1, 3, 30, 250, 3000)))
        case 3 if parent is not None and one not in other.iterancestors() and one is not other:
            other.append(one)
        case 4:
            one.tag = other.tag
        case 5:
            one.text = chance.choice(_WORDS)
        case 6 if one.attrib:
            del one.attrib[chance.choice(sorted(one.attrib))]
        case 7 if one.attrib and other.attrib:
            one.set(chance.choice(sorted(one.attrib)), other.get(chance.choice(sorted(other.attrib))))
        case _ if one.attrib:
            one.set(chance.choice(sorted(one.attrib)), chance.choice(_WORDS))
        case _:
            one.text = one.tail = chance.choice(_WORDS)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)  # type: ignore[no-any-return]


def _doubled(element: Any, times: int) -> None:
    for _ in range(min(times, 1 + _MOST_BYTES // (1 + len(etree.tostring(element))))):
        element.addnext(copy.deepcopy(element))


def _nested(element: Any, depth: int) -> None:
    """Wrap what is in the element in that many of its kind."""
    inside = list(element)
    at = element
    for _ in range(depth):
        at = etree.SubElement(at, element.tag, dict(element.attrib))
    at.extend(inside)
    at.text, element.text = element.text, None


def changed_pdf(data: bytes, chance: Random) -> bytes:
    """A value of an object made another one, or a reference led elsewhere, or a page's drawing changed; written anew."""
    try:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
        objects = [it for it in writer._objects if isinstance(it, (DictionaryObject, ArrayObject))]  # noqa: SLF001 all there are
        for _ in range(chance.randint(1, 4)):
            one = chance.choice(objects)
            if isinstance(one, StreamObject) and chance.random() < 0.5:
                _redraw(one, chance)
            else:
                _revalue(one, len(writer._objects), writer, chance)  # noqa: SLF001
        writer.write(out := io.BytesIO())
        return out.getvalue()
    except Exception:  # noqa: BLE001 pypdf gives up where an earlier change went far
        return changed_bytes(data, chance)


def _redraw(stream: Any, chance: Random) -> None:
    content = stream.get_data()
    if chance.random() < 0.5:
        words = content.split(b" ")
        words[chance.randrange(len(words))] = chance.choice(_CONTENT) + b" " * (chance.random() < 0.1)
        if chance.random() < 0.2:
            words.insert(0, b" ".join([chance.choice(_CONTENT)] * chance.choice((10, 1000, 20_000))))
        content = b" ".join(words)
    else:
        content = changed_bytes(content, chance)
    stream.set_data(content)


def _revalue(one: Any, count: int, writer: Any, chance: Random) -> None:
    keys = list(one) if isinstance(one, DictionaryObject) else list(range(len(one)))
    if not keys:
        return
    key = chance.choice(keys)
    old = one.raw_get(key) if isinstance(one, DictionaryObject) else one[key]
    new: Any
    match chance.randrange(6):
        case 0 if isinstance(one, DictionaryObject):
            del one[key]
            return
        case 1 | 2:
            new = IndirectObject(chance.randint(1, count), 0, writer)
        case 3:
            new = NameObject(
                "/" + chance.choice(("Page", "Pages", "X", "Form", "Font", "Identity-H", "FlateDecode", "Catalog"))
            )
        case 4 if isinstance(old, ArrayObject):
            new = ArrayObject(list(old) * chance.choice((0, 2, 500)))
        case _:
            new = chance.choice(_PDF_VALUES)(chance)
    with contextlib.suppress(ValueError):
        one[NameObject(key) if isinstance(key, str) else key] = new

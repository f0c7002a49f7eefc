"""What is in a mail: its headers in words, the parts that are its text, and what is attached? For its reader, and for taking its attachments in.

Python's parser takes any bytes apart; what it leaves to others is done here: charsets that are called by another's name (GBK as gb2312), headers in
raw bytes, encoded words of any length.
"""

import re
from collections.abc import Iterator
from email import message_from_binary_file
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeAlias

from ingest.encodings import decode
from xuesi.core.errors import UnreadableDocument

Part: TypeAlias = "Message[str, str]"
_FIELD = re.compile(rb"(?:From [^\r\n]+\r?\n)?[!-9;-~]{1,60}:[ \t\r\n]")
_OF_MAIL = re.compile(
    rb"^(?:from|to|subject|date|message-id|mime-version|received|return-path|delivered-to):",
    re.IGNORECASE | re.MULTILINE,
)
_LEAST_FIELDS = 3  # of those that only mails have; fewer could be notes of somebody
_CHINESE = {"gb2312", "gb_2312-80", "gbk", "cp936", "x-gbk", "gb18030", "hz-gb-2312"}
_WESTERN = {"", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "unknown-8bit", "default"}
_SIGNATURES = {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "text/calendar", "text/x-vcard", "text/vcard"}  # fmt: skip
_DEEPEST = 50


def is_mail(head: bytes) -> bool:
    """Whether a file that begins so is a mail: header fields from its first byte on, several of those that mails have."""
    block = re.split(rb"\r?\n\r?\n", head.lstrip(b"\r\n"), maxsplit=1)[0]
    return bool(_FIELD.match(block)) and len({it.lower() for it in _OF_MAIL.findall(block)}) >= _LEAST_FIELDS


def open_mail(path: Path) -> Part:
    """The mail in the file. Raises UnreadableDocument if it has no headers."""
    with path.open("rb") as file:
        mail: Part = message_from_binary_file(file, policy=compat32)
    if not mail.keys():
        raise UnreadableDocument("The file has no headers of a mail.", hint="Save the mail anew as EML.")
    return mail


def header(mail: Part, name: str) -> str:
    """All headers of that name in words, joined by commas; empty if there is none."""
    raw = (str(value) for key, value in mail.raw_items() if key.lower() == name.lower())
    return ", ".join(filter(None, map(_words, raw)))


def day(mail: Part) -> str:
    """When it was sent: YYYY-MM-DD HH:MM as its writer's clock showed, or as the header says where that is no time."""
    said = header(mail, "Date")
    try:
        return parsedate_to_datetime(said).strftime("%Y-%m-%d %H:%M")
    except (ValueError, TypeError, OverflowError):
        return said


def text_of(part: Part) -> str:
    """The text of a part that is text."""
    data = _bytes_of(part)
    try:
        charset = str(part.get_content_charset() or "")
    except ValueError:  # a charset with a NUL in it, of which Python's parser makes an error of its own
        charset = ""
    return _decoded(data, charset)


def bodies(part: Part, depth: int = 0) -> list[Part]:
    """The parts that are the mail's own text, in order: of alternatives the richest, HTML before plain."""
    if depth > _DEEPEST or _is_attached(part):
        return []
    if not part.is_multipart():
        return [part] if part.get_content_type() in {"text/plain", "text/html"} else []
    inner = [bodies(child, depth + 1) for child in _children(part)]
    if part.get_content_type() != "multipart/alternative":
        return [body for each in inner for body in each]
    rich = [each for each in inner if any(body.get_content_type() == "text/html" for body in each)]
    return next(iter([*reversed(rich), *(each for each in inner if each)]), [])


def attachments(part: Part, depth: int = 0) -> Iterator[tuple[str, Part]]:
    """What is attached, with its name, in order; pictures that stand in the text (logos, signatures) and electronic signatures are left out."""
    if depth > _DEEPEST:
        return
    if part.get_content_type() == "message/rfc822" or _is_attached(part):
        if part.get_content_type() not in _SIGNATURES and (depth or not part.is_multipart()):
            yield _name(part), part
        return
    if not part.is_multipart():
        return
    for child in _children(part):
        shown_inside = child.get("Content-ID") and child.get_content_maintype() == "image"
        if not shown_inside:
            yield from attachments(child, depth + 1)


def content(part: Part) -> bytes:
    """The bytes of something attached; of an attached mail, that mail."""
    if part.get_content_type() == "message/rfc822":
        return b"".join(child.as_bytes() for child in _children(part)[:1])
    return _bytes_of(part)


def _is_attached(part: Part) -> bool:
    return part.get_content_disposition() == "attachment" or (
        _file_name(part) is not None and part.get_content_maintype() != "multipart"
    )


def _file_name(part: Part) -> str | None:
    try:
        return part.get_filename()
    except ValueError:  # as for the charset
        return "attachment"


def _name(part: Part) -> str:
    given = _file_name(part)
    if given:
        return _words(given)
    if part.get_content_type() == "message/rfc822":
        return (header(_children(part)[0], "Subject") if _children(part) else "") + ".eml"
    return "attachment"


def _children(part: Part) -> list[Part]:
    inner = part.get_payload()
    return [child for child in inner if isinstance(child, Message)] if isinstance(inner, list) else []


def _bytes_of(part: Part) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _words(raw: str) -> str:
    """A header's value: raw bytes and encoded words decoded, its lines joined."""
    plain = raw if raw.isascii() else _decoded(raw.encode("utf-8", "surrogateescape"), "")
    plain = re.sub(r"\r?\n(?=[ \t])", "", plain)
    try:
        pieces = decode_header(plain) if "=?" in plain else [(plain, None)]
    except (HeaderParseError, ValueError):
        pieces = [(plain, None)]
    said = (
        piece if isinstance(piece, str) else _decoded(piece, charset) if charset else piece.decode("raw-unicode-escape", "replace")
        for piece, charset in pieces
    )  # fmt: skip
    return " ".join("".join(said).split())


def _decoded(data: bytes, charset: str) -> str:
    """By the charset named, if the bytes fit; a mail that names none, or a Western one without meaning it, is told by its bytes."""
    charset = charset.lower().strip("'\" ")
    if data.isascii() and charset not in {"hz-gb-2312", "utf-7", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn"}:
        return data.decode("ascii")
    if charset not in _WESTERN:
        try:
            return data.decode("gb18030" if charset in _CHINESE - {"hz-gb-2312"} else charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            pass
    guess = decode(data)
    if charset in _WESTERN - {"", "unknown-8bit"} and guess.encoding not in {"utf-8", "gb18030", "big5hkscs"}:
        return data.decode("cp1252", "replace")
    return guess.text

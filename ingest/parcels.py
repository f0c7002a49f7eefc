"""Which documents are in a file that holds others: a ZIP, or a mail with its attachments? In a confined process; nothing is written by a member's name.

A name is what its member is called, and no more: folders in it are shown and never made.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ingest.archives import Archive
from ingest.encodings import decode
from ingest.mail import attachments, content, open_mail
from xuesi.core.errors import (
    DocumentTooLarge,
    EncryptedDocument,
    TooMuchToRead,
    UnreadableDocument,
    UnsupportedFormat,
    XuesiError,
)

_MOST_MEMBERS = 2_000
_PIECE_BYTES = 1 << 20
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_LEFT_OUT = re.compile(r"(?:^|/)(?:__MACOSX/|\.|~\$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside. `pieces` gives its bytes, or raises the reason why they cannot be had; that costs this member only."""

    name: str
    pieces: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Most:
    """How much is unpacked, in bytes: of one member, and of all together."""

    member: int
    together: int


def members_of_zip(path: Path, *, password: str | None, most: Most) -> Iterator[Member]:
    """The files in a ZIP, without folders, hidden files and what systems leave beside them.

    Raises:
        TooMuchToRead: If it declares more than is unpacked, packs too tightly, or has too many members.
        EncryptedDocument: If all of it needs a password which was not given or is wrong.
        UnreadableDocument: If it is no whole archive.
    """
    with Archive(path, limit_bytes=most.together) as archive:
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]  # is_dir() wants a name
        named = [pair for pair in zip(_names(infos), infos, strict=True) if not _LEFT_OUT.search(pair[0])]
        if len(named) > _MOST_MEMBERS:
            raise TooMuchToRead(
                f"The archive holds {len(named)} files; at most {_MOST_MEMBERS} are taken at once.",
                hint="Unpack it and add the folder, or split it.",
                limit="members",
            )
        if named and all(info.flag_bits & _ENCRYPTED_FLAG for _, info in named) and not password:
            raise _encrypted(password)
        for name, info in named:
            yield Member(name, lambda info=info: _unpacked(archive, info, password=password, most=most))  # type: ignore[misc]


def members_of_mail(path: Path, *, most: Most) -> Iterator[Member]:
    """What is attached to a mail. Raises UnreadableDocument if it is none."""
    for name, part in attachments(open_mail(path)):
        yield Member(name, lambda part=part: _checked(content(part), most))  # type: ignore[misc]


def _checked(data: bytes, most: Most) -> Iterator[bytes]:
    if len(data) > most.member:
        raise _too_large(most)
    yield data


def _unpacked(archive: Archive, info: zipfile.ZipInfo, *, password: str | None, most: Most) -> Iterator[bytes]:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnsupportedFormat("It is a link to another file, which is not followed.", hint="Pack the file itself.")
    if info.file_size > most.member:
        raise _too_large(most)
    encrypted = bool(info.flag_bits & _ENCRYPTED_FLAG)
    if encrypted and not password:
        raise _encrypted(password)
    try:
        with archive.open(info, pwd=password.encode() if encrypted and password else None) as member:
            while piece := member.read(_PIECE_BYTES):
                yield piece
    except XuesiError:
        raise
    except NotImplementedError as error:
        raise (
            _encrypted(password)
            if encrypted
            else UnsupportedFormat(
                "It is packed in a way that is not known here.",
                hint="Pack it anew as a plain ZIP, or add the file itself.",
            )
        ) from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        if encrypted:
            raise _encrypted(password) from error
        raise UnreadableDocument(
            "It is damaged: what is unpacked is not what was packed.", hint="Pack it anew, or add the file itself."
        ) from error


def _names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The members' names as they were meant: those without the mark of UTF-8 are bytes, read together, since one archive was made by one program."""
    raw = {info.filename: _raw(info) for info in infos if not info.flag_bits & _UTF8_FLAG}
    beyond = b"\n".join(data for data in raw.values() if data is not None and not data.isascii())
    encoding = "utf-8"
    if beyond:
        try:
            encoding = decode(beyond).encoding
        except UnreadableDocument:
            encoding = "cp437"
    named = []
    for info in infos:
        data = raw.get(info.filename)
        named.append(_tidy(info.filename if data is None else data.decode(encoding, "replace")))
    return named


def _raw(info: zipfile.ZipInfo) -> bytes | None:
    """The bytes that zipfile took for cp437; None where it did not."""
    try:
        return info.filename.encode("cp437")
    except UnicodeEncodeError:
        return None


def _tidy(name: str) -> str:
    """A name without what would lead out of a folder: roots, drives and steps upwards."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in {"/", "//", "..", "."}]
    if parts and re.fullmatch(r"[A-Za-z]:", parts[0]):
        parts = parts[1:]
    return "/".join(parts) or "file"


def _too_large(most: Most) -> DocumentTooLarge:
    return DocumentTooLarge(
        f"It is larger than {most.member // 1_000_000} MB unpacked.", hint="Split it, or raise the setting max_file_mb."
    )


def _encrypted(password: str | None) -> EncryptedDocument:
    return EncryptedDocument(
        "The archive is encrypted, and the given password does not open it, or it is encrypted in a way that is not supported."
        if password
        else "The archive is encrypted and opens only with a password.",
        hint="Add it again with its password, or unpack it and add the files inside.",
    )

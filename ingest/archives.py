"""How is an archive opened that may unpack to more than any disk holds? With its sizes added up first, and counted while it is unpacked.

For every format that is a ZIP inside: DOCX, PPTX, XLSX, EPUB, ODT, and ZIP itself. `guard` is for libraries that open the file themselves:
Python's zipfile never unpacks more of a member than its declared size, so the sum of those is what a library can unpack at most.
"""

import struct
import zipfile
from pathlib import Path
from typing import IO, Any, BinaryIO

from xuesi.core.errors import TooMuchToRead, UnreadableDocument

_MOST_MEMBERS = 50_000
_DIRECTORY_BYTES = 16_000_000
_RATIO = 200  # deflate reaches 1,032; documents of repetitive XML 20 to 60
_SMALL_BYTES = 20_000_000  # below this no ratio does harm
_END, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65535
_LOCATOR, _LOCATOR_BYTES, _END64_SIZE_AT = b"PK\x06\x07", 20, 40


class Archive(zipfile.ZipFile):
    """A ZIP that is read, and that refuses to unpack more than `limit_bytes` in all."""

    def __init__(self, file: Path | BinaryIO, *, limit_bytes: int) -> None:
        """Open it.

        Raises:
            TooMuchToRead: If it declares more than the limit, packs too tightly, or has too many members.
            UnreadableDocument: If it is no whole archive.
        """
        check_directory(file)
        try:
            super().__init__(file)
        except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, ValueError) as error:
            raise UnreadableDocument(
                "The file is damaged or cut off: its archive cannot be opened.",
                hint="Get the file anew from its source.",
            ) from error
        self._limit_bytes = limit_bytes
        self._unpacked = 0
        try:
            self._check_sizes()
        except TooMuchToRead:
            self.close()
            raise

    def open(self, *arguments: Any, **named: Any) -> IO[bytes]:
        """As ZipFile's; what is read through it counts."""
        member: Any = super().open(*arguments, **named)
        original = member._read1  # noqa: SLF001 the one place through which zipfile unpacks

        def counted(count: int) -> bytes:
            piece: bytes = original(count)
            self._unpacked += len(piece)
            if self._unpacked > self._limit_bytes:
                raise _too_large(self._limit_bytes)
            return piece

        member._read1 = counted  # noqa: SLF001
        opened: IO[bytes] = member
        return opened

    def _check_sizes(self) -> None:
        members = self.infolist()
        if len(members) > _MOST_MEMBERS:
            raise _bomb(f"it has {len(members)} members")
        unpacked = sum(member.file_size for member in members)
        packed = sum(member.compress_size for member in members)
        if unpacked > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        if unpacked > _SMALL_BYTES and unpacked > _RATIO * packed:
            raise _bomb(f"{packed} bytes unpack to {unpacked}")


def guard(path: Path, *, limit_bytes: int) -> None:
    """Refuse an archive that no library should open.

    Raises:
        TooMuchToRead, UnreadableDocument: As `Archive`.
    """
    Archive(path, limit_bytes=limit_bytes).close()


def check_directory(file: Path | BinaryIO) -> None:
    """Refuse a directory of members that would fill the memory by itself, before zipfile reads it. Raises TooMuchToRead."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            size = _directory_bytes(opened)
    else:
        size = _directory_bytes(file)
    if size > _DIRECTORY_BYTES:
        raise _bomb(f"its list of members alone takes {size} bytes")


def _directory_bytes(file: BinaryIO) -> int:
    """What the archive says of its directory's size, ZIP64 too; 0 where it is no archive (zipfile will say so)."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        return 0
    size: int = struct.unpack_from("<I", tail, at + 12)[0]
    before = tail[max(0, at - _LOCATOR_BYTES) : at]
    if before.startswith(_LOCATOR):
        (offset,) = struct.unpack_from("<Q", before, 8)
        if offset + _END64_SIZE_AT + 8 <= length:
            file.seek(offset + _END64_SIZE_AT)
            (size,) = struct.unpack("<Q", file.read(8))
            file.seek(0)
    return size


def _too_large(limit_bytes: int) -> TooMuchToRead:
    return TooMuchToRead(
        f"The file unpacks to more than {limit_bytes // 1_000_000} MB (setting max_unpacked_mb).",
        hint="Check where it comes from; if it is right, split it or raise the setting.",
        limit="unpacked",
    )


def _bomb(why: str) -> TooMuchToRead:
    return TooMuchToRead(
        f"The file is packed as no document is ({why}): it looks like a decompression bomb.",
        hint="Check where it comes from. If it is right, unpack it and save what is inside anew.",
        limit="unpacked",
    )

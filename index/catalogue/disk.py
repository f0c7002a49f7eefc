"""How does a file get onto the disk whole, and what does the operating system's error mean for the data folder?"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xuesi.core.errors import DataFolderReadOnly, StorageFull
from xuesi.core.ids import new_id

_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Give a full or read-only disk its name; other errors of the operating system pass.

    Raises:
        StorageFull: If there is no space left.
        DataFolderReadOnly: If writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"There is no space left in {folder}.", hint="Free some space on that disk and try again."
            ) from error
        if error.errno in _READ_ONLY:
            raise read_only(folder) from error
        raise


def read_only(place: Path) -> DataFolderReadOnly:
    """What is said of a folder or file that cannot be written."""
    return DataFolderReadOnly(
        f"{place} cannot be written.", hint="Make it writable for this user, or set data_dir to another folder."
    )


@contextmanager
def replacing(place: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `place` when it is whole and on the disk; if writing fails, nothing has changed."""
    temporary = place.with_name(f".{place.name}-{new_id()}")
    try:
        with temporary.open("wb") as file:
            yield file
            flush(file)
        temporary.replace(place)
        flush_folder(place.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush(file: IO[bytes]) -> None:
    """Bring what was written to the disk, so that it lasts through a loss of power."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename last through a loss of power; a folder cannot be opened for this on Windows."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

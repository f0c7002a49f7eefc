"""How does a file get onto the disk whole, and what of it is there?"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from xuesi.core.errors import FileMissing
from xuesi.core.ids import new_id


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


def save_array(array: NDArray[Any], file: IO[bytes]) -> None:
    """Write an array as `.npy`; a full disk is an OSError that says so."""
    try:
        np.save(file, array, allow_pickle=False)
    except OSError as error:
        if error.errno is None:  # NumPy says how many values it could write, but not why: the disk is full
            raise OSError(errno.ENOSPC, str(error)) from error
        raise


def whole_files(folder: Path) -> list[Path]:
    """The files in a folder, without those that are being written; none where there is no folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except FileNotFoundError:
        return []


def opened(place: Path, stack: ExitStack) -> BinaryIO | None:
    """The file, opened until the stack closes; None where it is not there."""
    try:
        return stack.enter_context(place.open("rb"))
    except FileNotFoundError:
        return None


def missing(place: Path) -> FileMissing:
    """What is said of a file that should be there."""
    return FileMissing(
        f"The file {place} is not there.", hint="Restore it from a backup, or remove the document and add it again."
    )

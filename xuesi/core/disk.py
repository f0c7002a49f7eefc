"""What does the operating system's error mean, where the data folder is written?"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xuesi.core.errors import DataFolderReadOnly, StorageFull

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

"""Which process owns the data folder, and where does it serve? The embedded indexes have one owner, and whoever comes second talks to it.

owner.lock    held by the owner for as long as it lives, whatever ends it
owner.json    where it serves, for as long as it holds the lock; an owner that serves nothing (a restore, say) has none
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from xuesi.core.disk import disk_errors
from xuesi.core.errors import DataFolderBusy, DataFolderReadOnly

LOCK, ADDRESS = "owner.lock", "owner.json"
# Whoever only looks holds the lock for an instant: an owner waits this long for it to let go.
_LOOKED_AT_S = 1.0
# A new owner needs a moment from its lock to its address, and one that ends a few seconds from its address to its lock: whoever finds the one
# without the other looks again for so long.
_ADDRESS_S = 5.0
_PAUSE_S = 0.02


@contextmanager
def owned(data_dir: Path, *, url: str = "") -> Iterator[None]:
    """Own the data folder until the block ends.

    Args:
        data_dir: Made if it is not there.
        url: Where this process will serve it, for the others to know at once; whoever asks there before it does so must have to wait.

    Raises:
        DataFolderBusy: If another process owns it.
        DataFolderReadOnly: If it cannot be written.
        StorageFull: If there is no space left.
    """
    try:
        with disk_errors(data_dir):
            lock = _locked(data_dir, url)
    except filelock.Timeout as error:
        raise DataFolderBusy(
            f"Another process works with the data folder {data_dir}.",
            hint="Stop it, or choose another folder with XUESI_DATA_DIR.",
        ) from error
    except OSError as error:
        raise DataFolderReadOnly(
            f"The data folder {data_dir} cannot be written: {error.strerror or error}.",
            hint="Give this user the right to write there, or choose another with XUESI_DATA_DIR.",
        ) from error
    try:
        yield
    finally:
        withdraw(data_dir)
        lock.release()


def _locked(data_dir: Path, url: str) -> filelock.BaseFileLock:
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(data_dir / LOCK)
    lock.acquire(timeout=_LOOKED_AT_S, poll_interval=_PAUSE_S)
    try:
        (data_dir / ADDRESS).unlink(missing_ok=True)  # of an owner that was killed
        if url:
            _announce(data_dir / ADDRESS, url)
    except BaseException:
        lock.release()
        raise
    return lock


def owner_url(data_dir: Path) -> str | None:
    """Where the process that owns the data folder serves: empty if it serves nothing, None if nobody owns the folder."""
    if not data_dir.is_dir():
        return None
    lock = filelock.FileLock(data_dir / LOCK)
    until = time.monotonic() + _ADDRESS_S
    while True:
        try:
            with lock.acquire(timeout=0):
                return None
        except filelock.Timeout:
            pass
        except OSError:
            return None  # a folder that cannot be written is reported by whoever opens it
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads((data_dir / ADDRESS).read_text(encoding="utf-8"))["url"])
        if time.monotonic() >= until:
            return ""
        time.sleep(_PAUSE_S)


def withdraw(data_dir: Path) -> None:
    """Say no longer where this owner serves, because it ends: whoever comes now waits for the folder to be free."""
    with suppress(OSError):
        (data_dir / ADDRESS).unlink(missing_ok=True)


def _announce(place: Path, url: str) -> None:
    partial = place.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    partial.replace(place)

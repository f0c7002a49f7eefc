"""How is a file read apart? `ReadingApart` is what the worker asks; the rest of this module runs in the process that reads."""

import contextlib
import errno
import importlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import filelock

from ingest.apart.exchange import OUTPUTS, check_pages, read_back, write_error, write_reading
from ingest.apart.limits import Limits
from ingest.apart.office import OfficeApart
from ingest.apart.process import Apart, Ended, Watch
from ingest.apart.zygote import Tell
from xuesi.core.disk import disk_errors
from xuesi.core.errors import ParserCrashed, TooMuchToRead, UnreadableDocument, XuesiError
from xuesi.core.ports import Reading

__all__ = ["OUTPUTS", "ReadingApart", "load", "prepare", "work"]
_log = logging.getLogger("xuesi.apart")

_AT_LIMIT = {
    "time": ("Reading the file took longer than {0.timeout_s:g} s in all (setting read_timeout_s) and was stopped.", "Split the file, or raise the setting."),
    "silence": ("Reading the file got no further for {0.silence_s:g} s (setting page_timeout_s) and was stopped.", "The file may be damaged: save it anew, or raise the setting."),
    "memory": ("Reading the file needs more than {0.memory_mb} MB of memory (setting read_memory_mb).", "Split the file, or raise the setting."),
    "output": ("What is read from the file comes to more than {0.output_mb} MB.", "Split the file."),
}  # fmt: skip


class ReadingApart:
    """Reads files, one at a time, each in a process of its own. Used by the threads of one worker; `folder` is shared by all workers."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._limits = limits
        self._apart = Apart(__name__)
        self._office = OfficeApart(limits, reason)
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._own: Path | None = None
        self._lock = threading.Lock()

    def read(self, path: Path, file_name: str, *, password: str | None = None, watch: Watch) -> Reading:
        """Read the file at `path`, whose uploader calls it `file_name`.

        Args:
            path: The file.
            file_name: Helps to tell what it is.
            password: Opens an encrypted file.
            watch: As in `Apart.run`.

        Raises:
            InvalidInput: If the file cannot be read: encrypted, damaged, without text.
            UnsupportedFormat: If it is of an old Office format and LibreOffice is not installed.
            TooMuchToRead: If a limit was reached.
            ParserCrashed: If the process died of something else.
            StorageFull: If there is no space left.
        """
        with self._lock, self._place() as place, self._place() as beside:
            opened = self._office.opened(path, file_name, password=password, place=beside, watch=watch)
            request = {"path": str(opened.path.absolute()), "file_name": opened.file_name, "password": password}
            ended = self._apart.run(request, folder=place, limits=self._limits, watch=watch)
            if not ended.well:
                _log.warning("Reading %s: %s. %s", path, ended, ended.log)
                raise reason(ended, self._limits)
            _log.info("Reading took at most %d MB.", ended.peak_bytes // 1_000_000)
            reading = read_back(place, self._limits)
            return replace(reading, warnings=(*opened.notes, *reading.warnings)) if opened.notes else reading

    def start(self) -> None:
        """Get ready while other things are done."""
        self._apart.start()

    def close(self) -> None:
        """End what is running and leave no file."""
        self._apart.close()
        self._office.close()
        self._stack.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            self._own = None

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        with disk_errors(self._folder):
            if self._own is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _clear(self._folder)
                self._own = Path(tempfile.mkdtemp(dir=self._folder))
                self._stack.enter_context(filelock.FileLock(self._own / "lock"))
            place = Path(tempfile.mkdtemp(dir=self._own))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)  # a memory-mapped array in it stays readable


def _clear(folder: Path) -> None:
    """Remove what workers left that were killed."""
    for left in folder.iterdir():
        with contextlib.suppress(filelock.Timeout, OSError), filelock.FileLock(left / "lock", timeout=0):
            shutil.rmtree(left, ignore_errors=True)


def reason(ended: Ended, limits: Limits) -> XuesiError:
    """The error for a process that did not do its work."""
    if ended.limit:
        return _too_much(ended.limit, limits)
    if ended.code is not None:
        return UnreadableDocument(
            "Reading the file met something that nobody foresaw; the log of the worker says what.",
            hint="Save the file anew in the program that made it, or tell an administrator.",
        )
    return ParserCrashed(
        f"The process that read the file ended before its time: {ended}.",
        hint="Save the file anew in the program that made it.",
    )


def _too_much(limit: str, limits: Limits) -> TooMuchToRead:
    detail, hint = _AT_LIMIT[limit]
    return TooMuchToRead(detail.format(limits), hint=hint, limit=limit)


# In the zygote and the process that reads ----------------------------------------------------------------------------


def prepare(given: Any) -> None:
    """Nothing: what a format needs is loaded when its first file has come."""
    del given


def load(name: str) -> None:
    """Load a reader, and what every file needs. The name was told by a process that is not trusted: a name of nothing is passed over."""
    import ingest.reading  # noqa: F401, PLC0415 the worker never loads it
    from ingest import gate  # noqa: PLC0415 as above

    gate.prepare()
    with contextlib.suppress(ImportError):
        importlib.import_module(f"ingest.readers.{name}")


def work(request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Limits, tell: Tell) -> None:
    """Read one file, and write what was read or why it was not."""
    try:
        reading = _read(request, limits, tell)
        write_reading(reading, outputs)
    except XuesiError as error:
        write_error(error, outputs)
    except MemoryError:
        write_error(_too_much("memory", limits), outputs)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        write_error(_too_much("output", limits), outputs)


def _read(request: dict[str, Any], limits: Limits, tell: Tell) -> Reading:
    from ingest.reading import read_file  # noqa: PLC0415 the worker never loads it

    def page_read(done: int, total: int) -> None:
        check_pages(max(done, total), limits)
        tell({"done": done, "total": total})

    return read_file(
        Path(request["path"]),
        request["file_name"],
        password=request["password"],
        max_unpacked_bytes=limits.max_unpacked_mb * 1_000_000,
        page_read=page_read,
        reader_used=lambda name: tell({"used": name}),
    )

"""What has happened in the watched folders? New files come in, changed ones become new versions, and those that are gone are reported, never deleted.

Folders are looked at again and again, since no file system of another machine tells of its changes. A file is taken once it has stayed the same for
a while, by this machine's clock alone. What was last taken of each file, or why it was not, stands in the catalogue, so that a restart changes nothing.
"""

import contextlib
import hashlib
import io
import logging
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ingest.intake import Accepted, Duplicate, Intake, Metadata, Outcome
from xuesi.core.domain import DocumentId, WatchedFile
from xuesi.core.errors import DocumentNotFound, XuesiError
from xuesi.core.ports import Catalogue

_log = logging.getLogger("xuesi.watch")
# Hidden files, and what programs write beside or before the file that is meant.
_PASSING = re.compile(
    r"^[.~]|~$|\.(?:tmp|temp|part|partial|filepart|crdownload|download|swp|lock|lnk|bak)$|^(?:thumbs\.db|desktop\.ini)$",
    re.IGNORECASE,
)
_UNREAD = -1  # stands for the time of a file that could not be opened: it is tried again each time
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A watched folder as it was at the last look: whether it could be reached, and how many files stood in it."""

    path: str
    reachable: bool
    files: int


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    path: Path
    bytes: int
    modified_ns: int

    @property
    def state(self) -> tuple[int, int]:
        """What changes when the file does."""
        return self.bytes, self.modified_ns


class Watcher:
    """Looks at folders. Safe to share among threads; one process at a time looks.

    Args:
        intake: Takes the files.
        catalogue: Remembers them.
        folders: What is watched, with all folders inside; links are not followed.
        quiet_s: How long a file must stay as it is before it is taken.
        without: A folder that is passed over, wherever it lies: the data folder.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        catalogue: Catalogue,
        folders: Sequence[Path],
        quiet_s: float,
        without: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._intake = intake
        self._catalogue = catalogue
        self._roots = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100 links in it stay as they were given
        self._quiet_s = quiet_s
        self._without = without.resolve()
        self._clock = clock
        self._lock = threading.Lock()
        self._changing: dict[str, tuple[tuple[int, int], float]] = {}
        self._folders = [WatchedFolder(str(root), reachable=False, files=0) for root in self._roots]

    @property
    def folders(self) -> list[WatchedFolder]:
        """The folders as they were at the last look."""
        return list(self._folders)

    def notable(self) -> list[WatchedFile]:
        """Files that are gone, or of which something has to be said, by their path."""
        return [it for it in self._catalogue.watched() if (it.missing_since or it.problem) and self._is_watched(it)]

    def run_forever(self, stop: threading.Event, *, every_s: float) -> None:
        """Look until told to stop. An error is logged, and does not end it."""
        while self._roots and not stop.is_set():
            try:
                self.look(stop)
            except Exception:  # noqa: BLE001 the thread must outlive whatever went wrong, or nothing would be taken any more
                _log.exception("Looking at the watched folders failed; it is tried again in %.0f s.", every_s)
            stop.wait(every_s)

    def look(self, stop: threading.Event | None = None) -> None:
        """Look at all folders once, and take what is new and quiet.

        Raises:
            StoreUnavailable, StorageFull: If nothing can be taken now; the next look goes on.
        """
        with self._lock:
            for number, root in enumerate(self._roots):
                known = {it.path: it for it in self._catalogue.watched() if _is_under(it.path, str(root))}
                found, unread = self._found(root)
                reachable = not any(str(root) == folder for folder in unread) and (
                    bool(found) or not known or _has_any(root)
                )
                self._folders[number] = WatchedFolder(str(root), reachable=reachable, files=len(found))
                if not reachable:
                    _log.warning("The watched folder %s cannot be reached, or is empty all at once.", root)
                    continue
                for file in found.values():
                    if stop is not None and stop.is_set():
                        return
                    self._one(file, known.get(file.key), known)
                for gone in known.keys() - found.keys():
                    if not any(_is_under(gone, folder) for folder in unread):
                        self._gone(known[gone])

    def _found(self, root: Path) -> tuple[dict[str, _Found], list[str]]:
        """The files under a folder by their key, and the folders that could not be read."""
        found: dict[str, _Found] = {}
        unread: list[str] = []
        for folder, inner, names in os.walk(root, onerror=lambda error: unread.append(str(error.filename))):
            inner[:] = sorted(
                name for name in inner if not _PASSING.search(name) and Path(folder, name).resolve() != self._without
            )
            for name in sorted(names):
                path = Path(folder, name)
                if _PASSING.search(name):
                    continue
                with contextlib.suppress(OSError):  # gone between two calls
                    facts = path.lstat()
                    if stat.S_ISREG(facts.st_mode):
                        key = _key(path)
                        found[key] = _Found(key, path, facts.st_size, facts.st_mtime_ns)
        return found, unread

    def _one(self, file: _Found, row: WatchedFile | None, known: dict[str, WatchedFile]) -> None:
        if row is not None and (row.bytes, row.modified_ns) == file.state:
            self._changing.pop(file.key, None)
            if row.missing_since is not None:
                self._catalogue.set_watched(replace(row, missing_since=None))
            return
        state, since = self._changing.get(file.key, (None, 0.0))
        if state != file.state:
            self._changing[file.key] = file.state, self._clock()
            since = self._clock()
        if (
            self._clock() - since < self._quiet_s or not file.bytes
        ):  # an empty file is one that somebody begins to write
            return
        now = self._taken(file, row, known)
        if replace(now, seen_at=row.seen_at) != row if row else True:
            self._catalogue.set_watched(now)
        known[file.key] = now
        if now.modified_ns != _UNREAD:
            self._changing.pop(file.key, None)

    def _taken(self, file: _Found, row: WatchedFile | None, known: dict[str, WatchedFile]) -> WatchedFile:
        """The file as it is remembered from now on."""
        before = row or WatchedFile(file.key, "", 0, _UNREAD, datetime.now(UTC))
        try:
            with _opened(file.path) as source:
                sha256 = hashlib.file_digest(source, "sha256").hexdigest()
                source.seek(0)
                now = replace(
                    before,
                    sha256=sha256,
                    bytes=file.bytes,
                    modified_ns=file.modified_ns,
                    seen_at=datetime.now(UTC),
                    missing_since=None,
                )
                if sha256 == before.sha256:
                    return now
                document_id, problem = self._given(source, file, before, known)
                return replace(now, document_id=document_id, problem=problem)
        except OSError as error:
            return replace(before, modified_ns=_UNREAD, problem=f"It cannot be read: {error.strerror or error}.")

    def _given(
        self, source: BinaryIO, file: _Found, before: WatchedFile, known: dict[str, WatchedFile]
    ) -> tuple[DocumentId | None, str]:
        """Give the file to the intake: the document it is now in, and what has to be said of it."""
        name = Path(file.key).name
        try:
            if before.document_id is not None:
                with contextlib.suppress(DocumentNotFound):  # it was removed: what has changed since is a new one
                    taken = self._intake.take(
                        source, file_name=name, metadata=Metadata(), document_id=before.document_id
                    )
                    return before.document_id, "" if isinstance(taken, Accepted) else _same(taken)
                source.seek(0)
            outcomes = self._intake.take_all(source, file_name=name, metadata=Metadata())
        except XuesiError as error:
            if error.retryable:
                raise
            return before.document_id, str(error)
        match outcomes:
            case [Outcome(became=Accepted() as taken)]:
                return taken.document.id, ""
            case [Outcome(became=Duplicate() as there)]:
                return self._linked(there, file, known)
            case _:
                return _of_many(outcomes)

    def _linked(self, there: Duplicate, file: _Found, known: dict[str, WatchedFile]) -> tuple[DocumentId | None, str]:
        """A file whose bytes are there already: it belongs to that document, unless another file of the folder does that still stands there."""
        for other in known.values():
            if other.document_id == there.document.id and other.path != file.key:
                if Path(other.path).exists():
                    return None, _same(there)
                self._catalogue.forget_watched(other.path)  # it was moved here
        return there.document.id, ""

    def _gone(self, row: WatchedFile) -> None:
        """Report it as long as its document is there."""
        try:
            if row.document_id is None:
                raise DocumentNotFound(row.path)  # noqa: TRY301 as one that was removed
            self._catalogue.document(row.document_id)
        except DocumentNotFound:
            self._catalogue.forget_watched(row.path)
            return
        if row.missing_since is None:
            self._catalogue.set_watched(replace(row, missing_since=datetime.now(UTC)))

    def _is_watched(self, row: WatchedFile) -> bool:
        return any(_is_under(row.path, str(root)) for root in self._roots)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file itself, open: never what a link put in its place leads to, and never something that one waits for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is no file")
        yield file


def _of_many(outcomes: Sequence[Outcome]) -> tuple[DocumentId | None, str]:
    """An archive has no document; a mail is one, and the others were attached to it."""
    first = outcomes[0].became
    own = first.document.id if isinstance(first, Accepted) and "/" not in outcomes[0].name else None
    failed = [f"{it.name}: {it.became}" for it in outcomes if isinstance(it.became, XuesiError)]
    return own, " ".join(failed[:_SHOWN]) + (" …" if len(failed) > _SHOWN else "")


def _same(there: Duplicate) -> str:
    return f"The same file is in the library already, as “{there.document.title}”."


def _key(path: Path) -> str:
    """The path as text, also where its bytes are none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _has_any(root: Path) -> bool:
    """Whether anything at all is in a folder. A share that is not mounted leaves an empty one behind."""
    with os.scandir(root) as entries:
        return any(True for _ in entries)

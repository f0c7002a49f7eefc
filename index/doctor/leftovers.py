"""What did crashes leave behind? Files and folders that no version, job or index in force needs, and removed documents that nobody purged."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import filelock

from index.doctor.finding import WARNING, Finding, Parts
from index.versions import every_version
from xuesi.core.domain import JobId, JobState
from xuesi.core.errors import JobNotFound
from xuesi.core.text import counted

_YOUNG_S = 600.0  # what was being written within this time may still be
_PASSWORD_S = 3600.0  # as long as a job may take to come into being after its password
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_THROW_OUT = "xuesi doctor --repair deletes them."


def examine_leftovers(parts: Parts) -> list[Finding]:
    """Look through the data folder. What is no older than ten minutes and may be in use is left alone."""
    every = partial(every_version, parts.catalogue)
    stored = parts.files.leftovers(every, older_than_s=_YOUNG_S)
    remove = partial(parts.files.remove_leftover, wanted=parts.catalogue.has_original)
    reading, passwords = list(_readings(parts.settings.data_dir / "reading")), list(_passwords(parts))
    generations = parts.indexes.leftovers()
    return [
        *_finding("stray-files", "Files that belong to no version lie in the data folder", [f"files/{name}" for name in stored], _each(remove, stored)),
        *_finding("stray-index", "Folders of indexes that are not in force lie in the data folder", [_short(it, parts) for it in generations], _each(_delete, generations)),
        *_finding("stray-reading", "What killed workers were reading lies in the data folder", [_short(it, parts) for it in reading], _each(_delete, reading)),
        *_finding("stray-password", "Passwords of files whose jobs have ended are still kept", [_short(it, parts) for it in passwords], _each(_delete, passwords)),
        *_overdue(parts),
    ]  # fmt: skip


def _finding(code: str, what: str, items: list[str], mend: Callable[[], object]) -> list[Finding]:
    return [Finding(code, WARNING, f"{what}: {len(items)}.", _THROW_OUT, tuple(items), mend)] if items else []


def _each(act: Callable[..., object], things: Iterable[object]) -> Callable[[], None]:
    def run() -> None:
        for it in things:
            act(it)

    return run


def _readings(folder: Path) -> Iterator[Path]:
    """Folders of workers that no longer hold their lock."""
    for place in folder.glob("*"):
        try:
            before = place.stat()
            if time.time() - before.st_mtime < _YOUNG_S:
                continue
            with filelock.FileLock(place / "lock", timeout=0):
                yield place
            os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))  # a look at its lock makes it no younger
        except (filelock.Timeout, OSError):  # its worker works
            continue


def _passwords(parts: Parts) -> Iterator[Path]:
    for place in (parts.settings.data_dir / "secrets").glob("*"):
        try:
            old = time.time() - place.stat().st_mtime > _PASSWORD_S
            if old and parts.catalogue.job(JobId(place.name)).state not in _UNFINISHED:
                yield place
        except JobNotFound:
            yield place
        except FileNotFoundError:  # its job has ended just now
            continue


def _overdue(parts: Parts) -> list[Finding]:
    late = datetime.now(UTC) - timedelta(seconds=_YOUNG_S)
    due = {id_: until for id_, until in parts.catalogue.removed().items() if until < late}
    if not due:
        return []
    items = tuple(f"document {id_}, due since {until:%Y-%m-%d %H:%M} UTC" for id_, until in due.items())
    detail = f"Removed documents should have been purged by now: {counted(len(due), 'document')}."
    hint = "xuesi doctor --repair purges them; if they come back, the server's log says what stands in the way."
    return [Finding("purge-overdue", WARNING, detail, hint, items, parts.publisher.step)]


def _short(place: Path, parts: Parts) -> str:
    return place.relative_to(parts.settings.data_dir).as_posix()


def _delete(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)

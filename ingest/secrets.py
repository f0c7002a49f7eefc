"""Where does the password of an encrypted file wait for the worker? In a file that only this user can read, until the job ends.

It is in no database, message or log: those are backed up and looked at. The worker is another process, so memory is no place for it.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from xuesi.core.disk import disk_errors
from xuesi.core.domain import JobId

_LEFT_BEHIND_S = 3600.0


class Secrets:
    """Passwords by the job that needs them, a file each in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, job_id: JobId, password: str) -> None:
        """Keep it until `forget`.

        Raises:
            StorageFull: If there is no space left.
            DataFolderReadOnly: If writing is not allowed.
        """
        place = self._folder / job_id
        with disk_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(password)
            except OSError:
                place.unlink(missing_ok=True)
                raise

    def get(self, job_id: JobId) -> str | None:
        """The password, if one was given."""
        try:
            return (self._folder / job_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def forget(self, job_id: JobId) -> None:
        """Delete it."""
        (self._folder / job_id).unlink(missing_ok=True)

    def forget_all(self, *, unless: Callable[[JobId], bool]) -> None:
        """Delete what a job that was cancelled, or never came to be, left behind. Young ones stay: their job is being added."""
        if not self._folder.is_dir():
            return
        for place in self._folder.iterdir():
            try:
                old = time.time() - place.stat().st_mtime > _LEFT_BEHIND_S
            except FileNotFoundError:
                continue
            if old and not unless(JobId(place.name)):
                place.unlink(missing_ok=True)

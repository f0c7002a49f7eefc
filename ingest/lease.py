"""How does a worker hold a job, and how does it learn that it must leave it?"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from xuesi.core.domain import Job, JobState
from xuesi.core.errors import Unavailable
from xuesi.core.ports import Catalogue

_log = logging.getLogger("xuesi.jobs")
_WRITE_EVERY_S = 0.25


class Left(Exception):
    """The job is no longer this worker's: cancelled, removed with its document, or taken over."""


class Stopped(Exception):
    """The worker is to stop; the job is put back."""


class Lease:
    """The hold on a claimed job while the block lasts: renewed by every progress, and by a thread while a long step makes none."""

    def __init__(self, job: Job, *, catalogue: Catalogue, lease_s: float, stopping: threading.Event) -> None:
        self._job = job
        self._catalogue = catalogue
        self._lease_s = lease_s
        self._stopping = stopping
        self._at = ("", 0, 0)
        self._written_s = float("-inf")
        self._lost = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease-{job.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say how far the work is; written at once where a stage begins or ends, else four times a second at most.

        To say the same again is to ask whether the work may go on.

        Raises:
            Left: If the job is no longer this worker's.
            Stopped: If the worker is to stop.
        """
        if self._stopping.is_set():
            raise Stopped
        with self._lock:
            late = time.monotonic() - self._written_s >= _WRITE_EVERY_S
            moved = (stage, done, total) != self._at
            due = moved and (stage != self._at[0] or done == total or late)
            self._at = (stage, done, total)
            if due:
                self._write()
            elif late and not moved:
                self._look()
            if self._lost:
                raise Left

    def _renew(self) -> None:
        while not self._over.wait(self._lease_s / 3):
            with self._lock:
                try:
                    self._write()
                except Unavailable as error:
                    _log.warning("The lease of job %s was not renewed: %s", self._job.id, error)

    def _look(self) -> None:
        self._written_s = time.monotonic()
        job = self._catalogue.job(self._job.id)
        self._lost = self._lost or job.state is not JobState.RUNNING or job.attempts != self._job.attempts

    def _write(self) -> None:
        stage, done, total = self._at
        now = datetime.now(UTC)
        held = self._catalogue.progress(
            self._job.id,
            stage=stage,
            done=done,
            total=total,
            now=now,
            lease_until=now + timedelta(seconds=self._lease_s),
            attempt=self._job.attempts,
        )
        self._lost = self._lost or not held
        self._written_s = time.monotonic()

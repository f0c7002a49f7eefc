"""How is work done beside the server? A process that takes jobs from the queue until it is told to stop.

Two jobs run side by side, so that the cores stay busy while a file is read, written down or at its last passages (docs/adr/0012). The indexes are not
touched here, so any number of workers may run beside one server.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from huey.consumer import Consumer

from ingest.apart.limits import Limits
from ingest.apart.reading import ReadingApart
from ingest.filling import Filler
from ingest.jobs import Runner, waits_for_worker
from ingest.queue import HueyQueue
from ingest.secrets import Secrets
from ingest.turns import SIDE_BY_SIDE
from xuesi.core.domain import JobState
from xuesi.core.errors import XuesiError
from xuesi.core.models import NextModel
from xuesi.core.ports import Catalogue, Embedder, Files
from xuesi.core.settings import Settings

_log = logging.getLogger("xuesi.worker")
_LOOK_AT_PARENT_S = 1.0
_LEAVE_FILLING_S = 10.0  # what is being embedded in the background then is embedded again by the next worker


def run_worker(
    *,
    queue: HueyQueue,
    catalogue: Catalogue,
    files: Files,
    embedder: Callable[[], Embedder],
    embedder_of: Callable[[NextModel], Embedder],
    settings: Settings,
    parent: int | None = None,
) -> None:
    """Work until SIGTERM or SIGINT comes, or the process `parent` is no longer this one's parent. To be called in the main thread.

    A running job is put back when its next step ends; one whose step takes more than 20 s is left, and taken up again when its lease lapses.
    While no job waits, the library is embedded with the model that is being prepared, if any. `embedder` gives the embedder in force,
    `embedder_of` that of a model that is being prepared.
    """
    runner = runner_of(catalogue=catalogue, files=files, embedder=embedder, settings=settings)
    filler = Filler(
        catalogue=catalogue,
        files=files,
        embedder_of=embedder_of,
        batch=settings.embedding_batch,
        busy=lambda: runner.turns.running > 0 or queue.waiting() > 0,
        stopping=runner.stopping,
    )
    runner.reader.start()
    look = partial(_look, catalogue=catalogue, queue=queue, secrets=runner.secrets)
    look()
    consumer = queue.consumer(_Consumer, run=runner.run, look=look)
    consumer.stopping = runner.stopping
    if parent is not None:
        threading.Thread(target=_watch, args=(parent, consumer), name="parent", daemon=True).start()
    filling = threading.Thread(target=filler.run_forever, name="filler", daemon=True)
    filling.start()
    _log.info("The worker is ready.")
    try:
        consumer.run()
    finally:
        runner.stopping.set()
        filling.join(_LEAVE_FILLING_S)
        runner.reader.close()
    _log.info("The worker has stopped.")


def drain(
    *, catalogue: Catalogue, files: Files, embedder: Embedder, settings: Settings, refuse_same: bool = True
) -> int:
    """Work as a worker does until no job waits, those put off after an error included. `refuse_same` as in `ingest`.

    Returns:
        How many attempts were made.
    """
    runner = runner_of(catalogue=catalogue, files=files, embedder=lambda: embedder, settings=settings)
    runner = replace(runner, refuse_same=refuse_same)
    attempts = 0
    with contextlib.closing(runner.reader), ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="job") as threads:
        while True:
            waiting = [job.id for job in catalogue.waiting_jobs(now=datetime.now(UTC))]
            attempts += sum(threads.map(runner.run, waiting))
            if not catalogue.jobs(state=JobState.QUEUED, limit=1)[0]:
                return attempts
            time.sleep(0.05)  # what is queued now was put off


def runner_of(*, catalogue: Catalogue, files: Files, embedder: Callable[[], Embedder], settings: Settings) -> Runner:
    """What runs the jobs of a data folder; its reader is to be closed."""
    return Runner(
        catalogue=catalogue,
        files=files,
        reader=ReadingApart(settings.data_dir / "reading", limits_of(settings)),
        embedder=embedder,
        secrets=Secrets(settings.data_dir / "secrets"),
        passage_chars=settings.passage_chars,
        batch=settings.embedding_batch,
        lease_s=settings.job_lease_s,
        attempts=settings.job_attempts,
    )


def limits_of(settings: Settings) -> Limits:
    """What reading one file may take, by the settings."""
    return Limits(
        timeout_s=settings.read_timeout_s,
        silence_s=settings.page_timeout_s,
        memory_mb=settings.read_memory_mb,
        max_pages=settings.max_pages,
        max_unpacked_mb=settings.max_unpacked_mb,
        convert_s=settings.convert_timeout_s,
    )


def _look(*, catalogue: Catalogue, queue: HueyQueue, secrets: Secrets) -> None:
    """Wake for jobs that wait without a message: left by a worker that was killed, put off, or added while the queue was away."""
    try:
        if not queue.waiting():  # else they would be queued again every minute behind a long job
            for job in catalogue.waiting_jobs(now=datetime.now(UTC)):
                queue.wake(job.id)
        secrets.forget_all(unless=partial(waits_for_worker, catalogue))
    except XuesiError as error:
        _log.warning("Waiting jobs could not be looked for: %s", error)


def _watch(parent: int, consumer: Consumer) -> None:
    while os.getppid() == parent:
        if consumer.stop_flag.wait(_LOOK_AT_PARENT_S):
            return
    _log.info("The process that started this worker is gone.")
    os.kill(os.getpid(), signal.SIGTERM)


class _Consumer(Consumer):  # type: ignore[misc]
    """huey's consumer, which on any signal leaves the running job at its next step instead of finishing or dropping it."""

    stopping: threading.Event

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # (restart, graceful); without SIGHUP, on which huey would start the program anew.
        self._signal_actions = {signal.SIGTERM: (False, True), signal.SIGINT: (False, True)}

    def stop(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 huey's signature
        self.stopping.set()
        super().stop(graceful=graceful)

"""How does a worker learn that a job waits? The port `Queue` on huey: SQLite in the data folder, or a Redis by its address.

A message carries a job's id and nothing else. It may get lost or come twice: the job's row in the catalogue is the truth, and the
worker looks there every minute for what nobody woke it for.
"""

import importlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huey import Huey, crontab
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

from ingest.turns import SIDE_BY_SIDE
from xuesi.core.domain import JobId
from xuesi.core.errors import Misconfigured, StoreUnavailable

_log = logging.getLogger("xuesi.queue")
_NAME = "xuesi"
_TIMEOUT_S = 10


class _JsonSerializer(Serializer):  # type: ignore[misc]
    """Messages as JSON. huey's own are pickles, and who could write to the queue could then run code in the worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data._asdict()).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(**json.loads(data))


class HueyQueue:
    """The port `Queue`, and the worker's end of it."""

    def __init__(self, huey: Huey, errors: tuple[type[Exception], ...]) -> None:
        self._huey = huey
        self._errors = errors
        self._run: Callable[[JobId], object] = _nobody
        self._look: Callable[[], object] = _nobody
        self._wake = huey.task(name="run")(self._take)
        huey.periodic_task(crontab(minute="*"), name="look")(self._each_minute)

    def wake(self, job_id: JobId) -> None:
        """See `Queue.wake`."""
        with self._translated():
            self._wake(job_id)

    def waiting(self) -> int:
        """How many messages nobody has taken yet. Raises StoreUnavailable."""
        with self._translated():
            return int(self._huey.pending_count())

    def consumer(
        self, consumer: type[Consumer], *, run: Callable[[JobId], object], look: Callable[[], object]
    ) -> Consumer:
        """A consumer of huey whose threads work side by side: calls `run` for every message, and `look` every minute."""
        self._run, self._look = run, look
        # A SQLite queue is polled; half a second is as long as an upload waits for its worker.
        return consumer(
            self._huey,
            workers=SIDE_BY_SIDE,
            worker_type="thread",
            max_delay=0.5,
            shutdown_timeout=20,
            graceful_signal="TERM",
        )

    def close(self) -> None:
        """Close the connection."""
        self._huey.storage.close()

    def _take(self, job_id: str) -> None:
        self._run(JobId(job_id))

    def _each_minute(self) -> None:
        self._look()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise StoreUnavailable(
                f"The queue of jobs does not answer ({error}).", hint="See that it runs, and try again in a moment."
            ) from error


def open_queue(url: str, data_dir: Path) -> HueyQueue:
    """Open the queue at a Redis address, or in `data_dir` where `url` is empty.

    Raises:
        Misconfigured: If the address is no Redis address, or the Redis client is not installed.
        StoreUnavailable: If the queue in the data folder cannot be opened.
    """
    if url:
        return _open_redis(url)
    place = data_dir / "queue.db"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return _open_sqlite(place)
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(
            f"The queue {place} cannot be opened ({error}).", hint="Make the data folder writable for this user."
        ) from error
    except sqlite3.DatabaseError as error:
        # It holds wake-ups only, and the worker finds waiting jobs without them.
        _log.warning("The queue %s is damaged (%s) and is made anew.", place, error)
        place.unlink(missing_ok=True)
        return _open_sqlite(place)


def _open_sqlite(place: Path) -> HueyQueue:
    huey = Huey(
        _NAME,
        results=False,
        serializer=_JsonSerializer(),
        storage_class=SqliteStorage,
        filename=str(place),
        timeout=_TIMEOUT_S,
    )
    return HueyQueue(huey, (sqlite3.Error,))


def _open_redis(url: str) -> HueyQueue:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise Misconfigured(
            f"The address of the queue {url!r} is no Redis address.",
            hint="Write redis://host:6379/0, or leave queue_url empty for a queue in the data folder.",
            setting="queue_url",
        )
    try:
        from huey.storage import RedisStorage  # noqa: PLC0415 only where a Redis is set

        failure = importlib.import_module("redis.exceptions").RedisError
    except ImportError as error:
        raise Misconfigured(
            "queue_url names a Redis, but the package redis is not installed.",
            hint="pip install redis, or leave queue_url empty for a queue in the data folder.",
            setting="queue_url",
        ) from error
    huey = Huey(_NAME, results=False, serializer=_JsonSerializer(), storage_class=RedisStorage, url=url)
    return HueyQueue(huey, (failure, OSError))


def _nobody(*_: object) -> None:
    raise RuntimeError("a message was taken from the queue outside a worker")

"""What must a queue keep? Little: the job's row is the truth."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from huey.consumer import Consumer

from ingest.queue import HueyQueue, open_queue
from xuesi.core.domain import JobId
from xuesi.core.errors import Misconfigured, StoreUnavailable
from xuesi.core.ports import Queue


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[HueyQueue]:
    with closing(open_queue("", tmp_path)) as opened:
        yield opened


def messages(folder: Path) -> list[bytes]:
    with closing(sqlite3.connect(folder / "queue.db")) as database:
        return [bytes(data) for (data,) in database.execute("SELECT data FROM task")]


def test_a_message_is_plain_json_with_the_jobs_id(queue: HueyQueue, tmp_path: Path) -> None:
    def wake(port: Queue) -> None:
        port.wake(JobId("job-1"))

    wake(queue)
    (message,) = messages(tmp_path)
    assert json.loads(message)["args"] == ["job-1"]
    assert queue.waiting() == 1


class Stoppable(Consumer):  # type: ignore[misc]
    """A consumer that runs in a thread of the test, where no signals can be handled."""

    def _set_signal_handlers(self) -> None:
        pass


def test_who_consumes_is_given_each_job_once(queue: HueyQueue, tmp_path: Path) -> None:
    run: list[str] = []
    done = threading.Event()

    def take(job_id: JobId) -> None:
        run.append(job_id)
        if len(run) == 3:
            done.set()

    with closing(open_queue("", tmp_path)) as sender:  # another process's end, as it were
        for i in range(3):
            sender.wake(JobId(f"job-{i}"))
    consumer = queue.consumer(Stoppable, run=take, look=lambda: None)
    consumer.start()
    assert done.wait(10)
    consumer.stop(graceful=True)
    assert sorted(run) == ["job-0", "job-1", "job-2"]  # two are taken at once, and may pass each other


def test_an_error_in_a_job_does_not_end_the_consumer(queue: HueyQueue) -> None:
    done = threading.Event()

    def take(job_id: JobId) -> None:
        if job_id == "bad":
            raise ZeroDivisionError
        done.set()

    queue.wake(JobId("bad"))
    queue.wake(JobId("good"))
    consumer = queue.consumer(Stoppable, run=take, look=lambda: None)
    consumer.start()
    assert done.wait(10)
    consumer.stop(graceful=True)


def test_a_message_that_is_no_message_is_passed_over(queue: HueyQueue) -> None:
    done = threading.Event()
    queue._huey.storage.enqueue(b"\x80\x04cposix\nsystem\n.")
    queue.wake(JobId("good"))
    consumer = queue.consumer(Stoppable, run=lambda _: done.set(), look=lambda: None)
    consumer.start()
    assert done.wait(10)
    consumer.stop(graceful=True)


def test_messages_outlast_the_process(tmp_path: Path) -> None:
    with closing(open_queue("", tmp_path)) as queue:
        queue.wake(JobId("job-1"))
    with closing(open_queue("", tmp_path)) as queue:
        assert queue.waiting() == 1


def test_a_damaged_queue_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"no database " * 1000)
    with closing(open_queue("", tmp_path)) as queue:
        queue.wake(JobId("job-1"))
        assert queue.waiting() == 1


def test_a_queue_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "queue.db").mkdir()
    with pytest.raises(StoreUnavailable, match=r"queue\.db"):
        open_queue("", tmp_path)


def test_a_queue_that_is_held_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.queue._TIMEOUT_S", 0.1)
    with closing(open_queue("", tmp_path)) as queue, closing(sqlite3.connect(tmp_path / "queue.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="queue"):
            queue.wake(JobId("job-1"))


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis"])
def test_an_address_that_is_no_redis_is_misconfigured(tmp_path: Path, url: str) -> None:
    with pytest.raises(Misconfigured) as told:
        open_queue(url, tmp_path)
    assert told.value.facts["setting"] == "queue_url"

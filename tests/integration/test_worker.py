"""Does the worker process wake, stop and end as it should?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.workshop import STUDY_TEXT, Workshop, open_workshop
from xuesi.core.domain import JobState, VersionState

ROOT = Path(__file__).parents[2]
_WORKER = """
import logging, os, sys
from pathlib import Path
from ingest.worker import run_worker
from tests.fakes import HashEmbedder
from tests.workshop import open_workshop

logging.basicConfig(level="INFO")
folder, pause_s, parent = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "with-parent"
with open_workshop(folder) as workshop:
    run_worker(
        queue=workshop.queue,
        catalogue=workshop.catalogue,
        files=workshop.files,
        embedder=lambda: HashEmbedder(pause_s=pause_s),
        embedder_of=lambda following: HashEmbedder(pause_s=pause_s, fingerprint=following.fingerprint),
        settings=workshop.settings,
        parent=os.getppid() if parent else None,
    )
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var") as opened:
        yield opened


def command(workshop: Workshop, pause_s: float, parent: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", _WORKER, str(workshop.settings.data_dir), str(pause_s), parent]


@contextmanager
def a_worker(workshop: Workshop, *, pause_s: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command(workshop, pause_s, "alone"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait(until: Callable[[], bool], *, at_most_s: float = 200) -> float:
    """Wait for something, and say how long it took."""
    start = time.monotonic()
    while not until():
        assert time.monotonic() - start < at_most_s
        time.sleep(0.02)
    return time.monotonic() - start


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stderr
    for line in process.stderr:
        if "The worker is ready" in line:
            return
    raise AssertionError("the worker ended")


def test_a_worker_takes_what_waited_before_it_came_and_wakes_for_what_comes_later(workshop: Workshop) -> None:
    early = workshop.accepted()
    workshop.queue._huey.flush()  # its message is lost
    with a_worker(workshop) as process:
        ready(process)
        wait(lambda: workshop.job(early).stage == "publishing")
        late = workshop.accepted("# 另一篇\n\n正文在此。")
        assert wait(lambda: workshop.job(late).stage == "publishing") < 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_stopped_puts_its_job_back(workshop: Workshop, stop: signal.Signals) -> None:
    taken = workshop.accepted("\n\n".join(f"## 第{i}节\n\n" + STUDY_TEXT.split("\n\n")[2] * 3 for i in range(800)))
    with a_worker(workshop, pause_s=1.0) as process:
        wait(lambda: workshop.job(taken).stage == "embedding")
        process.send_signal(stop)
        assert process.wait(20) == 0
    job = workshop.job(taken)
    assert (job.state, job.attempts, workshop.version(taken).state) == (JobState.QUEUED, 0, VersionState.QUEUED)
    assert workshop.catalogue.waiting_jobs(now=datetime.now(UTC)) == [job]


_PARENT = """
import subprocess, sys, time
worker = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True)
while "The worker is ready" not in worker.stderr.readline():
    pass
print(worker.pid, flush=True)
time.sleep(60)
"""


def test_a_worker_ends_with_the_process_that_started_it(workshop: Workshop) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, *command(workshop, 0.0, "with-parent")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    worker = int(parent.stdout.readline())
    assert alive(worker)
    parent.kill()
    parent.communicate()
    wait(lambda: not alive(worker), at_most_s=120)


def alive(process: int) -> bool:
    """Whether it runs: one that has ended may stand in the process table until its new parent looks."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_two_workers_share_the_work_and_do_nothing_twice(workshop: Workshop) -> None:
    taken = [workshop.accepted(f"# 第{i}篇\n\n正文在此。") for i in range(20)]
    with a_worker(workshop), a_worker(workshop):
        wait(lambda: all(workshop.job(one).stage == "publishing" for one in taken))
    assert [workshop.job(one).attempts for one in taken] == [1] * 20

"""Does a job say how long it took and will take?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from xuesi.cli.jobs import clock
from xuesi.core.domain import DocumentId, Job, JobId, JobKind, JobState, VersionId

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUNNING = Job(
    JobId("j"), JobKind.INGEST, DocumentId("d"), VersionId("v"), JobState.RUNNING, NOW, NOW, stage="reading",
    started_at=NOW - timedelta(seconds=90), stage_started_at=NOW - timedelta(seconds=60), done=20, total=50,
)  # fmt: skip


def test_time_left_follows_the_rate_of_the_stage() -> None:
    assert RUNNING.elapsed_s(NOW) == 90
    assert RUNNING.left_s(NOW) == 90  # 20 took 60 s, so 30 take 90


def test_nothing_is_guessed_where_nothing_tells() -> None:
    assert replace(RUNNING, done=0).left_s(NOW) is None
    assert replace(RUNNING, total=0, done=0).left_s(NOW) is None
    assert replace(RUNNING, state=JobState.QUEUED).left_s(NOW) is None
    assert replace(RUNNING, started_at=None).elapsed_s(NOW) is None


def test_a_job_that_ended_says_what_it_took() -> None:
    ended = replace(RUNNING, state=JobState.DONE, updated_at=NOW - timedelta(seconds=10))
    assert ended.elapsed_s(NOW) == 80
    assert ended.left_s(NOW) is None


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")])
def test_a_time_is_shown_as_on_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown

"""What must a catalogue keep of jobs, so that no work is lost, done twice at once, or written by a worker that has lost it?"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from index.catalogue import SqlCatalogue, open_catalogue
from tests.library import NOW, a_job, a_version, add, publish, read, replace_file
from xuesi.core.domain import Job, JobId, JobKind, JobState, VersionId, VersionState
from xuesi.core.errors import JobNotFound, VersionNotFound, WrongState

LEASE = NOW + timedelta(seconds=120)
AFTER_LEASE = NOW + timedelta(seconds=121)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}") as opened:
        yield opened


def claimed(catalogue: SqlCatalogue, job: Job) -> Job:
    found = catalogue.claim_job(job.id, now=NOW, lease_until=LEASE)
    assert found
    return found


def test_a_job_is_claimed_once(catalogue: SqlCatalogue) -> None:
    _, _, job = add(catalogue)
    assert [j.id for j in catalogue.waiting_jobs(now=NOW)] == [job.id]
    taken = claimed(catalogue, job)
    assert (taken.state, taken.attempts, taken.lease_until) == (JobState.RUNNING, 1, LEASE)
    assert catalogue.claim_job(job.id, now=NOW, lease_until=LEASE) is None
    assert catalogue.waiting_jobs(now=NOW) == []
    assert catalogue.claim_job(JobId("nobody"), now=NOW, lease_until=LEASE) is None


def test_of_many_that_claim_at_once_one_gets_the_job(catalogue: SqlCatalogue) -> None:
    _, _, job = add(catalogue)
    start, won = Barrier(8), []

    def one() -> None:
        start.wait()
        if catalogue.claim_job(job.id, now=NOW, lease_until=LEASE):
            won.append(1)

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_a_lapsed_lease_lets_another_worker_in_and_keeps_the_first_out(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    first = claimed(catalogue, job)
    assert catalogue.waiting_jobs(now=AFTER_LEASE) == [catalogue.job(job.id)]
    second = catalogue.claim_job(job.id, now=AFTER_LEASE, lease_until=AFTER_LEASE + timedelta(120))
    assert second
    assert second.attempts == 2
    write = {"stage": "embedding", "done": 5, "total": 9, "now": AFTER_LEASE, "lease_until": AFTER_LEASE + timedelta(1)}
    assert not catalogue.progress(job.id, **write, attempt=first.attempts)  # type: ignore[arg-type]
    assert not catalogue.hand_over(job.id, now=AFTER_LEASE, attempt=first.attempts)
    assert not catalogue.finish_job(job.id, state=JobState.FAILED, now=AFTER_LEASE, attempt=first.attempts)
    catalogue.put_back(job.id, now=NOW, not_before=NOW, error_code="x", error_detail="y", attempt=first.attempts)
    assert catalogue.job(job.id) == second
    assert catalogue.version_by_id(version.id).state is VersionState.QUEUED
    assert catalogue.progress(job.id, **write, attempt=second.attempts)  # type: ignore[arg-type]


def test_progress_is_written_with_the_stage_as_the_versions_state(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    claimed(catalogue, job)
    for stage in ("reading", "embedding"):
        assert catalogue.progress(job.id, stage=stage, done=3, total=7, now=NOW + timedelta(1), lease_until=AFTER_LEASE)
        found = catalogue.job(job.id)
        assert (found.stage, found.done, found.total, found.updated_at) == (stage, 3, 7, NOW + timedelta(1))
        assert found.lease_until == AFTER_LEASE
        assert catalogue.version_by_id(version.id).state == stage


def test_a_job_handed_over_is_the_publishers_and_done_when_the_version_is_live(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    taken = claimed(catalogue, job)
    read(catalogue, version)
    assert catalogue.hand_over(job.id, now=NOW, attempt=taken.attempts)
    assert [j.id for j in catalogue.handed_over()] == [job.id]
    assert catalogue.version_by_id(version.id).state is VersionState.PUBLISHING
    late = NOW + timedelta(days=9)
    assert catalogue.waiting_jobs(now=late) == []
    assert catalogue.progress(job.id, stage="publishing", done=1, total=3, now=NOW, lease_until=LEASE)
    assert catalogue.waiting_jobs(now=late) == []
    assert catalogue.claim_job(job.id, now=late, lease_until=late) is None
    catalogue.make_live(version.id, at=late)
    assert catalogue.job(job.id).state is JobState.DONE
    assert catalogue.handed_over() == []


def test_a_live_version_stays_live_while_it_is_embedded_again(catalogue: SqlCatalogue) -> None:
    _, version, _ = publish(catalogue)
    job = a_job(version, kind=JobKind.EMBED)
    catalogue.add_job(job)
    taken = claimed(catalogue, job)
    assert catalogue.progress(job.id, stage="embedding", done=1, total=2, now=NOW, lease_until=LEASE, attempt=1)
    assert catalogue.version_by_id(version.id).state is VersionState.LIVE
    assert catalogue.hand_over(job.id, now=NOW, attempt=taken.attempts)
    assert catalogue.version_by_id(version.id).state is VersionState.LIVE
    catalogue.make_live(version.id, at=LEASE)
    assert catalogue.job(job.id).state is JobState.DONE
    assert catalogue.version_by_id(version.id).live_from == NOW


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_an_embedding_that_ends_badly_does_not_hide_the_live_version(catalogue: SqlCatalogue, end: JobState) -> None:
    _, version, _ = publish(catalogue)
    catalogue.add_job(job := a_job(version, kind=JobKind.EMBED))
    claimed(catalogue, job)
    assert catalogue.finish_job(job.id, state=end, now=NOW)
    assert catalogue.version_by_id(version.id).state is VersionState.LIVE


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_a_job_that_ends_badly_ends_its_version_and_can_be_tried_again(catalogue: SqlCatalogue, end: JobState) -> None:
    _, version, job = add(catalogue)
    claimed(catalogue, job)
    assert catalogue.finish_job(job.id, state=end, now=NOW, error_code="no-text", error_detail="No text. 没有文字。")
    ended = catalogue.job(job.id)
    assert (ended.state, ended.error_code, ended.error_detail) == (end, "no-text", "No text. 没有文字。")
    assert catalogue.version_by_id(version.id).state.value == end.value
    assert not catalogue.progress(job.id, stage="reading", done=0, total=0, now=NOW, lease_until=LEASE)
    assert not catalogue.finish_job(job.id, state=JobState.DONE, now=NOW)
    again = catalogue.requeue_job(job.id, now=LEASE)
    assert (again.state, again.attempts, again.error_code, again.updated_at) == (JobState.QUEUED, 0, "", LEASE)
    assert catalogue.version_by_id(version.id).state is VersionState.QUEUED
    with pytest.raises(WrongState):
        catalogue.requeue_job(job.id, now=LEASE)


def test_a_queued_job_can_be_cancelled(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    assert catalogue.finish_job(job.id, state=JobState.CANCELLED, now=NOW)
    assert catalogue.claim_job(job.id, now=NOW, lease_until=LEASE) is None
    assert catalogue.version_by_id(version.id).state is VersionState.CANCELLED


def test_a_job_put_back_waits_for_its_time_and_says_why(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    taken = claimed(catalogue, job)
    catalogue.progress(job.id, stage="embedding", done=1, total=2, now=NOW, lease_until=LEASE)
    catalogue.put_back(
        job.id, now=NOW, not_before=LEASE, error_code="model-unavailable", error_detail="Away.", attempt=taken.attempts
    )
    back = catalogue.job(job.id)
    assert (back.state, back.attempts, back.error_code, back.error_detail) == (
        JobState.QUEUED,
        1,
        "model-unavailable",
        "Away.",
    )
    assert catalogue.version_by_id(version.id).state is VersionState.QUEUED
    assert catalogue.waiting_jobs(now=NOW) == []
    assert catalogue.claim_job(job.id, now=NOW, lease_until=LEASE) is None
    assert catalogue.waiting_jobs(now=LEASE) == [back]
    taken = catalogue.claim_job(job.id, now=LEASE, lease_until=AFTER_LEASE) or taken
    assert taken.attempts == 2
    assert catalogue.hand_over(job.id, now=LEASE, attempt=2)
    assert catalogue.job(job.id).error_code == ""


def test_an_attempt_that_was_stopped_does_not_count(catalogue: SqlCatalogue) -> None:
    _, _, job = add(catalogue)
    taken = claimed(catalogue, job)
    catalogue.put_back(job.id, now=NOW, not_before=NOW, error_code="", error_detail="", attempt=taken.attempts)
    assert catalogue.job(job.id).attempts == 0
    assert claimed(catalogue, job).attempts == 1


def test_jobs_are_listed_by_state_and_by_change(catalogue: SqlCatalogue) -> None:
    (_, _, first), (_, _, second), (_, _, third) = (add(catalogue, created_at=NOW + timedelta(i)) for i in range(3))
    claimed(catalogue, second)
    assert [j.id for j in catalogue.jobs(limit=9)[0]] == [third.id, second.id, first.id]
    assert [j.id for j in catalogue.jobs(state=JobState.QUEUED, limit=9)[0]] == [third.id, first.id]
    assert [j.id for j in catalogue.jobs_changed_since(NOW + timedelta(1))] == [third.id]
    assert [j.id for j in catalogue.jobs_changed_since(NOW)] == [*sorted((first.id, second.id)), third.id]
    assert [j.id for j in catalogue.waiting_jobs(now=NOW)] == [first.id, third.id]


def test_the_librarys_line_has_the_newest_versions_newest_job(catalogue: SqlCatalogue) -> None:
    document, _, _ = publish(catalogue)
    second, _ = replace_file(catalogue, document, at=LEASE)
    catalogue.add_job(job := a_job(second, kind=JobKind.EMBED, created_at=AFTER_LEASE))
    assert catalogue.row(document.id).job == job


def test_what_is_not_there_is_not_found(catalogue: SqlCatalogue) -> None:
    document, version, job = add(catalogue)
    stranger = a_version(document)
    with pytest.raises(VersionNotFound):
        catalogue.add_job(a_job(stranger))
    for act in (
        lambda: catalogue.job(JobId("nobody")),
        lambda: catalogue.requeue_job(JobId("nobody"), now=NOW),
        lambda: catalogue.finish_job(JobId("nobody"), state=JobState.DONE, now=NOW),
    ):
        with pytest.raises(JobNotFound):
            act()
    with pytest.raises(VersionNotFound):
        catalogue.make_live(VersionId("nobody"), at=NOW)
    catalogue.delete_document(document.id, at=NOW)
    with pytest.raises(JobNotFound):
        catalogue.requeue_job(job.id, now=NOW)
    with pytest.raises(VersionNotFound):
        catalogue.make_live(version.id, at=NOW)

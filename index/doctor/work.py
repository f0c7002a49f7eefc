"""Does every job get on? Failed ones, those whose worker is dead or stuck, and versions that no job will ever finish."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from index.doctor.finding import ERROR, WARNING, Finding, Parts
from xuesi.core.domain import Job, JobId, JobKind, JobState, Version
from xuesi.core.errors import DuplicateDocument
from xuesi.core.ids import new_id
from xuesi.core.ports import Catalogue
from xuesi.core.text import counted

_WAITED_S = 600.0  # a worker looks for waiting jobs every minute; the publisher several times a second
_SLACK_S = 60.0
_BETWEEN_JOBS_S = 1.0


def examine_jobs(parts: Parts) -> list[Finding]:
    """Look at all jobs but those that ended well."""
    now = datetime.now(UTC)
    running, queued = jobs_in(parts.catalogue, JobState.RUNNING), jobs_in(parts.catalogue, JobState.QUEUED)
    publishing = [job for job in running if job.stage == "publishing"]
    worked_on = [job for job in running if job.stage != "publishing"]
    left = [job for job in worked_on if job.lease_until is None or job.lease_until < now - timedelta(seconds=_SLACK_S)]
    stuck = [job for job in worked_on if job not in left and _is_stuck(job, parts, now)]
    waiting = [] if worked_on else [job for job in queued if _waits(job, now)]
    if waiting and _is_worked(parts, waiting):
        waiting = []
    late = [job for job in publishing if job.updated_at < now - timedelta(seconds=_WAITED_S)]
    return [
        *_of_jobs("job-left", ERROR, "The worker of a job is dead, and no other has taken it up", "Start a worker (xuesi serve, xuesi worker). xuesi doctor --repair wakes it.", left, partial(_wake, parts, left)),
        *_of_jobs("job-stuck", ERROR, f"Reading a file goes on for longer than {parts.settings.read_timeout_s:g} s (read_timeout_s)", "xuesi doctor --repair takes the job away from its worker, for another attempt.", stuck, partial(_take_away, parts, stuck)),
        *_of_jobs("no-worker", ERROR, "Jobs wait, and no worker takes them", "Start a worker (xuesi serve, xuesi worker). xuesi doctor --repair wakes it.", waiting, partial(_wake, parts, waiting)),
        *_of_jobs("job-not-published", ERROR, "Documents are ready and are not published", "The server's log says what stands in the way. xuesi doctor --repair tries it at once.", late, parts.publisher.step),
        *_forgotten(parts),
        *_failed(parts),
    ]  # fmt: skip


def jobs_in(catalogue: Catalogue, state: JobState) -> list[Job]:
    """All jobs in this state."""
    found: list[Job] = []
    cursor: str | None = ""
    while cursor is not None:
        part, cursor = catalogue.jobs(state=state, limit=1000, cursor=cursor)
        found += part
    return found


def queue_jobs(parts: Parts, versions: list[Version], kind: JobKind) -> None:
    """Have a worker do this for each version."""
    for version in versions:
        now = datetime.now(UTC)
        job = Job(JobId(new_id()), kind, version.document_id, version.id, JobState.QUEUED, now, now)
        parts.catalogue.add_job(job)
        parts.queue.wake(job.id)


def _is_stuck(job: Job, parts: Parts, now: datetime) -> bool:
    """Its lease is renewed, but reading has gone on for longer than the reader may take before it is stopped."""
    limit = timedelta(seconds=parts.settings.read_timeout_s + _SLACK_S)
    return job.stage == "reading" and job.stage_started_at is not None and job.stage_started_at < now - limit


def _waits(job: Job, now: datetime) -> bool:
    since = job.lease_until or job.updated_at  # one that was put off waits from then on
    return since < now - timedelta(seconds=_WAITED_S)


def _is_worked(parts: Parts, waiting: list[Job]) -> bool:
    """Whether a worker was only between two jobs: after a moment it has one, or has done one of these."""
    time.sleep(_BETWEEN_JOBS_S)
    left = {job.id for job in jobs_in(parts.catalogue, JobState.QUEUED)}
    return any(job.id not in left for job in waiting)


def _of_jobs(
    code: str, severity: str, what: str, hint: str, jobs: list[Job], mend: Callable[[], object]
) -> list[Finding]:
    items = tuple(f"job {job.id} of document {job.document_id}, {job.stage or job.state}" for job in jobs)
    return [Finding(code, severity, f"{what}: {counted(len(items), 'job')}.", hint, items, mend)] if items else []


def _wake(parts: Parts, jobs: list[Job]) -> None:
    for job in jobs:
        parts.queue.wake(job.id)


def _take_away(parts: Parts, jobs: list[Job]) -> None:
    for job in jobs:
        now = datetime.now(UTC)
        parts.catalogue.put_back(
            job.id,
            now=now,
            not_before=now,
            error_code="too-much-to-read",
            error_detail="Reading did not end in its time, and the job was taken from its worker.",
            attempt=job.attempts,
            died=True,
        )
        parts.queue.wake(job.id)


def _forgotten(parts: Parts) -> list[Finding]:
    versions = parts.catalogue.forgotten()
    if not versions:
        return []
    items = tuple(f"version {it.number} of document {it.document_id}, {it.state}" for it in versions)
    detail = f"Files were taken in, and no job works on them: {counted(len(items), 'version')}."
    return [Finding("no-job", ERROR, detail, "xuesi doctor --repair queues them.", items, partial(queue_jobs, parts, versions, JobKind.INGEST))]  # fmt: skip


def _failed(parts: Parts) -> list[Finding]:
    # A file whose text is there already is as it should be.
    jobs = [job for job in jobs_in(parts.catalogue, JobState.FAILED) if job.error_code != DuplicateDocument.code]
    if not jobs:
        return []
    items = tuple(f"job {job.id} of document {job.document_id}: {job.error_detail}" for job in jobs)
    detail = f"Jobs failed: {counted(len(items), 'job')}."
    hint = "Mend the cause, then: xuesi retry JOB; or remove the document: xuesi remove ID."
    return [Finding("job-failed", WARNING, detail, hint, items)]

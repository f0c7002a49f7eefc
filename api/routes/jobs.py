"""What is being done, and how far is it?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.parts import Limit
from api.schemas.jobs import JobList, JobOut, JobRetry
from api.services import ServicesDep
from xuesi.core.domain import Job, JobId, JobState
from xuesi.core.errors import VersionNotFound, WrongState
from xuesi.services import Services

router = APIRouter(tags=["jobs"])

_POLL_S = 0.5
_SEEN_LATE = timedelta(seconds=10)  # longest that a write waits for the catalogue
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


@router.get("/jobs")
def list_jobs(
    services: ServicesDep,
    state: JobState | None = None,
    limit: Limit = 50,
    cursor: str = "",
) -> JobList:
    """The jobs, newest first."""
    jobs, after = services.catalogue.jobs(state=state, limit=limit, cursor=cursor)
    return JobList(items=_shown(services, jobs), next=after)


@router.get("/jobs/events", response_class=EventSourceResponse)
async def job_events(services: ServicesDep) -> AsyncIterator[ServerSentEvent]:
    """The jobs that are not finished, of each state the newest hundred, then each job as it changes: event `job`, data the job. Comments keep the connection open."""
    since = datetime.now(UTC)
    told = await run_in_threadpool(_changes, services, since)
    for job in await run_in_threadpool(_unfinished, services):
        yield ServerSentEvent(event="job", data=job)
    while True:
        changed = await run_in_threadpool(_changes, services, since)
        news = [job for job in changed.values() if told.get(job.id) != job]
        for job in await run_in_threadpool(_shown, services, news):
            yield ServerSentEvent(event="job", data=job)
        told = changed
        since = max([since, *(job.updated_at for job in changed.values())])
        await anyio.sleep(_POLL_S)


@router.get("/jobs/{job_id}")
def show_job(services: ServicesDep, job_id: str) -> JobOut:
    """A job."""
    return _one(services, services.catalogue.job(JobId(job_id)))


@router.post("/jobs/{job_id}/cancel")
def cancel_job(services: ServicesDep, job_id: str) -> JobOut:
    """Stop a job that waits or runs; what it made is not shown."""
    job = services.catalogue.job(JobId(job_id))
    if job.state not in _UNFINISHED:
        raise WrongState(f"The job {job_id} is {job.state}; only a queued or running one can be cancelled.")
    services.catalogue.finish_job(job.id, state=JobState.CANCELLED, now=datetime.now(UTC))
    return _one(services, services.catalogue.job(job.id))


@router.post("/jobs/{job_id}/retry")
def retry_job(services: ServicesDep, job_id: str, asked: JobRetry | None = None) -> JobOut:
    """Queue a failed or cancelled job again; where its file is encrypted, with the password."""
    return _one(services, services.intake.retry(JobId(job_id), password=asked.password if asked else None))


def _one(services: Services, job: Job) -> JobOut:
    return JobOut.of(job, services.catalogue.version_by_id(job.version_id))


def _shown(services: Services, jobs: list[Job]) -> list[JobOut]:
    """Those of the jobs whose document was not removed meanwhile."""
    shown: list[JobOut] = []
    for job in jobs:
        try:
            shown.append(_one(services, job))
        except VersionNotFound:
            continue
    return shown


def _changes(services: Services, since: datetime) -> dict[JobId, Job]:
    """The jobs changed since then, and a little before: a change may come to be seen after a later one of another process."""
    return {job.id: job for job in services.catalogue.jobs_changed_since(since - _SEEN_LATE)}


def _unfinished(services: Services) -> list[JobOut]:
    jobs: list[Job] = []
    for state in _UNFINISHED:
        jobs.extend(services.catalogue.jobs(state=state, limit=100)[0])
    return _shown(services, sorted(jobs, key=lambda job: job.created_at))

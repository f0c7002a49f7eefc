"""Which work waits, who has it, and how far is it? The rows of the table `job` are the truth; the queue only wakes.

A job is claimed with a lease, which its worker renews. A worker that dies lets the lease lapse, and the job can be claimed again. The
number of attempts fences off a worker that was only asleep: what it writes under an older attempt is refused.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, literal, or_, select, update

from index.catalogue.documents import UNFINISHED_JOB, UNFINISHED_VERSION
from index.catalogue.rows import cursor_after, job_of, older_than, values_of
from index.catalogue.store import Store
from index.catalogue.tables import document, job, version
from index.catalogue.versions import version_there
from xuesi.core.domain import Job, JobId, JobState, VersionState
from xuesi.core.errors import JobNotFound, WrongState

PUBLISHING = "publishing"
_WORKED_ON = (VersionState.QUEUED, VersionState.READING, VersionState.EMBEDDING)
_present = select(job).join(document, job.c.document_id == document.c.id).where(document.c.deleted_at.is_(None))


class Jobs:
    """The part of the catalogue that is about jobs."""

    _store: Store

    def add_job(self, new: Job) -> None:
        """See `Catalogue.add_job`. Raises VersionNotFound."""
        with self._store.write() as connection:
            version_there(connection, new.version_id)
            connection.execute(insert(job).values(values_of(new, job.c.keys())))

    def job(self, job_id: JobId) -> Job:
        """See `Catalogue.job`."""
        with self._store.read() as connection:
            return _there(connection, job_id)

    def jobs(self, *, state: JobState | None = None, limit: int, cursor: str = "") -> tuple[list[Job], str | None]:
        """See `Catalogue.jobs`. Raises InvalidInput if the cursor comes from no list."""
        asked = _present.order_by(job.c.created_at.desc(), job.c.id.desc()).limit(limit + 1)
        if state is not None:
            asked = asked.where(job.c.state == state)
        if cursor:
            asked = asked.where(older_than(cursor, job.c.created_at, job.c.id))
        found = self._list(asked)
        last = found[limit - 1] if len(found) > limit else None
        return found[:limit], cursor_after(last.created_at, last.id) if last else None

    def job_counts(self) -> dict[JobState, int]:
        """See `Catalogue.job_counts`."""
        present = _present.subquery()
        asked = select(present.c.state, func.count()).group_by(present.c.state)
        with self._store.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(asked).all()}
        return {state: found.get(state, 0) for state in JobState}

    def jobs_changed_since(self, at: datetime) -> list[Job]:
        """See `Catalogue.jobs_changed_since`."""
        return self._list(_present.where(job.c.updated_at >= at).order_by(job.c.updated_at, job.c.id))

    def waiting_jobs(self, *, now: datetime) -> list[Job]:
        """See `Catalogue.waiting_jobs`."""
        return self._list(_present.where(_free(now)).order_by(job.c.created_at, job.c.id))

    def handed_over(self) -> list[Job]:
        """See `Catalogue.handed_over`."""
        waits = and_(job.c.state == JobState.RUNNING, job.c.stage == PUBLISHING)
        return self._list(_present.where(waits).order_by(job.c.updated_at, job.c.id))

    def claim_job(self, job_id: JobId, *, now: datetime, lease_until: datetime) -> Job | None:
        """See `Catalogue.claim_job`."""
        taken = {
            "state": JobState.RUNNING,
            "attempts": job.c.attempts + 1,
            "lease_until": lease_until,
            "updated_at": now,
            "started_at": now,
            "stage_started_at": now,
            # one that was running was left by a worker that died
            "deaths": job.c.deaths + case((job.c.state == JobState.RUNNING, 1), else_=0),
        }
        with self._store.write() as connection:
            if not _change(
                connection, and_(job.c.id == job_id, _free(now)), {**taken, "stage": "", "done": 0, "total": 0}
            ):
                return None
            return _there(connection, job_id)

    def progress(
        self,
        job_id: JobId,
        *,
        stage: str,
        done: int,
        total: int,
        now: datetime,
        lease_until: datetime,
        attempt: int | None = None,
    ) -> bool:
        """See `Catalogue.progress`."""
        values = {"stage": stage, "done": done, "total": total, "updated_at": now, "lease_until": lease_until}
        begun = case((job.c.stage == stage, job.c.stage_started_at), else_=literal(now, job.c.stage_started_at.type))
        with self._store.write() as connection:
            held = _change(connection, _held(job_id, attempt), {**values, "stage_started_at": begun})
            if held and stage in (VersionState.READING, VersionState.EMBEDDING):
                _move_version(connection, job_id, VersionState(stage))
            return held

    def hand_over(self, job_id: JobId, *, now: datetime, attempt: int) -> bool:
        """See `Catalogue.hand_over`."""
        values = {
            "stage": PUBLISHING,
            "done": 0,
            "total": 0,
            "updated_at": now,
            "lease_until": None,
            "stage_started_at": now,
        }
        with self._store.write() as connection:
            held = _change(connection, _held(job_id, attempt), {**values, "error_code": "", "error_detail": ""})
            if held:
                _move_version(connection, job_id, VersionState.PUBLISHING)
            return held

    def put_back(
        self,
        job_id: JobId,
        *,
        now: datetime,
        not_before: datetime,
        error_code: str,
        error_detail: str,
        attempt: int,
        died: bool = False,
    ) -> None:
        """See `Catalogue.put_back`."""
        reason = {"error_code": error_code, "error_detail": error_detail}
        values = {"state": JobState.QUEUED, "stage": "", "updated_at": now, "lease_until": not_before, **reason}
        if not error_code:
            values["attempts"] = job.c.attempts - 1
        if died:
            values["deaths"] = job.c.deaths + 1
        with self._store.write() as connection:
            if _change(connection, _held(job_id, attempt), values):
                _move_version(connection, job_id, VersionState.QUEUED)

    def finish_job(
        self,
        job_id: JobId,
        *,
        state: JobState,
        now: datetime,
        error_code: str = "",
        error_detail: str = "",
        attempt: int | None = None,
    ) -> bool:
        """See `Catalogue.finish_job`."""
        values = {"state": state, "updated_at": now, "lease_until": None}
        which = and_(job.c.id == job_id, job.c.state.in_(UNFINISHED_JOB)) if attempt is None else _held(job_id, attempt)
        with self._store.write() as connection:
            _there(connection, job_id)
            ended = _change(connection, which, {**values, "error_code": error_code, "error_detail": error_detail})
            if ended and state != JobState.DONE:
                _move_version(connection, job_id, VersionState(state.value), among=UNFINISHED_VERSION)
            return ended

    def requeue_job(self, job_id: JobId, *, now: datetime) -> Job:
        """See `Catalogue.requeue_job`."""
        ended = (JobState.FAILED, JobState.CANCELLED)
        cleared = {"stage": "", "done": 0, "total": 0, "error_code": "", "error_detail": "", "lease_until": None}
        values = {
            "state": JobState.QUEUED,
            "attempts": 0,
            "deaths": 0,
            "started_at": None,
            "updated_at": now,
            **cleared,
        }
        with self._store.write() as connection:
            found = _there(connection, job_id)
            if not _change(connection, and_(job.c.id == job_id, job.c.state.in_(ended)), values):
                raise WrongState(
                    f"The job {job_id} is {found.state}; only a failed or cancelled job can be tried again.",
                    state=found.state.value,
                )
            _move_version(connection, job_id, VersionState.QUEUED, among=(VersionState.FAILED, VersionState.CANCELLED))
            return _there(connection, job_id)

    def _list(self, asked: Any) -> list[Job]:
        with self._store.read() as connection:
            return [job_of(row) for row in connection.execute(asked).all()]


def _free(now: datetime) -> ColumnElement[bool]:
    """That a worker may claim the job: queued and not put off, or left by its worker and not yet the publisher's."""
    lapsed = job.c.lease_until < now
    return or_(
        and_(job.c.state == JobState.QUEUED, or_(job.c.lease_until.is_(None), job.c.lease_until <= now)),
        and_(job.c.state == JobState.RUNNING, job.c.stage != PUBLISHING, lapsed),
    )


def _held(job_id: JobId, attempt: int | None) -> ColumnElement[bool]:
    running = and_(job.c.id == job_id, job.c.state == JobState.RUNNING)
    return running if attempt is None else and_(running, job.c.attempts == attempt)


def _change(connection: Connection, which: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return connection.execute(update(job).where(which).values(values)).rowcount == 1


def _move_version(
    connection: Connection, job_id: JobId, state: VersionState, *, among: tuple[VersionState, ...] = _WORKED_ON
) -> None:
    """Set the state of the job's version, if it is in one of these: a live version that is embedded anew stays live."""
    own = select(job.c.version_id).where(job.c.id == job_id).scalar_subquery()
    connection.execute(update(version).where(version.c.id == own, version.c.state.in_(among)).values(state=state))


def _there(connection: Connection, job_id: JobId) -> Job:
    row = connection.execute(_present.where(job.c.id == job_id)).first()
    if row is None:
        raise JobNotFound(f"There is no job {job_id}.", hint="It goes when its document is removed.")
    return job_of(row)

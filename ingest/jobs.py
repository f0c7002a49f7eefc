"""What happens to a job from claim to end? Whatever a file or a crash does, it ends as done, failed with a reason, or waiting again.

A job is claimed in the catalogue under a lease, and its attempts are counted, before any work starts. If the worker is killed the lease
lapses and the job can be claimed again. What a reader or a model says decides the rest: an error that may pass puts the job back until it
has been tried often enough; any other fails it at once, with the words for the person who added the file. A file over which two processes
have died, be it the one that read it or the worker, is set aside: there is no third attempt until a person asks for it. Jobs run side by side, so that
the next file is read while one is embedded; but a file over which a process has died once runs alone, lest another one come under suspicion.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from ingest.apart.reading import ReadingApart
from ingest.lease import Lease, Left, Stopped
from ingest.pipeline import Progress, embed_version, ingest, read_again
from ingest.secrets import Secrets
from ingest.turns import Turns
from xuesi.core.domain import Job, JobId, JobKind, JobState, VersionState
from xuesi.core.errors import NotFound, ParserCrashed, XuesiError
from xuesi.core.ports import Catalogue, Embedder, Files

_log = logging.getLogger("xuesi.jobs")
_RETRY_AFTER_S = 5.0  # and three times as long after each further attempt
_MOST_DEATHS = 2
_LARGE_BYTES = 5_000_000  # two files above it are not worked on at once, for the sake of memory


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs, from several threads if need be; `turns` knows how many run. `embedder` gives the one in force when a job begins.

    `lease_s` as in `job_lease_s`, `attempts` as in `job_attempts`; `refuse_same` as in `ingest`; set `stopping` to leave the running job.
    """

    catalogue: Catalogue
    files: Files
    reader: ReadingApart
    embedder: Callable[[], Embedder]
    secrets: Secrets
    passage_chars: int
    batch: int
    lease_s: float
    attempts: int
    refuse_same: bool = True
    stopping: threading.Event = field(default_factory=threading.Event)
    turns: Turns = field(default_factory=Turns)

    def run(self, job_id: JobId) -> bool:
        """Claim the job and bring it to its end. False if it cannot be had: done already, or another worker's.

        Raises:
            StoreUnavailable: If the catalogue does not answer; the job's lease then lapses and it is taken up again.
        """
        with self.turns.turn(alone=self._runs_alone(job_id)):
            return self._run(job_id)

    def _runs_alone(self, job_id: JobId) -> bool:
        """Asked before the claim: from then on the job would count as run, and the death of another's worker as one over it."""
        try:
            job = self.catalogue.job(job_id)
            version = self.catalogue.version_by_id(job.version_id)
        except NotFound:
            return False
        left = job.state is JobState.RUNNING and job.lease_until is not None and job.lease_until < datetime.now(UTC)
        return left or job.deaths > 0 or version.bytes > _LARGE_BYTES

    def _run(self, job_id: JobId) -> bool:
        now = datetime.now(UTC)
        job = self.catalogue.claim_job(job_id, now=now, lease_until=now + timedelta(seconds=self.lease_s))
        if job is None:
            return False
        _log.info("Job %s (%s of version %s), attempt %d, begins.", job.id, job.kind, job.version_id, job.attempts)
        try:
            self._attempt(job)
        finally:
            self._forget_secret(job_id)
        return True

    def _attempt(self, job: Job) -> None:
        try:
            with Lease(job, catalogue=self.catalogue, lease_s=self.lease_s, stopping=self.stopping) as lease:
                self._work(job, lease.progress)
            self.catalogue.hand_over(job.id, now=datetime.now(UTC), attempt=job.attempts)
        except (Left, NotFound):
            _log.info("Job %s was cancelled or taken over.", job.id)
        except Stopped:
            self._put_back(job, after_s=0.0)
        except XuesiError as error:
            self._failed(job, error)
        except Exception:  # noqa: BLE001 a job that ends without a word would be worse than any error
            if (
                self.stopping.is_set()
            ):  # a worker that ends takes from its jobs what they work with: no verdict on the file
                _log.info("Job %s is put back, since the worker ends.", job.id, exc_info=True)
                self._put_back(job, after_s=0.0)
                return
            _log.exception("Job %s failed.", job.id)
            self._fail(
                job,
                "internal-error",
                "Something unforeseen went wrong; the log of the worker says what. Tell an administrator.",
            )

    def _work(self, job: Job, progress: Progress) -> None:
        if job.deaths >= _MOST_DEATHS:
            raise _set_aside()
        version = self.catalogue.version_by_id(job.version_id)
        embedder = self.embedder()
        if (
            job.kind is JobKind.EMBED or version.state is VersionState.PUBLISHING
        ):  # read already, but embedded with the model before
            embed_version(
                version,
                catalogue=self.catalogue,
                files=self.files,
                embedder=embedder,
                batch=self.batch,
                progress=progress,
            )
            return
        read = partial(self.reader.read, password=self.secrets.get(job.id))
        if job.kind is JobKind.READ_AGAIN:
            read_again(
                version,
                catalogue=self.catalogue,
                files=self.files,
                read=read,
                embedder=embedder,
                batch=self.batch,
                progress=progress,
            )
            return
        ingest(
            version,
            catalogue=self.catalogue,
            files=self.files,
            read=read,
            embedder=embedder,
            passage_chars=self.passage_chars,
            batch=self.batch,
            refuse_same=self.refuse_same,
            progress=progress,
        )

    def _failed(self, job: Job, error: XuesiError) -> None:
        died = isinstance(error, ParserCrashed)
        again = job.deaths + 1 < _MOST_DEATHS if died else error.retryable and job.attempts < self.attempts
        if again:
            _log.warning("Job %s is tried again: %s", job.id, error)
            self._put_back(job, after_s=_RETRY_AFTER_S * 3 ** (job.attempts - 1), error=error, died=died)
        else:
            _log.warning("Job %s failed: %s", job.id, error)
            self._fail(job, error.code, str(error))

    def _put_back(self, job: Job, *, after_s: float, error: XuesiError | None = None, died: bool = False) -> None:
        now = datetime.now(UTC)
        self.catalogue.put_back(
            job.id,
            now=now,
            not_before=now + timedelta(seconds=after_s),
            error_code=error.code if error else "",
            error_detail=str(error) if error else "",
            attempt=job.attempts,
            died=died,
        )

    def _fail(self, job: Job, code: str, detail: str) -> None:
        self.catalogue.finish_job(
            job.id,
            state=JobState.FAILED,
            now=datetime.now(UTC),
            error_code=code,
            error_detail=detail,
            attempt=job.attempts,
        )

    def _forget_secret(self, job_id: JobId) -> None:
        if not waits_for_worker(self.catalogue, job_id):
            self.secrets.forget(job_id)


def waits_for_worker(catalogue: Catalogue, job_id: JobId) -> bool:
    """Whether a worker has still to do with the job, so that its password is needed."""
    try:
        job = catalogue.job(job_id)
    except NotFound:
        return False
    return job.state is JobState.QUEUED or (job.state is JobState.RUNNING and job.stage != "publishing")


def _set_aside() -> ParserCrashed:
    return ParserCrashed(
        "Twice a process died over this file, the one that read it or the worker, so it is set aside.",
        hint="Save the file anew or split it and add that; or retry, if the machine was at fault.",
    )

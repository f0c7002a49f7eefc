"""In which shape do jobs travel?"""

import re
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from api.schemas.shapes import Strict, Text
from xuesi.core.domain import Job, JobState, Version
from xuesi.core.errors import DuplicateDocument

# Of an error a job keeps the words only; those of `DuplicateDocument` name the other document (index/catalogue/findings.py).
_NAMED = re.compile(r"\(document ([0-9a-f-]{36})\)")


class JobError(BaseModel):
    """Why a job failed. `document_id` is the document that holds the same text, for `duplicate-document`."""

    code: str
    detail: str
    document_id: str | None = None


class JobOut(BaseModel):
    """A job as it stands. `version` is the version's number.

    `elapsed_s` is the time of the present attempt, null before it begins; `eta_s` the time until the present stage ends at its rate so far, null where
    nothing tells.
    """

    id: str
    kind: str
    document_id: str
    version: int
    file_name: str
    state: JobState
    stage: str
    done: int
    total: int
    error: JobError | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    elapsed_s: float | None
    eta_s: float | None

    @classmethod
    def of(cls, job: Job, version: Version) -> Self:
        """The job of this version."""
        now = datetime.now(UTC)
        return cls(
            id=job.id,
            kind=job.kind,
            document_id=job.document_id,
            version=version.number,
            file_name=version.file_name,
            state=job.state,
            stage=job.stage,
            done=job.done,
            total=job.total,
            error=JobError(code=job.error_code, detail=job.error_detail, document_id=twin_of(job))
            if job.error_code
            else None,
            attempts=job.attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
            elapsed_s=_rounded(job.elapsed_s(now)),
            eta_s=_rounded(job.left_s(now)),
        )


def twin_of(job: Job) -> str | None:
    """The document that holds the text for which the job was refused; None for a job that ended otherwise."""
    named = _NAMED.findall(job.error_detail) if job.error_code == DuplicateDocument.code else []
    return named[-1] if named else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


class JobRetry(Strict):
    """What a job that is queued again is given. `password` opens an encrypted file and is never stored."""

    password: Text | None = Field(default=None, max_length=1000)


class JobList(BaseModel):
    """A part of the jobs, newest first."""

    items: list[JobOut]
    next: str | None

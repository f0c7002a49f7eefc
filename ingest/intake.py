"""How does a file come in? Kept, recognised, written into the catalogue, and queued for the worker; or refused at once with the reason."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ingest.formats import detect
from ingest.metadata import Metadata
from ingest.names import clean_name, title_of_name
from ingest.secrets import Secrets
from xuesi.core.domain import (
    Document,
    DocumentId,
    Job,
    JobId,
    JobKind,
    JobState,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.errors import DuplicateDocument, StoreUnavailable, WrongState
from xuesi.core.ids import new_id
from xuesi.core.ports import Catalogue, Files, Queue, StoredFile

__all__ = ["Accepted", "Duplicate", "Intake", "Metadata"]
_log = logging.getLogger("xuesi.intake")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The file is queued."""

    document: Document
    version: Version
    job: Job


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The file is in the library already, in this document; nothing was added."""

    document: Document


class Intake:
    """The way in. Safe to share among threads."""

    def __init__(self, *, catalogue: Catalogue, files: Files, queue: Queue, max_bytes: int, secrets: Path) -> None:
        """`max_bytes` is the largest file taken; `secrets` the folder where passwords wait for the worker."""
        self._catalogue = catalogue
        self._files = files
        self._queue = queue
        self._max_bytes = max_bytes
        self._secrets = Secrets(secrets)

    def take(
        self, source: BinaryIO, *, file_name: str, metadata: Metadata, document_id: DocumentId | None = None
    ) -> Accepted | Duplicate:
        """Take a file as a new document, or as the next version of the document named.

        The same file again is a duplicate; but where the first attempt failed, that one is tried again, with what is said of the file now.

        Raises:
            EmptyFile: If there are no bytes.
            DocumentTooLarge: If there are more than are taken.
            UnsupportedFormat: If the format is not read. Nothing is kept of a refused file.
            DocumentNotFound: If the document named is not there.
            StorageFull: If the disk is.
        """
        if document_id is not None:
            self._catalogue.document(document_id)
        name = clean_name(file_name)
        stored = self._files.put_original(source, limit_bytes=self._max_bytes)
        version = _version(document_id or DocumentId(new_id()), name, stored)
        try:
            version = self._recognised(version)
            return self._added(version, metadata, is_new=document_id is None)
        except BaseException:
            if not self._catalogue.has_original(stored.sha256):
                self._files.remove(version, with_original=True)
            raise

    def change(self, document_id: DocumentId, changes: Mapping[str, Any]) -> Document:
        """Change what is known of a document. A new title is part of what is embedded, so its passages are embedded again.

        Raises:
            DocumentNotFound: If it, or the one that is to supersede it, is not there.
            InvalidInput: If a field cannot have its value.
        """
        before = self._catalogue.document(document_id)
        after = self._catalogue.update_document(document_id, changes)
        if after.title != before.title:
            embedded = (VersionState.LIVE, VersionState.RETIRED, VersionState.PUBLISHING)
            for version in self._catalogue.versions(document_id):
                if version.state in embedded:
                    job = _job(version, JobKind.EMBED)
                    self._catalogue.add_job(job)
                    self._wake(job.id)
        return after

    def _recognised(self, version: Version) -> Version:
        found = detect(self._files.original(version.sha256), version.file_name)
        return replace(version, media_type=found.media_type)

    def _added(self, version: Version, metadata: Metadata, *, is_new: bool) -> Accepted | Duplicate:
        job = _job(version, JobKind.INGEST)
        if metadata.password:
            self._secrets.keep(job.id, metadata.password)  # before the job can be claimed
        try:
            if is_new:
                document = _document(version, metadata)
                self._catalogue.add_document(document, version, job)
            else:
                document = self._catalogue.document(version.document_id)
                version = self._catalogue.add_version(version, job)
        except DuplicateDocument as error:
            self._secrets.forget(job.id)
            return self._again(DocumentId(error.facts["document_id"]), version.sha256, metadata)
        except BaseException:
            self._secrets.forget(job.id)
            raise
        self._wake(job.id)
        return Accepted(document, version, job)

    def _again(self, document_id: DocumentId, sha256: str, metadata: Metadata) -> Accepted | Duplicate:
        """Try the failed attempt with these bytes again, if that is what stands in the way."""
        row = self._catalogue.row(document_id)
        ended = row.newest.state in (VersionState.FAILED, VersionState.CANCELLED)
        if row.job is None or not ended or row.newest.sha256 != sha256:
            return Duplicate(row.document)
        if metadata.password:
            self._secrets.keep(row.job.id, metadata.password)
        if told := metadata.told():
            self._catalogue.update_document(document_id, told)
        with suppress(WrongState):  # somebody else was quicker: then it is queued already
            self._catalogue.requeue_job(row.job.id, now=datetime.now(UTC))
        self._wake(row.job.id)
        row = self._catalogue.row(document_id)
        assert row.job is not None
        return Accepted(row.document, row.newest, row.job)

    def _wake(self, job_id: JobId) -> None:
        try:
            self._queue.wake(job_id)
        except StoreUnavailable as error:
            # The job is in the catalogue, where the worker finds it within a minute.
            _log.warning("No worker could be woken for job %s: %s", job_id, error)


def _version(document_id: DocumentId, name: str, stored: StoredFile) -> Version:
    return Version(
        id=VersionId(new_id()),
        document_id=document_id,
        number=1,
        sha256=stored.sha256,
        file_name=name,
        media_type="",
        bytes=stored.bytes,
        state=VersionState.QUEUED,
        added_at=datetime.now(UTC),
    )


def _document(version: Version, metadata: Metadata) -> Document:
    told = metadata.told()
    title = told.pop("title", title_of_name(version.file_name))
    kind = told.pop("kind", metadata.kind)
    return Document(version.document_id, title, kind, version.added_at, **told)


def _job(version: Version, kind: JobKind) -> Job:
    now = datetime.now(UTC)
    return Job(JobId(new_id()), kind, version.document_id, version.id, JobState.QUEUED, now, now)

"""How does a file come in? Kept, recognised, written into the catalogue, and queued for the worker; or refused at once with the reason."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ingest.apart.unpacking import UnpackingApart
from ingest.formats import MAIL, ZIP, detect
from ingest.metadata import Metadata
from ingest.names import clean_name, title_of_name
from ingest.secrets import Secrets
from ingest.suggest import SUGGESTED, suggested_value
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
from xuesi.core.errors import (
    DuplicateDocument,
    EmptyFile,
    InvalidInput,
    StoreUnavailable,
    UnsupportedFormat,
    WrongState,
    XuesiError,
)
from xuesi.core.ids import new_id
from xuesi.core.ports import Catalogue, Files, Queue, StoredFile

__all__ = ["Accepted", "Duplicate", "Intake", "Metadata", "Outcome"]
_log = logging.getLogger("xuesi.intake")
_DEEPEST = 2  # files around a file: a document in a ZIP attached to a mail


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file; `name` shows where it was found, as `材料.zip/通知/a.docx`."""

    name: str
    became: Accepted | Duplicate | XuesiError


class Intake:
    """The way in. Safe to share among threads."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: Files,
        queue: Queue,
        unpack: UnpackingApart,
        max_bytes: int,
        secrets: Path,
    ) -> None:
        """`unpack` takes ZIPs and mails apart; `max_bytes` is the largest file taken; `secrets` the folder where passwords wait for the worker."""
        self._catalogue = catalogue
        self._files = files
        self._queue = queue
        self._unpack = unpack
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
            UnsupportedFormat: If the format is not read, or is that of an archive. Nothing is kept of a refused file.
            DocumentNotFound: If the document named is not there.
            StorageFull: If the disk is.
        """
        if document_id is not None:
            self._catalogue.document(document_id)
        name = clean_name(file_name)
        with self._files.put_original(
            source, limit_bytes=self._max_bytes, wanted=self._catalogue.has_original
        ) as stored:
            version = self._recognised(_version(document_id or DocumentId(new_id()), name, stored))
            if version.media_type == ZIP.media_type:
                raise UnsupportedFormat(
                    f"{name} is an archive, which may hold many documents.", hint="Unpack it and give the one file."
                )
            return self._added(version, metadata, is_new=document_id is None)

    def take_all(self, source: BinaryIO, *, file_name: str, metadata: Metadata, origin: str = "") -> list[Outcome]:
        """Take a file as a new document; of a ZIP every file inside instead, and with a mail whatever is attached to it.

        What becomes of one file inside does not touch the others. What is in a ZIP may be a mail, and what is attached to one a ZIP; but nothing
        goes deeper. A title is for a single document. Where the bytes came from, `origin` or the place in the file around them, is kept with the
        version.

        Raises:
            InvalidInput: If a title is given for a ZIP.
            EmptyFile, DocumentTooLarge, UnsupportedFormat, StorageFull: As `take`, of the file itself; EmptyFile also of a ZIP without files.
            TooMuchToRead, EncryptedDocument, UnreadableDocument, ParserCrashed: If a ZIP as a whole cannot be unpacked.
        """
        name = clean_name(file_name)
        outcomes = list(self._each(source, shown=name, metadata=metadata, around=(), origin=origin))
        if not outcomes:
            raise EmptyFile(f"There are no files in {name}.", hint="Pack the files anew and add that.")
        return outcomes

    def _each(
        self, source: BinaryIO, *, shown: str, metadata: Metadata, around: tuple[str, ...], origin: str
    ) -> Iterator[Outcome]:
        """`around` are the media types of the files that this one is in, the outermost first."""
        with ExitStack() as unpacked:
            # Members are taken once the file around them is let go: one of them may have to wait for the same lock.
            with self._files.put_original(
                source, limit_bytes=self._max_bytes, wanted=self._catalogue.has_original
            ) as stored:
                version = self._recognised(_version(DocumentId(new_id()), clean_name(shown), stored))
                if origin or around:
                    version = replace(version, quality={"origin": origin or shown})
                original = self._files.original(stored.sha256)
                members: Iterator[tuple[str, BinaryIO | XuesiError]] = iter(())
                outcomes: list[Outcome] = []
                if version.media_type == ZIP.media_type:
                    _refuse_parcel(shown, metadata, around)
                    opened = self._unpack.members(original, kind="zip", password=metadata.password)
                    members = unpacked.enter_context(opened)
                else:
                    outcomes.append(Outcome(shown, self._added(version, metadata, is_new=True)))
                if version.media_type == MAIL.media_type and len(around) < _DEEPEST:
                    metadata = replace(metadata, title="")
                    try:  # the mail itself is taken already: what goes wrong with taking it apart is an outcome beside it
                        opened = self._unpack.members(original, kind="mail", password=metadata.password)
                        members = unpacked.enter_context(opened)
                    except XuesiError as error:
                        outcomes.append(Outcome(shown, error))
            yield from outcomes
            yield from self._inside(
                members, shown=shown, metadata=metadata, around=(*around, version.media_type), origin=origin
            )

    def _inside(
        self,
        members: Iterator[tuple[str, BinaryIO | XuesiError]],
        *,
        shown: str,
        metadata: Metadata,
        around: tuple[str, ...],
        origin: str,
    ) -> Iterator[Outcome]:
        for name, source in members:
            place = f"{shown}/{name}"
            if isinstance(source, XuesiError):
                yield Outcome(place, source)
                continue
            try:
                yield from list(self._each(source, shown=place, metadata=metadata, around=around, origin=origin))
            except XuesiError as error:
                yield Outcome(place, error)

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

    def accept(self, document_id: DocumentId, fields: Collection[str]) -> Document:
        """Take over the surest suggestion for each of these fields. One for which there is none stays as it is.

        Raises:
            DocumentNotFound: If it is not there.
            InvalidInput: If a field is none that is suggested.
        """
        if unknown := set(fields) - set(SUGGESTED):
            raise InvalidInput(
                f"Nothing is suggested for {', '.join(sorted(unknown))}.", hint=f"Fields: {', '.join(SUGGESTED)}."
            )
        row = self._catalogue.row(document_id)
        shown = row.live or row.newest
        surest: dict[str, Any] = {}
        for one in self._catalogue.suggestions(shown.id):
            if one.field in fields:
                surest.setdefault(one.field, suggested_value(one))
        return self.change(document_id, surest) if surest else row.document

    def merge(self, document_id: DocumentId, into: DocumentId) -> Version:
        """Make the live version of one document the newest version of another that is nearly the same. Raises as `Catalogue.merge`."""
        placeholder = self._catalogue.row(document_id).newest
        work = _job(placeholder, JobKind.EMBED)
        version = self._catalogue.merge(document_id, into, now=datetime.now(UTC), work=work)
        self._wake(work.id)
        return version

    def retry(self, job_id: JobId, *, password: str | None = None) -> Job:
        """Queue a failed or cancelled job again; with a password, its file is opened by that. Raises as `Catalogue.requeue_job`."""
        if password and self._catalogue.job(job_id).state in (JobState.FAILED, JobState.CANCELLED):
            self._secrets.keep(job_id, password)  # before the job can be claimed
        job = self._catalogue.requeue_job(job_id, now=datetime.now(UTC))
        self._wake(job_id)
        return job

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
        if told := metadata.told():
            self._catalogue.update_document(document_id, told)
        with suppress(WrongState):  # somebody else was quicker: then it is queued already
            self.retry(row.job.id, password=metadata.password)
        row = self._catalogue.row(document_id)
        assert row.job is not None
        return Accepted(row.document, row.newest, row.job)

    def _wake(self, job_id: JobId) -> None:
        try:
            self._queue.wake(job_id)
        except StoreUnavailable as error:
            # The job is in the catalogue, where the worker finds it within a minute.
            _log.warning("No worker could be woken for job %s: %s", job_id, error)


def _refuse_parcel(shown: str, metadata: Metadata, around: tuple[str, ...]) -> None:
    """A ZIP in a ZIP, or one too deep, may hold without end; and many documents have no title in common."""
    if ZIP.media_type in around or len(around) >= _DEEPEST:
        raise UnsupportedFormat(
            f"{clean_name(shown)} is an archive inside an archive, which is not unpacked.",
            hint="Unpack it and add the files inside.",
        )
    if metadata.title:
        raise InvalidInput("A title fits one file only.", hint="Leave the title out for an archive.")


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

"""What helps after a document's newest version failed? A password, another file, the document that has the text already, or another try."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from api.schemas.jobs import twin_of
from xuesi.core.domain import Document, DocumentId, Job, VersionState
from xuesi.core.errors import DocumentNotFound, EmptyFile, EncryptedDocument, NoText, UnreadableDocument
from xuesi.core.ports import DocumentRow
from xuesi.services import Services

_THE_FILE_S_FAULT = frozenset({EmptyFile.code, NoText.code, UnreadableDocument.code})


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to offer first. `twin` is the document that holds the same text."""

    what: Literal["password", "file", "twin", "retry"]
    twin: Document | None = None


def remedies(services: Services, rows: Iterable[DocumentRow]) -> dict[DocumentId, Remedy]:
    """Of the rows those whose newest version failed or was cancelled, with what helps."""
    ended = (VersionState.FAILED, VersionState.CANCELLED)
    return {row.document.id: _remedy(services, row.job) for row in rows if row.job and row.newest.state in ended}


def _remedy(services: Services, job: Job) -> Remedy:
    if job.error_code == EncryptedDocument.code:
        return Remedy("password")
    if job.error_code in _THE_FILE_S_FAULT:
        return Remedy("file")
    if twin := twin_of(job):
        with suppress(DocumentNotFound):  # it was removed meanwhile: then another try succeeds
            return Remedy("twin", services.catalogue.document(DocumentId(twin)))
    return Remedy("retry")

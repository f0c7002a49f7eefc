"""Documents, versions and passages made up for tests of the catalogue and of what stands on it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from xuesi.core.domain import (
    Document,
    DocumentId,
    Job,
    JobId,
    JobKind,
    JobState,
    Kind,
    Page,
    Passage,
    PassageId,
    Span,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.ids import new_id
from xuesi.core.ports import Catalogue

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def a_document(**fields: Any) -> Document:
    """A document nobody else has."""
    known: dict[str, Any] = {
        "id": DocumentId(new_id()),
        "title": "调查研究工作手册",
        "kind": Kind.STUDY_TEXT,
        "created_at": NOW,
    }
    return Document(**{**known, **fields})


def a_version(of: Document, **fields: Any) -> Version:
    """A queued version of the document, with bytes of its own."""
    id_ = VersionId(new_id())
    known: dict[str, Any] = {
        "id": id_,
        "document_id": of.id,
        "number": 1,
        "sha256": hashlib.sha256(id_.encode()).hexdigest(),
        "file_name": "手册.txt",
        "media_type": "text/plain",
        "bytes": 300,
        "state": VersionState.QUEUED,
        "added_at": NOW,
    }
    return Version(**{**known, **fields})


def a_job(of: Version, **fields: Any) -> Job:
    """A queued job for the version."""
    known = {"kind": JobKind.INGEST, "state": JobState.QUEUED, "created_at": NOW, "updated_at": NOW}
    return Job(**{"id": JobId(new_id()), "document_id": of.document_id, "version_id": of.id, **known, **fields})


def some_passages(of: Version, count: int = 3) -> list[Passage]:
    """Passages of ten characters each, one after the other."""
    return [
        Passage(
            id=PassageId(new_id()),
            version_id=of.id,
            ordinal=i,
            span=Span(i * 10, i * 10 + 10),
            text=f"第{i:04}段的文字在此",
            page_from=1,
            page_to=1,
            heading_path=("第一章", f"第{i}节"),
            tokens=9,
        )
        for i in range(count)
    ]


def add(catalogue: Catalogue, **fields: Any) -> tuple[Document, Version, Job]:
    """Add a document with a queued version."""
    document = a_document(**fields)
    version = a_version(document, added_at=document.created_at)
    job = a_job(version, created_at=document.created_at, updated_at=document.created_at)
    catalogue.add_document(document, version, job)
    return document, version, job


def read(catalogue: Catalogue, version: Version, count: int = 3) -> list[Passage]:
    """Save a reading with that many passages."""
    passages = some_passages(version, count)
    pages = [Page(1, Span(0, count * 10), "1", 595.0, 842.0)]
    catalogue.save_reading(version.id, pages=pages, passages=passages, chars=count * 10, quality={"warnings": []})
    return passages


def publish(catalogue: Catalogue, *, at: datetime = NOW, **fields: Any) -> tuple[Document, Version, list[Passage]]:
    """Add a document whose first version is live."""
    document, version, _ = add(catalogue, **{"created_at": at, **fields})
    passages = read(catalogue, version)
    catalogue.make_live(version.id, at=at)
    return document, version, passages


def replace_file(catalogue: Catalogue, document: Document, *, at: datetime) -> tuple[Version, list[Passage]]:
    """Make another version of the document live."""
    version = catalogue.add_version(added := a_version(document, added_at=at), a_job(added))
    passages = read(catalogue, version)
    catalogue.make_live(version.id, at=at)
    return replace(version, state=VersionState.LIVE), passages

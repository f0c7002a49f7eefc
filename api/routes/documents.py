"""Which documents are there, and how do they come, change and go?"""

from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from api import fetch, problems
from api.schemas import (
    DocumentChanges,
    DocumentList,
    DocumentOut,
    FromUrlIn,
    JobOut,
    MetadataIn,
    Outcomes,
    PassageOut,
    Refused,
    Taken,
    There,
    VersionList,
    VersionOut,
)
from api.services import ServicesDep
from ingest.intake import Duplicate, Metadata
from xuesi.core.domain import DocumentId, Kind, PassageId, VersionState
from xuesi.core.errors import InvalidInput, XuesiError
from xuesi.wiring import Services

router = APIRouter(tags=["documents"])

Files = Annotated[list[UploadFile], File(description="The file; repeatable.")]
MetadataPart = Annotated[str, Form(description="JSON as in `MetadataIn`.")]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("/documents", status_code=202)
def add_documents(services: ServicesDep, request: Request, file: Files, metadata: MetadataPart = "{}") -> Outcomes:
    """Take files in. Each has its outcome, in order; a single refused file answers its problem's status."""
    given = _metadata(metadata)
    if given.title and len(file) > 1:
        raise InvalidInput(
            "A title fits one file only.", hint="Send each file with its own metadata, or leave title out."
        )
    return _take_all(services, request, file, given)


@router.post("/documents/from-url", status_code=202)
async def add_from_url(services: ServicesDep, request: Request, asked: FromUrlIn) -> Outcomes:
    """Fetch a document by its address and take it in. Private, loopback and link-local addresses are refused."""
    settings = services.settings
    fetched = await fetch.fetch(
        asked.url,
        limit_bytes=settings.max_file_mb * 1_000_000,
        timeout_s=settings.url_timeout_s,
        network=request.app.state.network,
    )
    with fetched.file as source:
        outcome = await run_in_threadpool(_take, services, source, file_name=fetched.file_name, metadata=asked.metadata)
    return Outcomes(documents=[outcome])


@router.get("/documents")
def list_documents(
    services: ServicesDep,
    q: str = "",
    kind: Kind | None = None,
    topic: str = "",
    state: VersionState | None = None,
    limit: Limit = 50,
    cursor: str = "",
) -> DocumentList:
    """The library, newest document first. `q` is looked for in title and issuer; `state` is the newest version's."""
    rows, after = services.catalogue.rows(
        q=q, kind=kind or "", topic=topic, state=state or "", limit=limit, cursor=cursor
    )
    return DocumentList(items=[DocumentOut.of(row) for row in rows], next=after)


@router.get("/documents/{document_id}")
def show_document(services: ServicesDep, document_id: str) -> DocumentOut:
    """A document."""
    return DocumentOut.of(services.catalogue.row(DocumentId(document_id)))


@router.patch("/documents/{document_id}")
def change_document(services: ServicesDep, document_id: str, changes: DocumentChanges) -> DocumentOut:
    """Change what is known of a document. A new title is searchable once the passages are embedded again."""
    services.intake.change(DocumentId(document_id), _changes(changes))
    return DocumentOut.of(services.catalogue.row(DocumentId(document_id)))


@router.delete("/documents/{document_id}", status_code=204)
def remove_document(services: ServicesDep, document_id: str) -> None:
    """Remove a document: from this moment on it is found no more."""
    services.catalogue.delete_document(DocumentId(document_id), at=datetime.now(UTC))


@router.get("/documents/{document_id}/versions")
def list_versions(services: ServicesDep, document_id: str) -> VersionList:
    """A document's versions, newest first."""
    return VersionList(items=[VersionOut.of(v) for v in services.catalogue.versions(DocumentId(document_id))])


@router.post("/documents/{document_id}/versions", status_code=202)
def add_version(
    services: ServicesDep, request: Request, document_id: str, file: Files, metadata: MetadataPart = "{}"
) -> Outcomes:
    """Replace a document's current version by this file as soon as it is live. Of the metadata only `password` is used."""
    if len(file) != 1:
        raise InvalidInput(f"A version is one file; {len(file)} were sent.")
    return _take_all(services, request, file, _metadata(metadata), document_id=DocumentId(document_id))


@router.get("/passages/{passage_id}")
def show_passage(services: ServicesDep, passage_id: str) -> PassageOut:
    """A passage of any version that was read, a retired one too."""
    found = services.catalogue.passage(PassageId(passage_id))
    return PassageOut.of(found.passage, document=found.document, version=found.version.number)


def _metadata(given: str) -> MetadataIn:
    """The metadata part. Raises InvalidInput with the place of each fault."""
    try:
        return MetadataIn.model_validate_json(given or "{}")
    except ValidationError as error:
        faults = [
            {"pointer": "/metadata" + "".join(f"/{part}" for part in e["loc"]), "detail": e["msg"]}
            for e in error.errors(include_input=False)  # a password must not come back
        ]
        raise InvalidInput(f"The metadata: {faults[0]['detail']}.", errors=faults) from None


def _changes(given: DocumentChanges) -> dict[str, Any]:
    changes = given.model_dump(exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing is to be changed.", hint=f"Name at least one of {', '.join(DocumentChanges.model_fields)}."
        )
    if "topics" in changes:
        changes["topics"] = tuple(changes["topics"])
    return changes


def _take_all(
    services: Services,
    request: Request,
    files: list[UploadFile],
    metadata: MetadataIn,
    *,
    document_id: DocumentId | None = None,
) -> Outcomes:
    outcomes: list[Taken | There | Refused] = []
    for file in files:
        try:
            outcomes.append(
                _take(services, file.file, file_name=file.filename or "", metadata=metadata, document_id=document_id)
            )
        except XuesiError as error:
            if len(files) == 1:
                raise
            outcomes.append(Refused(problem=problems.report(error, request)))
    return Outcomes(documents=outcomes)


def _take(
    services: Services,
    source: BinaryIO,
    *,
    file_name: str,
    metadata: MetadataIn,
    document_id: DocumentId | None = None,
) -> Taken | There:
    given = metadata.model_dump(mode="json", exclude_none=True)
    taken = services.intake.take(source, file_name=file_name, metadata=Metadata.parse(given), document_id=document_id)
    document = DocumentOut.of(services.catalogue.row(taken.document.id))
    if isinstance(taken, Duplicate):
        return There(document=document)
    return Taken(document=document, version=taken.version.number, job=JobOut.of(taken.job, taken.version))

"""Which documents are there, and how do they come, change and go?"""

from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from api import fetch, problems
from api.parts import Limit, part_of
from api.schemas.documents import (
    DocumentChanges,
    DocumentList,
    DocumentOut,
    FromUrlIn,
    KnownIn,
    KnownOut,
    MetadataIn,
    Outcomes,
    Refused,
    Taken,
    There,
    TrashList,
    TrashOut,
)
from api.schemas.jobs import JobOut
from api.schemas.search import PassageOut
from api.schemas.versions import VersionList, VersionOut
from api.services import ServicesDep
from ingest.intake import Accepted, Duplicate, Metadata
from xuesi.core.domain import DocumentId, Kind, PassageId, VersionState
from xuesi.core.errors import InvalidInput, XuesiError
from xuesi.services import Services

router = APIRouter(tags=["documents"])

Files = Annotated[list[UploadFile], File(description="The file; repeatable.")]
MetadataPart = Annotated[str, Form(description="JSON as in `MetadataIn`.")]


@router.post("/documents", status_code=202)
def add_documents(services: ServicesDep, request: Request, file: Files, metadata: MetadataPart = "{}") -> Outcomes:
    """Take files in. Each has its outcome, in order; a single refused file answers its problem's status.

    Of a ZIP the files inside are taken, and with a mail whatever is attached to it: each of these has its outcome too.
    """
    given = _metadata(metadata)
    if given.title and len(file) > 1:
        raise InvalidInput(
            "A title fits one file only.", hint="Send each file with its own metadata, or leave title out."
        )
    return _take_all(services, request, file, given)


@router.post("/documents/from-url", status_code=202)
async def add_from_url(services: ServicesDep, request: Request, asked: FromUrlIn) -> Outcomes:
    """Fetch a document by its address and take it in. Private, loopback and link-local addresses are refused.

    The address at which it was found in the end is kept with the version, as `quality.origin`.
    """
    settings = services.settings
    fetched = await fetch.fetch(
        asked.url,
        limit_bytes=settings.max_file_mb * 1_000_000,
        timeout_s=settings.url_timeout_s,
        network=request.app.state.network,
    )
    with fetched.file as source:
        outcomes = await run_in_threadpool(
            _all,
            services,
            request,
            source,
            file_name=fetched.file_name,
            metadata=asked.metadata,
            origin=fetched.url,
        )
    return Outcomes(documents=outcomes)


@router.post("/documents/known")
def known_documents(services: ServicesDep, asked: KnownIn) -> KnownOut:
    """Which of these files are in the library already, by the SHA-256 of their bytes: they need not be sent."""
    return KnownOut(known=services.catalogue.known(asked.sha256))


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
    services.intake.change(DocumentId(document_id), changes_of(changes))
    return DocumentOut.of(services.catalogue.row(DocumentId(document_id)))


@router.delete("/documents/{document_id}", status_code=204)
def remove_document(services: ServicesDep, document_id: str, *, now: bool = False) -> None:
    """Remove a document: from this moment on it is found no more. It can be restored for `trash_days`; with `now` it is purged."""
    services.remove(DocumentId(document_id), now=now)


@router.get("/trash")
def list_trash(services: ServicesDep, limit: Limit = 50, cursor: str = "") -> TrashList:
    """Removed documents that can still be restored, the one removed first in front."""
    now = datetime.now(UTC)
    restorable = [TrashOut.of(d) for d, _ in services.catalogue.deleted() if d.purge_after and d.purge_after > now]
    items, after = part_of(restorable, lambda it: (it.deleted_at.timestamp(), it.id), limit=limit, cursor=cursor)
    return TrashList(items=list(items), next=after)


@router.post("/documents/{document_id}/restore")
def restore_document(services: ServicesDep, document_id: str) -> DocumentOut:
    """Take a removed document back; it is found again within seconds."""
    services.catalogue.restore_document(DocumentId(document_id), at=datetime.now(UTC))
    return DocumentOut.of(services.catalogue.row(DocumentId(document_id)))


@router.get("/documents/{document_id}/versions")
def list_versions(services: ServicesDep, document_id: str, limit: Limit = 50, cursor: str = "") -> VersionList:
    """A document's versions, newest first."""
    versions = services.catalogue.versions(DocumentId(document_id))
    items, after = part_of(versions, lambda it: (-it.number,), limit=limit, cursor=cursor)
    return VersionList(items=[VersionOut.of(it) for it in items], next=after)


@router.post("/documents/{document_id}/versions", status_code=202)
def add_version(services: ServicesDep, document_id: str, file: Files, metadata: MetadataPart = "{}") -> Outcomes:
    """Replace a document's current version by this file as soon as it is live. Of the metadata only `password` is used."""
    if len(file) != 1:
        raise InvalidInput(f"A version is one file; {len(file)} were sent.")
    taken = services.intake.take(
        file[0].file,
        file_name=file[0].filename or "",
        metadata=_parsed(_metadata(metadata)),
        document_id=DocumentId(document_id),
    )
    return Outcomes(documents=[_outcome(services, file[0].filename or "", taken)])


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


def changes_of(given: DocumentChanges) -> dict[str, Any]:
    """The named fields by name. Raises InvalidInput if there is none."""
    changes = given.model_dump(exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing is to be changed.", hint=f"Name at least one of {', '.join(DocumentChanges.model_fields)}."
        )
    if "topics" in changes:
        changes["topics"] = tuple(changes["topics"])
    return changes


def _take_all(services: Services, request: Request, files: list[UploadFile], metadata: MetadataIn) -> Outcomes:
    outcomes: list[Taken | There | Refused] = []
    for file in files:
        name = file.filename or ""
        try:
            outcomes += _all(services, request, file.file, file_name=name, metadata=metadata)
        except XuesiError as error:
            if len(files) == 1:
                raise
            outcomes.append(Refused(file_name=name, problem=problems.report(error, request)))
    return Outcomes(documents=outcomes)


def _all(
    services: Services,
    request: Request,
    source: BinaryIO,
    *,
    file_name: str,
    metadata: MetadataIn,
    origin: str = "",
) -> list[Taken | There | Refused]:
    """What became of a file, or of each file inside. Raises as `Intake.take_all`."""
    taken = services.intake.take_all(source, file_name=file_name, metadata=_parsed(metadata), origin=origin)
    return [
        Refused(file_name=it.name, problem=problems.report(it.became, request))
        if isinstance(it.became, XuesiError)
        else _outcome(services, it.name, it.became)
        for it in taken
    ]


def _outcome(services: Services, name: str, became: Accepted | Duplicate) -> Taken | There:
    document = DocumentOut.of(services.catalogue.row(became.document.id))
    if isinstance(became, Duplicate):
        return There(file_name=name, document=document)
    return Taken(
        file_name=name,
        document=document,
        version=became.version.number,
        job=JobOut.of(became.job, became.version),
    )


def _parsed(metadata: MetadataIn) -> Metadata:
    return Metadata.parse(metadata.model_dump(mode="json", exclude_none=True))

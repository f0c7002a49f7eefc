"""How is the library kept? What is there and how far it is, adding, retrying and removing; all of it also without scripts.

Every form here is answered by a redirection that carries what happened, so that reloading repeats nothing. Forms from other sites are refused
before they come here (api/security.py).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile

from api.pages.view import fragment, page, see
from api.problems import status_of
from api.services import ServicesDep
from ingest.intake import Duplicate, Metadata
from xuesi.core.domain import DocumentId, JobId, Kind, VersionState
from xuesi.core.errors import DuplicateDocument, InvalidInput, XuesiError
from xuesi.wiring import Services

router = APIRouter(include_in_schema=False)

_ROWS = 50
_NOTICES = ("added", "removed", "retried", "saved", "replaced")


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken: why, and where the one is that is there already."""

    file_name: str
    error: XuesiError
    document_id: str


@router.get("/library")
def library_page(
    request: Request,
    services: ServicesDep,
    q: str = "",
    kind: str = "",
    state: str = "",
    cursor: str = "",
    notice: str = "",
    count: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The table."""
    kind = kind if kind in set(Kind) else ""
    state = state if state in set(VersionState) else ""
    return _library(request, services, q=q, kind=kind, state=state, cursor=cursor, notice=notice, count=count)


def _library(request: Request, services: Services, *, refused: list[Refused] | None = None, **asked: Any) -> Response:
    chosen = {"q": "", "kind": "", "state": "", "cursor": "", **asked}
    filters = {name: chosen[name] for name in ("q", "kind", "state")}
    rows, after = services.catalogue.rows(**filters, limit=_ROWS, cursor=chosen["cursor"])
    notice = chosen.get("notice", "")
    return page(
        request,
        "library.html",
        status=status_of(refused[0].error) if refused else 200,
        rows=rows,
        filters=filters,
        filtered=any(filters.values()),
        started="cursor" in asked and asked["cursor"],
        more=f"/library?{urlencode({**filters, 'cursor': after})}" if after else "",
        documents=services.catalogue.counts()["live_versions"],
        kinds=list(Kind),
        states=[s for s in VersionState if s != VersionState.RETIRED],
        notice=f"library.notice_{notice}" if notice in _NOTICES else "",
        count=chosen.get("count", 0),
        refused=refused or [],
        max_mb=services.settings.max_file_mb,
    )


@router.get("/library/rows/{document_id}")
def library_row(request: Request, services: ServicesDep, document_id: str) -> Response:
    """One line of the table, for the module that keeps it up to date."""
    return fragment(request, "row.html", row=services.catalogue.row(DocumentId(document_id)))


@router.post("/library/add")
def add(request: Request, services: ServicesDep, file: Annotated[list[UploadFile], File()] = []) -> Response:  # noqa: B006 never changed
    """Take files in without scripts. What was refused is shown with its reason; the rest is taken all the same."""
    files = [f for f in file if f.filename]
    refused: list[Refused] = []
    for each in files:
        try:
            _take(services, each)
        except XuesiError as error:
            refused.append(_refused(each, error))
    if not files:
        refused = [Refused("", InvalidInput("No file was chosen."), "")]
    if refused:
        return _library(
            request,
            services,
            refused=refused,
            notice="added" if len(refused) < len(files) else "",
            count=len(files) - len(refused),
        )
    return see(f"/library?notice=added&count={len(files)}")


@router.post("/library/{document_id}/remove")
def remove(services: ServicesDep, document_id: str) -> Response:
    """Remove a document."""
    services.catalogue.delete_document(DocumentId(document_id), at=datetime.now(UTC))
    return see("/library?notice=removed")


@router.post("/library/retry/{job_id}")
def retry(services: ServicesDep, job_id: str) -> Response:
    """Queue a failed job again."""
    job = services.catalogue.requeue_job(JobId(job_id), now=datetime.now(UTC))
    services.queue.wake(job.id)
    return see("/library?notice=retried")


@router.get("/documents/{document_id}")
def document_page(request: Request, services: ServicesDep, document_id: str, notice: str = "") -> Response:
    """What is known of a document, and what can be done with it."""
    return _document(request, services, document_id, notice=notice)


def _document(
    request: Request, services: Services, document_id: str, *, notice: str = "", refused: Refused | None = None
) -> Response:
    row = services.catalogue.row(DocumentId(document_id))
    return page(
        request,
        "document.html",
        status=status_of(refused.error) if refused else 200,
        row=row,
        versions=services.catalogue.versions(row.document.id),
        kinds=list(Kind),
        notice=f"library.notice_{notice}" if notice in _NOTICES else "",
        refused=refused,
    )


@router.post("/documents/{document_id}/edit")
def edit(
    services: ServicesDep,
    document_id: str,
    title: Annotated[str, Form(max_length=500)],
    kind: Annotated[Kind, Form()],
    issuer: Annotated[str, Form(max_length=500)] = "",
    published_on: Annotated[str, Form()] = "",
    effective_on: Annotated[str, Form()] = "",
    topics: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Save what is known of a document."""
    if not title.strip():
        raise InvalidInput("A document needs a title.")
    changes = {
        "title": title.strip(),
        "kind": kind,
        "issuer": issuer.strip(),
        "published_on": _day(published_on),
        "effective_on": _day(effective_on),
        "topics": tuple(
            t for t in (part.strip() for part in topics.replace("，", ",").replace("、", ",").split(",")) if t
        ),
    }
    services.intake.change(DocumentId(document_id), changes)
    return see(f"/documents/{document_id}?notice=saved")


@router.post("/documents/{document_id}/replace")
def replace(request: Request, services: ServicesDep, document_id: str, file: Annotated[UploadFile, File()]) -> Response:
    """Take a new version in."""
    try:
        _take(services, file, document_id=DocumentId(document_id))
    except XuesiError as error:
        return _document(request, services, document_id, refused=_refused(file, error))
    return see(f"/documents/{document_id}?notice=replaced")


def _take(services: Services, file: UploadFile, *, document_id: DocumentId | None = None) -> None:
    taken = services.intake.take(
        file.file, file_name=file.filename or "", metadata=Metadata.parse({}), document_id=document_id
    )
    if isinstance(taken, Duplicate):
        raise DuplicateDocument(f"“{taken.document.title}” holds the same bytes.", document_id=taken.document.id)


def _refused(file: UploadFile, error: XuesiError) -> Refused:
    return Refused(file.filename or "", error, str(error.facts.get("document_id", "")))


def _day(given: str) -> date | None:
    """A day as forms send it. Raises InvalidInput if it is none."""
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(f"{given} is not a day.", hint="Write it as YYYY-MM-DD.") from error

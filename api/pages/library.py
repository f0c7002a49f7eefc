"""How is the library kept? What is there and how far it is, adding, retrying and removing; all of it also without scripts.

Every form here is answered by a redirection that carries what happened, so that reloading repeats nothing. Forms from other sites are refused
before they come here (api/security.py).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api import fetch, security
from api.pages import succession, suggestions
from api.pages.failure import remedies
from api.pages.trash import restorable
from api.pages.view import day_of, fragment, page, see
from api.problems import status_of
from api.services import ServicesDep
from ingest.intake import Accepted, Duplicate, Metadata, Outcome
from xuesi.core.domain import DocumentId, JobId, JobState, Kind, PageHow, PageReport, Version, VersionState
from xuesi.core.errors import DuplicateDocument, InvalidInput, XuesiError
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_ROWS = 50
_REPORTS = 100
_NOTICES = ("added", "removed", "retried", "saved", "replaced", "ready", "settled")


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
    # Paths of this machine, models and their errors are not for everybody.
    seen = security.logged_in(request, services.settings)
    return page(
        request,
        "library.html",
        status=status_of(refused[0].error) if refused else 200,
        rows=rows,
        remedies=remedies(services, rows),
        filters=filters,
        filtered=any(filters.values()),
        started="cursor" in asked and asked["cursor"],
        more=f"/library?{urlencode({**filters, 'cursor': after})}" if after else "",
        **_counted(services),
        kinds=list(Kind),
        states=[s for s in VersionState if s != VersionState.RETIRED],
        notice=f"library.notice_{notice}" if notice in _NOTICES else "",
        change=services.change.progress() if seen else None,
        count=chosen.get("count", 0),
        refused=refused or [],
        max_mb=services.settings.max_file_mb,
        folders=services.watcher.folders if seen else [],
        notable=services.watcher.notable() if seen and services.watcher.folders else [],
    )


def _counted(services: Services) -> dict[str, int]:
    return {"documents": services.catalogue.counts()["live_versions"], "removed": len(restorable(services))}


@router.get("/library/count")
def library_count(request: Request, services: ServicesDep) -> Response:
    """The line that counts, for the module that keeps it up to date."""
    return fragment(request, "_count.html", **_counted(services))


@router.get("/library/rows/{document_id}")
def library_row(request: Request, services: ServicesDep, document_id: str) -> Response:
    """One line of the table, for the module that keeps it up to date."""
    row = services.catalogue.row(DocumentId(document_id))
    return fragment(request, "row.html", row=row, remedies=remedies(services, [row]))


@router.post("/library/add")
def add(request: Request, services: ServicesDep, file: Annotated[list[UploadFile], File()] = []) -> Response:  # noqa: B006 never changed
    """Take files in without scripts. What was refused is shown with its reason; the rest is taken all the same."""
    files = [f for f in file if f.filename]
    outcomes = [] if files else [Outcome("", InvalidInput("No file was chosen."))]
    for each in files:
        name = each.filename or ""
        try:
            outcomes += services.intake.take_all(each.file, file_name=name, metadata=Metadata())
        except XuesiError as error:
            outcomes.append(Outcome(name, error))
    return _added(request, services, outcomes)


@router.post("/library/add-from-url")
async def add_from_url(
    request: Request, services: ServicesDep, url: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    """Take in what stands at an address, under the same rules as `POST /api/v1/documents/from-url`."""
    settings, address = services.settings, url.strip()
    try:
        fetched = await fetch.fetch(
            address,
            limit_bytes=settings.max_file_mb * 1_000_000,
            timeout_s=settings.url_timeout_s,
            network=request.app.state.network,
        )
        with fetched.file as source:
            outcomes = await run_in_threadpool(
                services.intake.take_all,
                source,
                file_name=fetched.file_name,
                metadata=Metadata(),
                origin=fetched.url,
            )
    except XuesiError as error:
        outcomes = [Outcome(address, error)]
    return await run_in_threadpool(_added, request, services, outcomes)


def _added(request: Request, services: Services, outcomes: Sequence[Outcome]) -> Response:
    taken, refused = 0, list[Refused]()
    for it in outcomes:
        match it.became:
            case Accepted():
                taken += 1
            case Duplicate():
                refused.append(_refused(it.name, _duplicate(it.became)))
            case _:
                refused.append(_refused(it.name, it.became))
    if refused:
        return _library(request, services, refused=refused, notice="added" if taken else "", count=taken)
    return see(f"/library?notice=added&count={taken}")


@router.post("/library/{document_id}/remove")
def remove(services: ServicesDep, document_id: str) -> Response:
    """Remove a document."""
    services.remove(DocumentId(document_id))
    return see("/library?notice=removed")


@router.post("/library/retry/{job_id}")
def retry(services: ServicesDep, job_id: str, password: Annotated[str, Form(max_length=1000)] = "") -> Response:
    """Queue a failed job again; where its file is encrypted, with the password."""
    services.intake.retry(JobId(job_id), password=password)
    return see("/library?notice=retried")


@router.get("/documents/{document_id}")
def document_page(
    request: Request, services: ServicesDep, document_id: str, notice: str = "", successor: str = ""
) -> Response:
    """What is known of a document, and what can be done with it. `successor`: words of the one that is to take its place."""
    return _document(request, services, document_id, notice=notice, wanted=successor)


def _document(
    request: Request,
    services: Services,
    document_id: str,
    *,
    notice: str = "",
    wanted: str = "",
    refused: Refused | None = None,
) -> Response:
    row = services.catalogue.row(DocumentId(document_id))
    live = row.newest.state == VersionState.LIVE
    pending = not live and row.job is not None and row.job.state in (JobState.QUEUED, JobState.RUNNING)
    if notice == "replaced" and not pending:
        notice = "ready" if live else ""
    return page(
        request,
        "document.html",
        status=status_of(refused.error) if refused else 200,
        row=row,
        pending=pending,
        remedy=remedies(services, [row]).get(row.document.id),
        versions=services.catalogue.versions(row.document.id),
        quality=_quality(services, row.newest),
        suggestions=suggestions.offered(services, row.document),
        near=services.catalogue.near_duplicates(row.document.id),
        wanted=wanted,
        successors=succession.offered(services, row.document, wanted=wanted),
        kinds=list(Kind),
        notice=f"library.notice_{notice}" if notice in _NOTICES else "",
        refused=refused,
    )


class _Edited(BaseModel):
    """The fields of the form."""

    title: str = Field(max_length=500)
    kind: Kind
    issuer: str = Field("", max_length=500)
    document_number: str = Field("", max_length=200)
    published_on: str = ""
    effective_on: str = ""
    topics: str = Field("", max_length=5000)


@router.post("/documents/{document_id}/edit")
def edit(services: ServicesDep, document_id: str, form: Annotated[_Edited, Form()]) -> Response:
    """Save what is known of a document."""
    if not form.title.strip():
        raise InvalidInput("A document needs a title.")
    parts = form.topics.replace("，", ",").replace("、", ",").split(",")
    changes = {
        "title": form.title.strip(),
        "kind": form.kind,
        "issuer": form.issuer.strip(),
        "document_number": form.document_number.strip(),
        "published_on": day_of(form.published_on),
        "effective_on": day_of(form.effective_on),
        "topics": tuple(topic for topic in map(str.strip, parts) if topic),
    }
    services.intake.change(DocumentId(document_id), changes)
    return see(f"/documents/{document_id}?notice=saved")


@dataclass(frozen=True, slots=True)
class Quality:
    """How many pages were read how, and the reports that are shown: all of a short document, of a long one those that are not plain text."""

    counts: dict[PageHow, int]
    shown: list[PageReport]


def _quality(services: Services, version: Version) -> Quality:
    reports = services.catalogue.page_reports(version.id)
    counts = Counter(report.how for report in reports)
    notable = [report for report in reports if report.how is not PageHow.TEXT or report.note]
    return Quality(dict(counts), (reports if len(reports) <= _REPORTS else notable)[:_REPORTS])


@router.post("/documents/{document_id}/replace")
def replace(request: Request, services: ServicesDep, document_id: str, file: Annotated[UploadFile, File()]) -> Response:
    """Take a new version in."""
    name = file.filename or ""
    try:
        taken = services.intake.take(
            file.file, file_name=name, metadata=Metadata(), document_id=DocumentId(document_id)
        )
        if isinstance(taken, Duplicate):
            raise _duplicate(taken)
    except XuesiError as error:
        return _document(request, services, document_id, refused=_refused(name, error))
    return see(f"/documents/{document_id}?notice=replaced")


def _duplicate(found: Duplicate) -> DuplicateDocument:
    return DuplicateDocument(f"“{found.document.title}” holds the same bytes.", document_id=found.document.id)


def _refused(file_name: str, error: XuesiError) -> Refused:
    return Refused(file_name, error, str(error.facts.get("document_id", "")))

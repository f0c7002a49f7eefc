"""How does a reader see a version: its original, its text, its pages as images, its difference from another?"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse, Response

from api.boxes import Box, marks
from api.render import DRAWN
from api.schemas.search import SuccessorOut
from api.schemas.versions import (
    ChangeOut,
    DiffOut,
    OutlineOut,
    PageOut,
    PageReportOut,
    PagesOut,
    QualityOut,
    StandingOut,
)
from api.services import DrawingDep, ServicesDep
from xuesi.core.difference import Difference, How, compare
from xuesi.core.domain import DocumentId, Page, Span, Version
from xuesi.core.errors import InvalidInput, PageNotFound, VersionNotFound
from xuesi.core.text import counted
from xuesi.services import Services

router = APIRouter(prefix="/documents/{document_id}/versions/{version}", tags=["versions"])

# What a browser may do with an original: nothing. It comes from outside and is stored as it came.
_HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}

Start = Annotated[int | None, Query(ge=0)]


@router.get("/original", response_class=FileResponse)
def original(services: ServicesDep, document_id: str, version: int) -> Response:
    """The file as it was added, to be saved: it is never opened within the site."""
    found = _version(services, document_id, version)
    return FileResponse(
        services.files.original(found.sha256),
        media_type=found.media_type,
        headers={**_HARMLESS, "Content-Disposition": disposition(found.file_name)},
    )


@router.get("/text", response_class=PlainTextResponse)
def text(services: ServicesDep, document_id: str, version: int, start: Start = None, end: Start = None) -> Response:
    """The canonical text, or [start, end) of it in code points."""
    found = _read(services, document_id, version)
    whole = services.files.text(found)
    span = _span(start, end, chars=len(whole))
    return PlainTextResponse(whole if span is None else span.of(whole), headers=_HARMLESS)


@router.get("/pages")
async def pages(services: ServicesDep, drawing: DrawingDep, document_id: str, version: int) -> PagesOut:
    """Labels, sizes and outline, and whether pages can be had as images."""
    found = await run_in_threadpool(_read, services, document_id, version)
    path = services.files.original(found.sha256) if found.media_type in DRAWN else None
    drawable = path is not None and await drawing.run(drawing.renderer.drawable, path)
    return await run_in_threadpool(_pages, services, found, drawable=drawable)


def _pages(services: Services, found: Version, *, drawable: bool) -> PagesOut:
    return PagesOut(
        chars=found.chars,
        drawable=drawable,
        pages=[PageOut.of(page) for page in services.catalogue.pages(found.id)],
        outline=[OutlineOut.of(entry) for entry in services.files.outline(found)],
    )


@router.get(
    "/pages/{page}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 304: {"description": "Not changed."}},
)
async def page_image(  # noqa: PLR0913, PLR0917 the parts of the address
    services: ServicesDep,
    drawing: DrawingDep,
    document_id: str,
    version: int,
    page: int,
    start: Start = None,
    end: Start = None,
    scale: Annotated[float, Query(ge=0.25, le=4)] = 2.0,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """The page as an image, `scale` pixels a point (1/72 inch), with the part of [start, end) that stands on it marked."""
    path, boxes = await run_in_threadpool(
        _marked_page, services, (document_id, version), page=page, start=start, end=end
    )
    etag = _etag(str(path), page, scale, boxes, drawing.renderer.look)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    png = await drawing.run(drawing.renderer.page_png, path, page=page, scale=scale, marks=boxes)
    return Response(png, media_type="image/png", headers=headers)


def _marked_page(
    services: Services, at: tuple[str, int], *, page: int, start: int | None, end: int | None
) -> tuple[Path, list[Box]]:
    found = _read(services, *at)
    if found.media_type not in DRAWN:
        raise PageNotFound(f"{found.file_name} has no pages that can be drawn.", hint="Read its text instead: …/text")
    shown = _page(services, found, page)
    span = _span(start, end, chars=found.chars)
    boxes = marks(services.files.boxes(found), page=shown, span=span) if span is not None else []
    return services.files.original(found.sha256), boxes


@router.get("/standing")
def standing(services: ServicesDep, document_id: str, version: int) -> StandingOut:
    """Whether this version is what answers today, for whoever shows an answer that was given a while ago."""
    found = _version(services, document_id, version)
    outdated = services.catalogue.outdated([found.id])
    return StandingOut(current=found.id not in outdated, superseded_by=SuccessorOut.of(outdated.get(found.id)))


@router.get("/quality")
def quality(services: ServicesDep, document_id: str, version: int) -> QualityOut:
    """How each page was read, what was left out of the text, and what is doubtful; also of a version that failed."""
    found = _version(services, document_id, version)
    return QualityOut(
        pages=[PageReportOut.model_validate(report) for report in services.catalogue.page_reports(found.id)],
        left_out=found.quality.get("left_out", []),
        warnings=found.quality.get("warnings", []),
    )


@router.get("/diff")
def diff(
    services: ServicesDep,
    document_id: str,
    version: int,
    against: int,
    against_document: str = "",
    *,
    only_changes: Annotated[bool, Query(description="Leave out what is the same.")] = False,
) -> DiffOut:
    """How this version differs from another one of this document, or of `against_document`, sentence by sentence, in reading order."""
    new = services.files.text(_read(services, document_id, version))
    old = services.files.text(_read(services, against_document or document_id, against))
    found = compare(old, new)
    shown = (it for it in found if not (only_changes and it.how is How.SAME))
    return DiffOut(
        version=version,
        against=against,
        counts=counts_of(found),
        changes=[change for it in shown for change in _changes(it, old, new)],
    )


def counts_of(found: Iterable[Difference]) -> dict[How, int]:
    """How many sentences had which fate; one that was moved counts once."""
    counts = Counter(it.how for it in found if it.here)
    return {how: counts[how] for how in How}


def _changes(it: Difference, old: str, new: str) -> Iterator[ChangeOut]:
    """The sentence as it stood, then as it stands; one of them where it is the same, stands in one text only, or was moved."""
    if it.old and it.how is not How.SAME and not (it.how is How.MOVED and it.here):
        yield _change("delete", it.how, it.old, old, other=it.new, marks=it.old_marks)
    if it.new and not (it.how is How.MOVED and not it.here):
        op = "equal" if it.how is How.SAME else "insert"
        other = None if it.how is How.SAME else it.old
        yield _change(op, it.how, it.new, new, other=other, marks=it.new_marks)


def _change(op: str, how: How, span: Span, text: str, *, other: Span | None, marks: Sequence[Span]) -> ChangeOut:
    return ChangeOut.model_validate(
        {
            "op": op,
            "how": how,
            "text": span.of(text),
            "span": (span.start, span.end),
            "other": other and (other.start, other.end),
            "marks": [(mark.start, mark.end) for mark in marks],
        }
    )


def disposition(file_name: str) -> str:
    """`Content-Disposition` to save a file under its name: RFC 6266, with an ASCII name for old clients and RFC 5987's for the rest."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\/%' else "_" for c in file_name) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name or 'file', safe='')}"


def _version(services: Services, document_id: str, number: int) -> Version:
    return services.catalogue.version(DocumentId(document_id), number)


def _read(services: Services, document_id: str, number: int) -> Version:
    """A version that has a text already."""
    found = _version(services, document_id, number)
    if not found.pages:
        raise VersionNotFound(
            f"Version {number} has no text: it is {found.state}.", hint="Its job tells how far it is, or why it failed."
        )
    return found


def _page(services: Services, version: Version, number: int) -> Page:
    for page in services.catalogue.pages(version.id):
        if page.number == number:
            return page
    raise PageNotFound(f"{version.file_name} has {counted(version.pages, 'page')}; there is no page {number}.")


def _span(start: int | None, end: int | None, *, chars: int) -> Span | None:
    """The span asked for. Raises InvalidInput if it is none of this text."""
    if start is None and end is None:
        return None
    first, last = start or 0, chars if end is None else end
    if not first <= last <= chars:
        raise InvalidInput(
            f"{first}..{last} is no span of a text of {chars} code points.",
            errors=[
                {"pointer": "start" if first > chars else "end", "detail": f"must lie in 0..{chars}, start before end"}
            ],
        )
    return Span(first, last)


def _etag(*parts: object) -> str:
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'

"""How is the original read? A version opened at a span: as the image of its page or as set text, marked on the server.

Spans count code points, which browsers do not; so all cutting and marking is done here. A long text comes in parts, and only the part that is
asked for is set.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api.boxes import Box, marks
from api.marks import SetPage, heading_levels, parts, set_part
from api.pages.view import fragment, page
from api.render import DRAWN
from api.services import Drawing, DrawingDep, ServicesDep
from xuesi.core.domain import Document, DocumentId, OutlineEntry, Page, Span, Successor, Version, VersionState
from xuesi.core.errors import PageNotFound
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_CONTENTS = 400
_UNREAD = (VersionState.QUEUED, VersionState.READING, VersionState.FAILED, VersionState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader is shown of a version.

    `places` are the marked rectangles on the page in points; `set_pages` the part of the text where no image is shown;
    `before` and `after` are addresses of the neighbouring page or part; `current` that of a newer version, `successor` a document that supersedes this one; `numbers` what the list of pages shows.
    """

    document: Document
    version: Version
    pages: Sequence[Page]
    page: Page
    span: Span | None
    has_images: bool
    as_image: bool
    notice: str
    quote: str
    places: Sequence[Box]
    set_pages: Sequence[SetPage]
    contents: Sequence[OutlineEntry]
    part: int
    parts: int
    before: str
    after: str
    current: str
    successor: Successor | None

    @property
    def base(self) -> str:
        """The version's own address."""
        return f"/documents/{self.document.id}/versions/{self.version.number}"

    @property
    def difference(self) -> str:
        """Where this version is compared with what stands in its place."""
        if self.successor is None:
            return f"{self.current}/compare?against={self.version.number}"
        newer = f"/documents/{self.successor.document_id}/versions/{self.successor.version}"
        return f"{newer}/compare?against={self.version.number}&against_document={self.document.id}"

    @property
    def original(self) -> str:
        """Where the original bytes are."""
        return f"/api/v1{self.base}/original"

    @property
    def image(self) -> str:
        """The page as PNG, with the span marked if there is one."""
        return f"/api/v1{self.base}/pages/{self.page.number}.png" + _query(self.span)

    @property
    def numbers(self) -> list[tuple[int, str]]:
        """Pages with a short name: the label where it is as short as a number."""
        if len(self.pages) < 2:
            return []
        return [(p.number, p.label if 0 < len(p.label) <= 5 else str(p.number)) for p in self.pages]

    @property
    def other_view(self) -> str:
        """The same place in the other view."""
        return self.address(view="text" if self.as_image else "page")

    @property
    def other_excerpt(self) -> str:
        """The same place in the other view, as the part of a page."""
        path, _, query = self.other_view.partition("?")
        return f"{path}/excerpt?{query}"

    def address(self, *, page: int | None = None, view: str = "") -> str:
        """This version at another page or in another view. The view stays as it is unless one is named; the span goes along with its own page."""
        shown = view or ("text" if self.has_images and not self.as_image else "")
        return self.base + _query(self.span if page is None else None, page=page, view=shown)


def _query(span: Span | None, *, page: int | None = None, view: str = "", part: int | None = None) -> str:
    given: dict[str, str | int] = {}
    if span:
        given |= {"start": span.start, "end": span.end}
    if page is not None:
        given["page"] = page
    if part is not None:
        given["part"] = part
    if view:
        given["view"] = view
    return f"?{urlencode(given)}" if given else ""


class Asked(BaseModel):
    """Which place: a span, else a page, else a part of the text, else the beginning. `view` is "text", "page" or empty for what fits the file."""

    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)
    page: int | None = Field(None, ge=1)
    part: int | None = Field(None, ge=1)
    view: str = ""

    def span(self, text: str) -> Span | None:
        """The span as far as it lies in the text."""
        if self.start is None or self.end is None or self.start >= min(self.end, len(text)):
            return None
        return Span(self.start, min(self.end, len(text)))


Place = Annotated[Asked, Query()]


@router.get("/documents/{document_id}/versions/{number}")
async def read(
    request: Request, services: ServicesDep, drawing: DrawingDep, document_id: str, number: int, asked: Place
) -> Response:
    """The reader."""
    source = await _source(services, drawing, (DocumentId(document_id), number), asked)
    return await run_in_threadpool(page, request, "reader.html", source=source)


@router.get("/documents/{document_id}/versions/{number}/excerpt")
async def excerpt(
    request: Request, services: ServicesDep, drawing: DrawingDep, document_id: str, number: int, asked: Place
) -> Response:
    """The same place for the pane beside an answer."""
    source = await _source(services, drawing, (DocumentId(document_id), number), asked)
    return await run_in_threadpool(fragment, request, "excerpt.html", source=source)


async def _source(services: Services, drawing: Drawing, which: tuple[DocumentId, int], asked: Asked) -> Source:
    """Look the place up. Whether its pages can be drawn is asked in threads of their own, so that a slow page holds up no question.

    Raises:
        DocumentNotFound, VersionNotFound: If there is no such version.
        PageNotFound: If it has no such page or part.
    """
    version = await run_in_threadpool(services.catalogue.version, *which)
    is_drawn = version.media_type in DRAWN and not _is_unread(version)
    has_images = is_drawn and await drawing.run(
        lambda: drawing.renderer.drawable(services.files.original(version.sha256))
    )
    return await run_in_threadpool(
        _open, services, version, asked, has_images=has_images, lacks_images=is_drawn and not has_images
    )


def _is_unread(version: Version) -> bool:
    return version.state in _UNREAD or not version.pages


def _open(services: Services, version: Version, asked: Asked, *, has_images: bool, lacks_images: bool) -> Source:
    """Cut what is shown; `lacks_images` where a file has pages that cannot be drawn."""
    document_id, number = version.document_id, version.number
    row = services.catalogue.row(document_id)
    current = f"/documents/{document_id}/versions/{row.live.number}" if row.live and row.live.id != version.id else ""
    successor = services.catalogue.outdated([version.id]).get(version.id) if version.live_from else None
    unread = _is_unread(version)
    text = "" if unread else services.files.text(version)
    pages = services.catalogue.pages(version.id) or [Page(1, Span(0, len(text)), "")]
    span = asked.span(text)
    shown = _page_asked(pages, asked, span)
    outline = () if unread else services.files.outline(version)
    as_image = has_images and asked.view != "text"
    cut = (
        _image_part(services, version, shown, span)
        if as_image
        else _text_part(text, pages, asked, span, shown, outline)
    )
    base = f"/documents/{document_id}/versions/{number}"
    neighbours = _turn_page(base, pages, shown) if as_image else _turn_part(base, cut, has_images=has_images)
    notice = ""
    if unread:
        notice = "reader.not_read_failed" if version.state == VersionState.FAILED else "reader.not_read"
    elif lacks_images:
        notice = "reader.no_image"
    return Source(
        document=row.document,
        version=version,
        pages=pages,
        page=shown,
        span=span,
        has_images=has_images,
        as_image=as_image,
        notice=notice,
        quote=span.of(text).strip() if span else "",
        places=cut.places,
        set_pages=cut.set_pages,
        contents=[e for e in outline if e.title.strip()][:_CONTENTS],
        part=cut.part,
        parts=cut.parts,
        before=neighbours[0],
        after=neighbours[1],
        current="" if successor and successor.document_id != document_id else current,
        successor=successor if successor and successor.document_id != document_id else None,
    )


def _page_asked(pages: Sequence[Page], asked: Asked, span: Span | None) -> Page:
    if asked.page is not None:
        if asked.page > len(pages):
            raise PageNotFound(f"There is no page {asked.page}; the last one is {len(pages)}.")
        return pages[asked.page - 1]
    at = span.start if span else 0
    return pages[max(0, bisect_right([p.span.start for p in pages], at) - 1)]


@dataclass(frozen=True, slots=True)
class _Cut:
    part: int = 1
    parts: int = 1
    set_pages: Sequence[SetPage] = ()
    places: Sequence[Box] = ()


def _image_part(services: Services, version: Version, shown: Page, span: Span | None) -> _Cut:
    if span is None or not shown.width or not shown.height:
        return _Cut()
    return _Cut(places=marks(services.files.boxes(version), page=shown, span=span))


def _text_part(
    text: str, pages: Sequence[Page], asked: Asked, span: Span | None, shown: Page, outline: Sequence[OutlineEntry]
) -> _Cut:
    cuts = parts(text, pages)
    if asked.part is not None:
        if asked.part > len(cuts):
            raise PageNotFound(f"There is no part {asked.part}; the last one is {len(cuts)}.")
        index = asked.part - 1
    else:
        at = shown.span.start if asked.page is not None or span is None else span.start
        index = max(0, bisect_right([c.start for c in cuts], at) - 1)
    part = cuts[index]
    if span and part.start <= span.start < part.end < span.end:
        part = Span(part.start, span.end)  # a quote is never cut in two
    set_pages = set_part(text, pages, part=part, mark=span, headings=heading_levels(outline))
    return _Cut(part=index + 1, parts=len(cuts), set_pages=set_pages)


def _turn_page(base: str, pages: Sequence[Page], shown: Page) -> tuple[str, str]:
    before = base + _query(None, page=shown.number - 1) if shown.number > 1 else ""
    after = base + _query(None, page=shown.number + 1) if shown.number < len(pages) else ""
    return before, after


def _turn_part(base: str, cut: _Cut, *, has_images: bool) -> tuple[str, str]:
    view = "text" if has_images else ""
    before = base + _query(None, part=cut.part - 1, view=view) if cut.part > 1 else ""
    after = base + _query(None, part=cut.part + 1, view=view) if cut.part < cut.parts else ""
    return before, after

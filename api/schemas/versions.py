"""In which shape do the versions of a document travel, with their pages and how they differ?"""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from api.schemas.search import SuccessorOut
from xuesi.core.difference import How
from xuesi.core.domain import OutlineEntry, Page, PageHow, Version, VersionState


class VersionOut(BaseModel):
    """One state of a document's file."""

    version: int
    document_id: str
    state: VersionState
    sha256: str
    file_name: str
    media_type: str
    bytes: int
    pages: int
    chars: int
    passages: int
    quality: dict[str, Any]
    added_at: datetime
    added_by: str
    live_from: datetime | None
    retired_at: datetime | None

    @classmethod
    def of(cls, version: Version) -> Self:
        """The version without its inner id."""
        return cls(
            version=version.number,
            document_id=version.document_id,
            state=version.state,
            sha256=version.sha256,
            file_name=version.file_name,
            media_type=version.media_type,
            bytes=version.bytes,
            pages=version.pages,
            chars=version.chars,
            passages=version.passages,
            quality=dict(version.quality),
            added_at=version.added_at,
            added_by=version.added_by,
            live_from=version.live_from,
            retired_at=version.retired_at,
        )


class PageReportOut(BaseModel):
    """How a page was read: `text`, `ocr`, `blank` or `left_out`. `unreadable` and `images` are shares in [0, 1]; `note` says what is doubtful."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    how: PageHow
    chars: int
    unreadable: float
    images: float
    language: str
    note: str


class QualityOut(BaseModel):
    """How a version was read, page by page, what was left out of its text, and what is doubtful as a whole."""

    pages: list[PageReportOut]
    left_out: list[dict[str, Any]]
    warnings: list[str]


class VersionList(BaseModel):
    """A part of a document's versions, newest first."""

    items: list[VersionOut]
    next: str | None


class PageOut(BaseModel):
    """A page, slide or section: [start, end) of the text; width and height in points where the format has them."""

    number: int
    label: str
    start: int
    end: int
    width: float | None
    height: float | None

    @classmethod
    def of(cls, page: Page) -> Self:
        """The page."""
        return cls(
            number=page.number,
            label=page.label,
            start=page.span.start,
            end=page.span.end,
            width=page.width,
            height=page.height,
        )


class OutlineOut(BaseModel):
    """Where a reader may jump to."""

    title: str
    page: int
    level: int

    @classmethod
    def of(cls, entry: OutlineEntry) -> Self:
        """The bookmark or heading."""
        return cls(title=entry.title, page=entry.page, level=entry.level)


class PagesOut(BaseModel):
    """What a reader needs before it shows a version. `drawable`: pages can be had as images that show every letter; else use the text."""

    chars: int
    drawable: bool
    pages: list[PageOut]
    outline: list[OutlineOut]


class StandingOut(BaseModel):
    """Whether a version is what answers today; if not, `superseded_by` is what stands in its place, if anything does."""

    current: bool
    superseded_by: SuccessorOut | None


class ChangeOut(BaseModel):
    """A sentence that both versions have, or only one: `delete` stands in the version compared with, the others in this one; `span` likewise.

    `how` says more of it: `same`, `changed`, `moved`, `removed` or `added`. `other` is the span of the sentence that it became or was, in the other
    version, where it was changed or moved; `marks` are the changed words of a changed one, as spans of its version's text.
    """

    op: Literal["equal", "insert", "delete"]
    text: str
    span: tuple[int, int]
    how: How
    other: tuple[int, int] | None = None
    marks: list[tuple[int, int]] = []


class DiffOut(BaseModel):
    """How version `version` differs from `against`, sentence by sentence. `counts` says how many sentences are the same, changed, moved, removed and added."""

    version: int
    against: int
    counts: dict[How, int]
    changes: list[ChangeOut]

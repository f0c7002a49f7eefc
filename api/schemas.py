"""In which shape do requests and answers travel? The wire types of the HTTP contract, and how they are made of domain objects."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal, NotRequired, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypedDict

from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Citation,
    Document,
    Filters,
    Hit,
    Job,
    JobState,
    Kind,
    OutlineEntry,
    Page,
    Passage,
    Span,
    Statement,
    Turn,
    Version,
    VersionState,
)
from xuesi.core.ports import DocumentRow

T = TypeVar("T")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


OneOrMany = Annotated[list[T], BeforeValidator(_as_list)]


class _In(BaseModel):
    """What is asked: unknown members are refused, so that a misspelt filter never answers more than was meant."""

    model_config = ConfigDict(extra="forbid")


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    hint: NotRequired[str]
    errors: NotRequired[list[dict[str, str]]]
    retry_after_s: NotRequired[float]
    document_id: NotRequired[str]


# Library -------------------------------------------------------------------------------------------------------------


class MetadataIn(_In):
    """What is known of a document that is added. `password` opens an encrypted file and is never stored."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    kind: Kind | None = None
    issuer: str | None = Field(default=None, max_length=500)
    published_on: date | None = None
    effective_on: date | None = None
    topics: OneOrMany[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(default=None, max_length=50)
    language: str | None = Field(default=None, max_length=35)
    visibility: str | None = Field(default=None, min_length=1, max_length=64)
    password: str | None = Field(default=None, max_length=1000)


class DocumentChanges(_In):
    """What is to change about a document; what is not named stays. A date or `superseded_by` is taken away with null."""

    title: str = Field(default="", min_length=1, max_length=500)
    kind: Kind = Kind.OTHER
    issuer: str = Field(default="", max_length=500)
    published_on: date | None = None
    effective_on: date | None = None
    topics: OneOrMany[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default=[], max_length=50)
    language: str = Field(default="", max_length=35)
    visibility: str = Field(default="", min_length=1, max_length=64)
    superseded_by: str | None = None


class FromUrlIn(_In):
    """A document by its address."""

    url: str = Field(max_length=4000)
    metadata: MetadataIn = MetadataIn()


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    detail: str


class JobOut(BaseModel):
    """A job as it stands. `version` is the version's number."""

    id: str
    kind: str
    document_id: str
    version: int
    file_name: str
    state: JobState
    stage: str
    done: int
    total: int
    error: JobError | None
    attempts: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, job: Job, version: Version) -> Self:
        """The job of this version."""
        return cls(
            id=job.id,
            kind=job.kind,
            document_id=job.document_id,
            version=version.number,
            file_name=version.file_name,
            state=job.state,
            stage=job.stage,
            done=job.done,
            total=job.total,
            error=JobError(code=job.error_code, detail=job.error_detail) if job.error_code else None,
            attempts=job.attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobList(BaseModel):
    """A part of the jobs, newest first."""

    items: list[JobOut]
    next: str | None


class DocumentOut(BaseModel):
    """A document with the state of its newest version; `version` is the live one's number, or null."""

    id: str
    title: str
    kind: Kind
    issuer: str
    published_on: date | None
    effective_on: date | None
    language: str
    topics: list[str]
    visibility: str
    superseded_by: str | None
    created_at: datetime
    state: VersionState
    version: int | None
    newest_version: int
    file_name: str
    media_type: str
    bytes: int
    pages: int
    chars: int
    passages: int
    job: JobOut | None

    @classmethod
    def of(cls, row: DocumentRow) -> Self:
        """The line of the library; sizes are those of the live version, or of the newest while none is live."""
        shown = row.live or row.newest
        return cls(
            **_document_facts(row.document),
            state=row.newest.state,
            version=row.live.number if row.live else None,
            newest_version=row.newest.number,
            file_name=shown.file_name,
            media_type=shown.media_type,
            bytes=shown.bytes,
            pages=shown.pages,
            chars=shown.chars,
            passages=shown.passages,
            job=JobOut.of(row.job, row.newest) if row.job else None,
        )


def _document_facts(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "kind": document.kind,
        "issuer": document.issuer,
        "published_on": document.published_on,
        "effective_on": document.effective_on,
        "language": document.language,
        "topics": list(document.topics),
        "visibility": document.visibility,
        "superseded_by": document.superseded_by,
        "created_at": document.created_at,
    }


class DocumentList(BaseModel):
    """A part of the library, newest first."""

    items: list[DocumentOut]
    next: str | None


class Taken(BaseModel):
    """A file that was taken, and the job that reads it."""

    document: DocumentOut
    version: int
    job: JobOut


class There(BaseModel):
    """A file that is in the library already, and where."""

    document: DocumentOut
    duplicate: Literal[True] = True


class Refused(BaseModel):
    """A file that was not taken, and why."""

    problem: Problem


class Outcomes(BaseModel):
    """One outcome a file, in the order of the files."""

    documents: list[Taken | There | Refused]


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


class VersionList(BaseModel):
    """A document's versions, newest first; there is never a next part."""

    items: list[VersionOut]
    next: None = None


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


class ChangeOut(BaseModel):
    """A sentence that both versions have, or only one: `delete` stands in the version compared with, the others in this one; `span` likewise."""

    op: Literal["equal", "insert", "delete"]
    text: str
    span: tuple[int, int]


class DiffOut(BaseModel):
    """How version `version` differs from `against`, sentence by sentence."""

    version: int
    against: int
    changes: list[ChangeOut]


# Search and answers --------------------------------------------------------------------------------------------------


class FiltersIn(_In):
    """Which documents are asked. A list means any of it; dates are inclusive; `as_of` asks for the wording in force on that day."""

    kind: OneOrMany[Kind] = []
    topic: OneOrMany[str] = []
    issuer: OneOrMany[str] = []
    document_id: OneOrMany[str] = []
    published_from: date | None = None
    published_to: date | None = None
    as_of: date | None = None

    def filters(self) -> Filters:
        """As the searcher takes them."""
        return Filters(
            kind=tuple(self.kind),
            topic=tuple(self.topic),
            issuer=tuple(self.issuer),
            document_id=tuple(self.document_id),
            published_from=self.published_from,
            published_to=self.published_to,
            as_of=self.as_of,
        )


class SearchIn(_In):
    """A query."""

    query: str
    limit: int = Field(default=10, ge=1, le=100)
    filters: FiltersIn | None = None


class PassageOut(BaseModel):
    """A passage with where it stands; `url` opens the reader there."""

    id: str
    text: str
    document_id: str
    version: int
    title: str
    kind: Kind
    published_on: date | None
    pages: tuple[int, int]
    span: tuple[int, int]
    heading_path: list[str]
    url: str

    @classmethod
    def of(cls, passage: Passage, *, document: Document, version: int) -> Self:
        """The passage of this document and version number."""
        return cls(
            id=passage.id,
            text=passage.text,
            document_id=document.id,
            version=version,
            title=document.title,
            kind=document.kind,
            published_on=document.published_on,
            pages=(passage.page_from, passage.page_to),
            span=(passage.span.start, passage.span.end),
            heading_path=list(passage.heading_path),
            url=reader_url(document.id, version, passage.span),
        )


def reader_url(document_id: str, version: int, span: Span) -> str:
    """The page that shows a version opened at a span, relative to the server's root."""
    return f"/documents/{document_id}/versions/{version}?start={span.start}&end={span.end}"


class TermOut(BaseModel):
    """What one token of the query gave to the coverage."""

    term: str
    score: float
    idf: float


class ExplainOut(BaseModel):
    """Why a hit scored as it did."""

    dense: float
    coverage: float
    terms: list[TermOut]


class HitOut(BaseModel):
    """A passage that fits."""

    rank: int
    score: float
    passage: PassageOut
    explain: ExplainOut

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """The hit."""
        return cls(
            rank=hit.rank,
            score=hit.score,
            passage=PassageOut.of(hit.passage, document=hit.document, version=hit.version),
            explain=ExplainOut(
                dense=hit.explain.dense,
                coverage=hit.explain.coverage,
                terms=[TermOut(term=t.term, score=t.score, idf=t.idf) for t in hit.explain.terms],
            ),
        )


def hits(found: Iterable[Hit]) -> list[HitOut]:
    """The hits, in their order."""
    return [HitOut.of(hit) for hit in found]


class SearchOut(BaseModel):
    """Hits, best first."""

    hits: list[HitOut]
    took_ms: float


class TurnIn(_In):
    """One utterance of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=20_000)


class AskIn(_In):
    """A question."""

    question: str
    mode: Literal["auto", "extractive", "generative"] = "auto"
    filters: FiltersIn | None = None
    conversation: list[TurnIn] = Field(default=[], max_length=100)
    stream: bool = False

    def turns(self) -> list[Turn]:
        """The conversation as the answerer takes it."""
        return [Turn(turn.role, turn.content) for turn in self.conversation]


class StatementOut(BaseModel):
    """One sentence of the answer with the numbers of its citations."""

    text: str
    citations: list[int]


class StatementEvent(StatementOut):
    """A statement as it is streamed: `index` counts from 0."""

    index: int

    @classmethod
    def of(cls, statement: Statement, index: int) -> Self:
        """The statement at this place."""
        return cls(index=index, text=statement.text, citations=list(statement.citations))


class CitationOut(BaseModel):
    """Where a statement stands: `quote` equals the version's text at `span`; `page` is where the span starts."""

    number: int
    document_id: str
    version: int
    title: str
    published_on: date | None
    page: int
    span: tuple[int, int]
    quote: str
    url: str

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """The citation with the address of its place."""
        return cls(
            number=citation.number,
            document_id=citation.document_id,
            version=citation.version,
            title=citation.title,
            published_on=citation.published_on,
            page=citation.page,
            span=(citation.span.start, citation.span.end),
            quote=citation.quote,
            url=reader_url(citation.document_id, citation.version, citation.span),
        )


class AnswerOut(BaseModel):
    """What the material says to a question; without enough evidence no statement, but the nearest hits."""

    status: Literal["answered", "not_in_material"]
    statements: list[StatementOut]
    citations: list[CitationOut]
    nearest: list[HitOut]
    confidence: float
    mode: str
    took_ms: float

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The whole answer."""
        return cls.model_validate(
            {
                "status": answer.status,
                "statements": [{"text": s.text, "citations": list(s.citations)} for s in answer.statements],
                "citations": [CitationOut.of(c) for c in answer.citations],
                "nearest": hits(answer.nearest),
                "confidence": answer.confidence,
                "mode": answer.mode,
                "took_ms": answer.took_ms,
            }
        )


# Administration ------------------------------------------------------------------------------------------------------


class FindingOut(BaseModel):
    """One thing that is wrong with the installation, and how to mend it."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    severity: str
    detail: str
    hint: str
    repairable: bool


class Report(BaseModel):
    """All that is wrong, errors first; empty: nothing is."""

    findings: list[FindingOut]


class RebuiltOut(BaseModel):
    """What a rebuild of the indexes came to."""

    model_config = ConfigDict(from_attributes=True)

    passages: int
    took_s: float


def filters_of(given: FiltersIn | None) -> Filters:
    """The filters, none if none are given."""
    return given.filters() if given else NO_FILTERS

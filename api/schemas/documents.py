"""In which shape do documents travel: what is said of them, the library's lines, and what became of a file that was given?"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from api.schemas.jobs import JobOut
from api.schemas.search import SuccessorOut
from api.schemas.shapes import OneOrMany, Problem, Strict, Text
from xuesi.core.domain import Document, Kind, VersionState
from xuesi.core.ports import DocumentRow


class MetadataIn(Strict):
    """What is known of a document that is added. `password` opens an encrypted file and is never stored."""

    title: Text | None = Field(default=None, min_length=1, max_length=500)
    kind: Kind | None = None
    issuer: Text | None = Field(default=None, max_length=500)
    published_on: date | None = None
    effective_on: date | None = None
    topics: OneOrMany[Annotated[Text, Field(min_length=1, max_length=100)]] | None = Field(default=None, max_length=50)
    language: Text | None = Field(default=None, max_length=35)
    visibility: Text | None = Field(default=None, min_length=1, max_length=64)
    document_number: Text | None = Field(default=None, max_length=200)
    password: Text | None = Field(default=None, max_length=1000)


class DocumentChanges(Strict):
    """What is to change about a document; what is not named stays. A date or `superseded_by` is taken away with null."""

    title: Text = Field(default="", min_length=1, max_length=500)
    kind: Kind = Kind.OTHER
    issuer: Text = Field(default="", max_length=500)
    published_on: date | None = None
    effective_on: date | None = None
    topics: OneOrMany[Annotated[Text, Field(min_length=1, max_length=100)]] = Field(default=[], max_length=50)
    language: Text = Field(default="", max_length=35)
    visibility: Text = Field(default="", min_length=1, max_length=64)
    document_number: Text = Field(default="", max_length=200)
    superseded_by: Text | None = None


class KnownIn(Strict):
    """SHA-256 of files, in hexadecimal."""

    sha256: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(max_length=1000)


class KnownOut(BaseModel):
    """Those that are in the library, and the document that each belongs to."""

    known: dict[str, str]


class FromUrlIn(Strict):
    """A document by its address."""

    url: Text = Field(max_length=4000)
    metadata: MetadataIn = MetadataIn()


class DocumentOut(BaseModel):
    """A document with the state of its newest version; `version` is the live one's number, or null.

    `superseded_by` is the next document in its chain, as it was set; `successor` what stands in its place now: the last live one, or null.
    """

    id: str
    title: str
    kind: Kind
    issuer: str
    published_on: date | None
    effective_on: date | None
    language: str
    topics: list[str]
    visibility: str
    document_number: str
    superseded_by: str | None
    successor: SuccessorOut | None
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
            successor=SuccessorOut.of(row.successor),
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
        "document_number": document.document_number,
        "superseded_by": document.superseded_by,
        "created_at": document.created_at,
    }


class DocumentList(BaseModel):
    """A part of the library, newest first."""

    items: list[DocumentOut]
    next: str | None


class TrashOut(BaseModel):
    """A removed document, which can be restored until `purge_after`."""

    id: str
    title: str
    kind: Kind
    issuer: str
    published_on: date | None
    deleted_at: datetime
    purge_after: datetime

    @classmethod
    def of(cls, document: Document) -> Self:
        """The document."""
        return cls.model_validate({name: getattr(document, name) for name in cls.model_fields})


class TrashList(BaseModel):
    """A part of what can be restored."""

    items: list[TrashOut]
    next: str | None


class Taken(BaseModel):
    """A file that was taken, and the job that reads it. `file_name` shows where it was found, as `材料.zip/通知/a.docx`."""

    file_name: str
    document: DocumentOut
    version: int
    job: JobOut


class There(BaseModel):
    """A file that is in the library already, and where."""

    file_name: str
    document: DocumentOut
    duplicate: Literal[True] = True


class Refused(BaseModel):
    """A file that was not taken, and why."""

    file_name: str
    problem: Problem


class Outcomes(BaseModel):
    """One outcome a file, in the order of the files. In a ZIP's place stand those of the files inside; what is attached to a mail follows it."""

    documents: list[Taken | There | Refused]

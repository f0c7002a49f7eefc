"""In which shape do queries and hits travel?"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.shapes import OneOrMany, Strict, Text
from xuesi.core.domain import (
    NO_FILTERS,
    Document,
    Filters,
    Hit,
    Kind,
    Passage,
    Period,
    Phrase,
    PhraseSource,
    RerankState,
    Span,
    Successor,
    Understood,
)

_MOST = 1000  # values of one filter; each is a variable of a statement, of which a database takes some thousands
_MOST_NAMED = 100  # periods and documents of one question

Without = Annotated[
    list[Text],
    Field(
        max_length=_MOST_NAMED,
        description="What was understood and is not meant: each as `text` in `understood` has it. Nothing is preferred for it then.",
        examples=[["2023年"]],
    ),
]


class FiltersIn(Strict):
    """Which documents are asked. A list means any of it; dates are inclusive; `as_of` asks for the wording in force on that day."""

    kind: OneOrMany[Kind] = Field(default=[], max_length=_MOST)
    topic: OneOrMany[Text] = Field(default=[], max_length=_MOST)
    issuer: OneOrMany[Text] = Field(default=[], max_length=_MOST)
    document_id: OneOrMany[Text] = Field(default=[], max_length=_MOST)
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


def filters_of(given: FiltersIn | None) -> Filters:
    """The filters, none if none are given."""
    return given.filters() if given else NO_FILTERS


class SearchIn(Strict):
    """A query."""

    query: Text
    limit: int = Field(default=10, ge=1, le=100)
    filters: FiltersIn | None = None
    without: Without = Field(default=[])


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
    """Why a hit scored as it did.

    `phrases` is what it was given for the query's phrases that it has whole, `preferred` what it has for being of a period or document that
    the query names. `rerank` is the score of the reranker, null where it gave none; `rerank_state` says why.
    """

    dense: float
    coverage: float
    late: float
    phrases: float
    preferred: float
    terms: list[TermOut]
    rerank: float | None
    rerank_state: RerankState


class SuccessorOut(BaseModel):
    """What stands in the place of a wording that is no longer current; `url` opens it."""

    document_id: str
    title: str
    url: str

    @classmethod
    def of(cls, successor: Successor | None) -> Self | None:
        """The successor, if there is one."""
        if successor is None:
            return None
        url = f"/documents/{successor.document_id}/versions/{successor.version}"
        return cls(document_id=successor.document_id, title=successor.title, url=url)


class HitOut(BaseModel):
    """A passage that fits. `current` is false where another wording stands in its place by now: `superseded_by`, if it is live."""

    rank: int
    score: float
    passage: PassageOut
    explain: ExplainOut
    current: bool
    superseded_by: SuccessorOut | None

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
                late=hit.explain.late,
                phrases=hit.explain.phrases,
                preferred=hit.explain.preferred,
                terms=[TermOut(term=t.term, score=t.score, idf=t.idf) for t in hit.explain.terms],
                rerank=hit.explain.rerank,
                rerank_state=hit.explain.rerank_state,
            ),
            current=hit.current,
            superseded_by=SuccessorOut.of(hit.superseded_by),
        )


def hits(found: Iterable[Hit]) -> list[HitOut]:
    """The hits, in their order."""
    return [HitOut.of(hit) for hit in found]


class PhraseOut(BaseModel):
    """A wording of the query that is looked for whole; `found` is false where no passage has it.

    `source` is `quoted`, `title` (in book-title marks) or `dictionary`.
    """

    model_config = ConfigDict(from_attributes=True)

    text: str
    source: PhraseSource
    found: bool


def phrases(found: Iterable[Phrase]) -> list[PhraseOut]:
    """The phrases, in their order."""
    return [PhraseOut.model_validate(phrase) for phrase in found]


class PeriodOut(BaseModel):
    """Days that the question names with the words in `text`, both ends inclusive, null where it is open: documents published on them are preferred."""

    model_config = ConfigDict(populate_by_name=True)

    text: str
    first: date | None = Field(alias="from")
    last: date | None = Field(alias="to")

    @classmethod
    def of(cls, period: Period) -> Self:
        """The period."""
        return cls(text=period.text, first=period.first, last=period.last)


class NamedDocumentOut(BaseModel):
    """A document that the question names with the words in `text`: its passages are preferred, by much where it is named exactly."""

    text: str
    id: str
    title: str


class MeantOut(BaseModel):
    """What the query names. Hits that fit are preferred, the others stay; what is not meant goes into `without` of the next request."""

    periods: list[PeriodOut]
    documents: list[NamedDocumentOut]

    @classmethod
    def of(cls, understood: Understood) -> Self:
        """What was understood."""
        return cls(
            periods=[PeriodOut.of(period) for period in understood.periods],
            documents=[NamedDocumentOut(text=it.text, id=it.id, title=it.title) for it in understood.documents],
        )


class SearchOut(BaseModel):
    """Hits, best first, and what the query was taken to mean.

    If any passage has what the query quotes, all of them do; if none has it, `phrases` says so.
    """

    hits: list[HitOut]
    phrases: list[PhraseOut]
    understood: MeantOut
    took_ms: float

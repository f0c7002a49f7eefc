"""What are the things Xuesi speaks of? Frozen facts without I/O; the words are those of the glossary in docs/ARCHITECTURE.md.

Spans are 0-based, half-open, in code points of a version's canonical text. Pages, ranks and version numbers count from 1.
Scores are higher-is-better. Times are aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType

DocumentId = NewType("DocumentId", str)
VersionId = NewType("VersionId", str)
PassageId = NewType("PassageId", str)
JobId = NewType("JobId", str)


class Kind(StrEnum):
    """What sort of work a document is."""

    STUDY_TEXT = "study_text"
    LECTURE = "lecture"
    RESEARCH_REPORT = "research_report"
    NEWS = "news"
    REGULATION = "regulation"
    OTHER = "other"


class VersionState(StrEnum):
    """How far a version has come: queued → reading → embedding → publishing → live, or one of the three ends."""

    QUEUED = "queued"
    READING = "reading"
    EMBEDDING = "embedding"
    PUBLISHING = "publishing"
    LIVE = "live"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETIRED = "retired"


class JobState(StrEnum):
    """Where a job stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobKind(StrEnum):
    """What a job does.

    Read and embed a new version; embed a version's passages anew (title or model changed, vectors damaged); or read its file anew and put back what
    was made of it, which must come out the same (text or boxes damaged).
    """

    INGEST = "ingest"
    EMBED = "embed"
    READ_AGAIN = "read_again"


class PageHow(StrEnum):
    """How the text of a page came to be: from the file, from a picture of the page, not at all because nothing is on it, or not taken."""

    TEXT = "text"
    OCR = "ocr"
    BLANK = "blank"
    LEFT_OUT = "left_out"


class BlockKind(StrEnum):
    """What a piece of a document is, as its structure says."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """[start, end) in code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what is no span."""
        if not 0 <= self.start <= self.end:
            raise ValueError(f"{self.start}..{self.end} is not a span")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The piece of `text` that this span names."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether both have a code point in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Page:
    """A page, slide or section of a version: a span of its text. Width and height in points (1/72 inch) where the format has them."""

    number: int
    span: Span
    label: str
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True, slots=True)
class PageReport:
    """How good a page is. `chars` are the visible characters taken from it.

    `unreadable` is the share of the characters in the file's own text that mean nothing, `images` the share of the page that pictures cover, both
    in [0, 1]. `language` is zh, ja, ko, en or empty; `note` says in a sentence what was left out or is doubtful, and why.
    """

    number: int
    how: PageHow
    chars: int
    unreadable: float
    images: float
    language: str
    note: str


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of the text: a heading, paragraph, list item, table row or speaker note.

    Blocks are in text order, do not overlap, and do not contain the line ends between them.
    `level` is 1-9 for headings (1 the highest) and the depth for list items, else 0.
    `table` numbers the table that a row belongs to (from 1), else 0. The first row of a table is its header, and so are those after it with `header`.
    """

    kind: BlockKind
    span: Span
    level: int = 0
    table: int = 0
    header: bool = False


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark of the file, or a heading: where a reader may jump to."""

    title: str
    page: int
    level: int


@dataclass(frozen=True, slots=True)
class Document:
    """A work with a stable id.

    `document_number` is the issuer's own, such as 〔2023〕15号. A deleted document can be restored until `purge_after`.
    """

    id: DocumentId
    title: str
    kind: Kind
    created_at: datetime
    issuer: str = ""
    published_on: date | None = None
    effective_on: date | None = None
    language: str = ""
    topics: tuple[str, ...] = ()
    visibility: str = "everyone"
    superseded_by: DocumentId | None = None
    deleted_at: datetime | None = None
    document_number: str = ""
    purge_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a document's file. `bytes` is the size of the original, `chars` the length of its canonical text."""

    id: VersionId
    document_id: DocumentId
    number: int
    sha256: str
    file_name: str
    media_type: str
    bytes: int
    state: VersionState
    added_at: datetime
    pages: int = 0
    chars: int = 0
    passages: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict)
    added_by: str = ""
    live_from: datetime | None = None
    retired_at: datetime | None = None


class SuggestionSource(StrEnum):
    """Where something about a document was found."""

    PROPERTIES = "properties"
    TITLE = "title"
    FIRST_PAGE = "first_page"
    LAST_LINES = "last_lines"
    TOPIC_LIST = "topic_list"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be said of a document: a field of `Document`, its value as text (dates YYYY-MM-DD), and where that stands, in the words there."""

    field: str
    value: str
    source: SuggestionSource
    quote: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A line of the administrator's topic list: its name, and what belongs to it in a few words, which may be empty."""

    name: str
    description: str = ""


class PhraseSource(StrEnum):
    """Why words of a query belong together: quotation marks, book-title marks, or the administrator's dictionary."""

    QUOTED = "quoted"
    TITLE = "title"
    DICTIONARY = "dictionary"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A wording of a query that is to be found whole; `found` if a passage has it that may be shown."""

    text: str
    source: PhraseSource
    found: bool = False


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file of a watched folder as it was last taken or tried: its size, time of change, and the document that it belongs to, if any.

    `problem` says why it was not taken, or that its bytes were there already; `missing_since` when it was first not found.
    """

    path: str
    sha256: str
    bytes: int
    modified_ns: int
    seen_at: datetime
    document_id: DocumentId | None = None
    problem: str = ""
    missing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is indexed and cited: a span of a version's text. `text` equals the version's text at `span`, exactly."""

    id: PassageId
    version_id: VersionId
    ordinal: int
    span: Span
    text: str
    page_from: int
    page_to: int
    heading_path: tuple[str, ...] = ()
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that survives crashes. `done` of `total` counts what the stage counts (pages, passages).

    `started_at` is when the present attempt was claimed, `stage_started_at` when its stage began; `deaths` counts the workers and reading
    processes that died over it.
    """

    id: JobId
    kind: JobKind
    document_id: DocumentId
    version_id: VersionId
    state: JobState
    created_at: datetime
    updated_at: datetime
    stage: str = ""
    done: int = 0
    total: int = 0
    error_code: str = ""
    error_detail: str = ""
    attempts: int = 0
    lease_until: datetime | None = None
    started_at: datetime | None = None
    stage_started_at: datetime | None = None
    deaths: int = 0

    def elapsed_s(self, now: datetime) -> float | None:
        """Seconds that the present attempt took, or has taken so far; None before the first one."""
        if self.started_at is None:
            return None
        until = now if self.state is JobState.RUNNING else self.updated_at
        return max(0.0, (until - self.started_at).total_seconds())

    def left_s(self, now: datetime) -> float | None:
        """Seconds until the present stage ends, if it goes on as it went so far; None where nothing tells."""
        if self.state is not JobState.RUNNING or self.stage_started_at is None or not 0 < self.done <= self.total:
            return None
        return max(0.0, (now - self.stage_started_at).total_seconds()) * (self.total - self.done) / self.done


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a question is asked of. An empty tuple or None means: no restriction. Dates are inclusive."""

    kind: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()
    document_id: tuple[str, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    as_of: date | None = None

    def __bool__(self) -> bool:
        return self != NO_FILTERS


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a question names, both ends inclusive, None where it is open; `text` is how it names them."""

    text: str
    first: date | None
    last: date | None

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document that a question names; `text` is how. `exactly` by its number or as a title is quoted, else by words that are also its title."""

    text: str
    id: DocumentId
    title: str
    exactly: bool


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question was taken to mean: hits of these periods and documents are preferred, and no other hit is lost.

    `question` is the whole question where the words that were asked go on from a conversation, else None.
    """

    question: str | None = None
    periods: tuple[Period, ...] = ()
    documents: tuple[NamedDocument, ...] = ()

    def __bool__(self) -> bool:
        return self != AS_ASKED


AS_ASKED = Understood()


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one token of the query gave to a passage's coverage. `score` is its BM25 part, `idf` its weight, both >= 0."""

    term: str
    score: float
    idf: float


class RerankState(StrEnum):
    """Whether the reranker scored a hit: none is set, it did, its time was up, or it takes fewer candidates."""

    OFF = "off"
    SCORED = "scored"
    OUT_OF_TIME = "out_of_time"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit scored as it did: score = dense + lexical_weight * coverage + late_weight * late + phrases + preferred.

    `dense` and `late` are cosines in [-1, 1], `coverage` is in about [0, 2.2]; `late` is 0 where nothing is known of single tokens. `phrases`, >= 0,
    is given for the query's phrases that the passage has whole, `preferred`, >= 0, for being of a period or document that it names. `rerank`
    is the reranker's score on a scale of its own, which is no part of the hit's score: hits that have one come first, in its order.
    """

    dense: float
    coverage: float
    late: float = 0.0
    terms: tuple[TermScore, ...] = ()
    phrases: float = 0.0
    preferred: float = 0.0
    rerank: float | None = None
    rerank_state: RerankState = RerankState.OFF

    @property
    def favour(self) -> float:
        """The part of the score that says what is meant, and not whether it answers."""
        return self.phrases + self.preferred


@dataclass(frozen=True, slots=True)
class Successor:
    """What stands in the place of a wording that is no longer current: the live version of its document, or of one that supersedes it."""

    document_id: DocumentId
    title: str
    version: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that fits a query. `current` unless it was asked for by `as_of` or by its document; `superseded_by` is then what stands in its place."""

    rank: int
    score: float
    passage: Passage
    document: Document
    version: int
    explain: Explanation
    current: bool = True
    superseded_by: Successor | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement stands: `quote` equals the version's text at `span`, verified before anyone sees it. `current` as in `Hit`."""

    number: int
    document_id: DocumentId
    version: int
    title: str
    published_on: date | None
    page: int
    span: Span
    quote: str
    current: bool = True
    superseded_by: Successor | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer with the numbers of the citations that support it."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A sentence of a chat model that the material does not support, and why: a value of `answer.support.Fault`."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the material says to a question, as it was `understood`. `confidence` in [0, 1]; without enough evidence `statements` is empty.

    `phrases` are the question's. `withheld` is what a chat model wrote besides. `fallback` says why the material's own words came in the place of
    a model's, `cut_short` why a model did not write to the end; both are empty where neither is so.
    """

    status: str
    mode: str
    confidence: float
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    nearest: tuple[Hit, ...]
    took_ms: float
    phrases: tuple[Phrase, ...] = ()
    understood: Understood = AS_ASKED
    withheld: tuple[Withheld, ...] = ()
    fallback: str = ""
    cut_short: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a conversation. `role` is "user" or "assistant"."""

    role: str
    content: str

"""Where do the stages meet? The Protocols that ingest, index, answer, api and eval know of each other.

Concrete adapters are named in xuesi/wiring.py alone. Every port has a suite in tests/contract that an adapter must pass.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Block,
    Citation,
    Document,
    DocumentId,
    Filters,
    Hit,
    Job,
    JobId,
    JobState,
    OutlineEntry,
    Page,
    Passage,
    PassageId,
    Span,
    Statement,
    TermScore,
    Turn,
    Version,
    VersionId,
    VersionState,
)

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Ints = NDArray[np.int32]


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    r"""What a reader made of a file.

    `text` has `\n` line ends only and no byte order mark. `pages` cover it in order, from the first code point to the last; `blocks` lie in
    it. `boxes` is (len(text), 4) float32: left, top, right, bottom in points from the page's top left corner as the page is shown
    (its rotation applied), NaN where a code point has no box; None where the format has no layout. `properties` are the file's own words about
    itself (title, author, created, subject). `warnings` say, in a sentence each, what was left out or is doubtful.
    """

    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    boxes: Floats | None = None
    outline: tuple[OutlineEntry, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Reader(Protocol):
    """One file format."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """Read the file.

        Raises:
            EncryptedDocument: If it needs a password that was not given or is wrong.
            UnreadableDocument: If it is damaged or not of this format.
            NoText: If it opens but holds no text.
        """
        ...


# Embedding -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EmbedInput:
    """One passage as it goes through the model: title, heading path and passage joined, with its sentences as spans of that text."""

    text: str
    sentences: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """`vectors` (tokens, dimension) of unit norm; `offsets` (tokens, 2), code points in the text. Special tokens and prefix are left out."""

    vectors: Floats
    offsets: Ints


@dataclass(frozen=True, slots=True)
class Embedded:
    """`passages` (n, dimension) of unit norm; for each, `sentences` (its sentences, dimension) of unit norm, (0, dimension) if the embedder has none."""

    passages: Floats
    sentences: tuple[Floats, ...]
    tokens: tuple[TokenVectors, ...] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedQuery:
    """`vector` (dimension,) of unit norm."""

    vector: Floats
    tokens: TokenVectors | None = None


class Embedder(Protocol):
    """Text to vectors in one space for questions and passages."""

    @property
    def fingerprint(self) -> str:
        """Names model, weights, prefixes and pooling; stored with an index and compared when it is opened."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, prefix and special tokens included; what is longer is cut by the model."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a passage, prefix and special tokens included."""
        ...

    def embed_passages(self, inputs: Sequence[EmbedInput], *, with_tokens: bool = False) -> Embedded:
        """Vectors in the order of `inputs`.

        Raises:
            ModelUnavailable: If the model does not answer.
        """
        ...

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector and, where the embedder has them, its token vectors.

        Raises:
            ModelUnavailable: If the model does not answer.
        """
        ...


# Files ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An original as it was kept."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """The sentences of a version's passages: `spans` (m, 2) int32 in the text, `passages` (m,) int32 ordinals, `vectors` (m, dimension) float16."""

    spans: Ints
    passages: Ints
    vectors: Halves


class Files(Protocol):
    """The bytes that belong to versions: originals under their SHA-256, and beside them what was made of them, a folder a version."""

    def put_original(self, source: BinaryIO, *, limit_bytes: int) -> StoredFile:
        """Keep the bytes; nothing is left behind if they are refused.

        Raises:
            EmptyFile: If there are none.
            DocumentTooLarge: If there are more than `limit_bytes`.
            StorageFull: If the disk is.
        """
        ...

    def original(self, sha256: str) -> Path:
        """Where the original lies.

        Raises:
            FileMissing: If it does not.
        """
        ...

    def put_reading(self, version: Version, reading: Reading) -> None:
        """Keep text, boxes and outline of the version, replacing what an earlier attempt left."""
        ...

    def text(self, version: Version) -> str:
        """The version's canonical text."""
        ...

    def boxes(self, version: Version) -> Floats | None:
        """(chars, 4) float32 as in `Reading.boxes`, memory-mapped, or None."""
        ...

    def outline(self, version: Version) -> tuple[OutlineEntry, ...]:
        """The bookmarks or headings of the version."""
        ...

    def put_vectors(self, version: Version, *, fingerprint: str, passages: Floats, sentences: SentenceVectors) -> None:
        """Keep the vectors of the version's passages in order of their ordinals, and of their sentences."""
        ...

    def fingerprint(self, version: Version) -> str | None:
        """Of the embedder that made the kept vectors, or None where none are kept."""
        ...

    def vectors(self, version: Version) -> Floats:
        """(passages, dimension) float32, memory-mapped; row = ordinal."""
        ...

    def sentences(self, version: Version) -> SentenceVectors:
        """The version's sentences, memory-mapped."""
        ...

    def remove(self, version: Version, *, with_original: bool) -> None:
        """Delete what was made of the version, and its original where no other version has it."""
        ...


# Catalogue -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LivePassage:
    """A passage that may be shown, with its document and version."""

    passage: Passage
    document: Document
    version: Version


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A line of the library: the document, its newest version, the live one if any, and the newest version's job."""

    document: Document
    newest: Version
    live: Version | None
    job: Job | None


class Catalogue(Protocol):
    """The truth about documents, versions, pages, passages and jobs. Every method is one transaction.

    A deleted document is found by none of them but `deleted` and `purge`.
    """

    def add_document(self, document: Document, version: Version, job: Job) -> None:
        """Add all three.

        Raises:
            DuplicateDocument: If a version of a document that is not deleted has the same SHA-256; `facts["document_id"]` names it.
        """
        ...

    def add_version(self, version: Version, job: Job) -> Version:
        """Add a version with the next number of its document (the given one's number is not used).

        Raises:
            DuplicateDocument: As `add_document`, unless the versions with those bytes are failed, cancelled or retired ones of this same document.
            DocumentNotFound: If the document is not there.
        """
        ...

    def document(self, document_id: DocumentId) -> Document:
        """Raises DocumentNotFound."""
        ...

    def row(self, document_id: DocumentId) -> DocumentRow:
        """Raises DocumentNotFound."""
        ...

    def rows(
        self, *, q: str = "", kind: str = "", topic: str = "", state: str = "", limit: int, cursor: str = ""
    ) -> tuple[list[DocumentRow], str | None]:
        """Newest document first, with the cursor of the next part. `q` is looked for in title and issuer; `state` is the newest version's."""
        ...

    def update_document(self, document_id: DocumentId, changes: Mapping[str, Any]) -> Document:
        """Set fields of Document by name (title, kind, issuer, published_on, effective_on, language, topics, visibility, superseded_by).

        Raises:
            DocumentNotFound: If it, or the one that is to supersede it, is not there.
        """
        ...

    def delete_document(self, document_id: DocumentId, *, at: datetime) -> None:
        """Hide it from everything, cancel its unfinished jobs. Raises DocumentNotFound."""
        ...

    def deleted(self) -> list[tuple[Document, list[Version]]]:
        """Documents that are deleted but not yet purged, with all their versions."""
        ...

    def purge(self, document_id: DocumentId) -> None:
        """Remove the rows of a deleted document."""
        ...

    def version(self, document_id: DocumentId, number: int) -> Version:
        """Raises DocumentNotFound or VersionNotFound."""
        ...

    def version_by_id(self, version_id: VersionId) -> Version:
        """Raises VersionNotFound."""
        ...

    def versions(self, document_id: DocumentId) -> list[Version]:
        """Newest first. Raises DocumentNotFound."""
        ...

    def all_versions(self, states: Collection[VersionState]) -> list[Version]:
        """Versions in one of these states, oldest first."""
        ...

    def has_original(self, sha256: str) -> bool:
        """Whether any version, of deleted documents too, has these bytes."""
        ...

    def set_version_state(self, version_id: VersionId, state: VersionState) -> None:
        """Raises VersionNotFound."""
        ...

    def save_reading(
        self,
        version_id: VersionId,
        *,
        pages: Sequence[Page],
        passages: Sequence[Passage],
        chars: int,
        quality: Mapping[str, Any],
    ) -> None:
        """Keep what was read, replacing what an earlier attempt left.

        Raises:
            VersionNotFound: If it is not there, or its document is deleted.
            WrongState: If it has ever been live: its passages are cited.
        """
        ...

    def make_live(self, version_id: VersionId, *, at: datetime) -> None:
        """The version is live, the one that was live is retired, its running job done: in one transaction.

        A version that is live already stays so (it was embedded anew); one that comes after a newer one went live is retired at once.

        Raises:
            VersionNotFound: If it is not there, or its document is deleted.
            WrongState: If it is failed, cancelled or retired.
        """
        ...

    def pages(self, version_id: VersionId) -> list[Page]:
        """In order."""
        ...

    def passages(self, version_id: VersionId) -> list[Passage]:
        """In order."""
        ...

    def passage(self, passage_id: PassageId) -> LivePassage:
        """The passage of any version, live or retired. Raises PassageNotFound."""
        ...

    def live(self, passage_ids: Collection[PassageId], filters: Filters) -> dict[PassageId, LivePassage]:
        """Those of the passages that may be shown under the filters."""
        ...

    def matching(self, filters: Filters) -> list[Version]:
        """The versions whose passages may be shown under the filters."""
        ...

    def extent(self, filters: Filters) -> tuple[int, int]:
        """How many versions those are, and how many passages they have."""
        ...

    def passages_at(self, places: Collection[tuple[VersionId, int]]) -> dict[tuple[VersionId, int], PassageId]:
        """The passages that are there by version and ordinal."""
        ...

    def counts(self) -> dict[str, int]:
        """documents, live_versions, live_passages, failed_versions."""
        ...

    def get_fact(self, key: str) -> str | None:
        """A fact about the installation, such as the fingerprint of the model that made the indexes."""
        ...

    def set_fact(self, key: str, value: str) -> None:
        """Remember it."""
        ...

    def add_job(self, job: Job) -> None:
        """Add a job for a version that is there."""
        ...

    def job(self, job_id: JobId) -> Job:
        """Raises JobNotFound."""
        ...

    def jobs(self, *, state: JobState | None = None, limit: int, cursor: str = "") -> tuple[list[Job], str | None]:
        """Newest first, with the cursor of the next part."""
        ...

    def job_counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; every state is there."""
        ...

    def jobs_changed_since(self, at: datetime) -> list[Job]:
        """Jobs updated at or after that time, in the order of their updates."""
        ...

    def claim_job(self, job_id: JobId, *, now: datetime, lease_until: datetime) -> Job | None:
        """Take a queued job, or a running one whose lease has lapsed: running, attempts + 1, lease written. None if it cannot be had."""
        ...

    def progress(
        self,
        job_id: JobId,
        *,
        stage: str,
        done: int,
        total: int,
        now: datetime,
        lease_until: datetime,
        attempt: int | None = None,
    ) -> bool:
        """Write progress and a new lease. False if the job is no longer running (cancelled, say) and must be left.

        The stages "reading" and "embedding" are also the version's state, unless it is live or retired. With `attempt` (the `attempts` of
        the job as it was claimed) it is False too if another worker has taken the job over since.
        """
        ...

    def hand_over(self, job_id: JobId, *, now: datetime, attempt: int) -> bool:
        """The worker's part is done: the job's stage is "publishing", without a lease, and so is the version's state, unless it is live.

        From here the job is the publisher's, and no worker takes it up. False as in `progress`.
        """
        ...

    def handed_over(self) -> list[Job]:
        """Running jobs that wait for the publisher, oldest first; the version of each is publishing, or live and embedded anew."""
        ...

    def put_back(
        self, job_id: JobId, *, now: datetime, not_before: datetime, error_code: str, error_detail: str, attempt: int
    ) -> None:
        """Queue a running job again after an error that may pass, with the reason; nobody can claim it before that time.

        Without an error code the worker was stopped, and the attempt does not count.
        """
        ...

    def finish_job(
        self,
        job_id: JobId,
        *,
        state: JobState,
        now: datetime,
        error_code: str = "",
        error_detail: str = "",
        attempt: int | None = None,
    ) -> bool:
        """Done, failed or cancelled. Failed or cancelled also end the version, unless it is live or retired.

        False, and nothing happens, if the job had ended before (or, with `attempt`, was taken over). Raises JobNotFound.
        """
        ...

    def requeue_job(self, job_id: JobId, *, now: datetime) -> Job:
        """Queue a failed or cancelled job again, its version with it. Raises JobNotFound, WrongState."""
        ...

    def waiting_jobs(self, *, now: datetime) -> list[Job]:
        """Jobs that can be claimed: queued ones, and running ones whose lease has lapsed, oldest first."""
        ...


class Queue(Protocol):
    """Wakes a worker. It may lose or repeat a wake-up: the job's row is the truth."""

    def wake(self, job_id: JobId) -> None:
        """Tell a worker that the job waits.

        Raises:
            StoreUnavailable: If the queue does not answer.
        """
        ...


# Index ---------------------------------------------------------------------------------------------------------------


class VectorIndex(Protocol):
    """Passages by their vectors."""

    def add(self, ids: Sequence[PassageId], vectors: Floats) -> None:
        """Add or replace. `vectors` (n, dimension), unit norm."""
        ...

    def remove(self, ids: Sequence[PassageId]) -> None:
        """Forget these; unknown ones are passed over."""
        ...

    def query(self, vector: Floats, limit: int) -> list[tuple[PassageId, float]]:
        """The nearest by cosine, best first, with the cosine in [-1, 1]."""
        ...

    def get(self, ids: Sequence[PassageId]) -> dict[PassageId, Floats]:
        """The vectors of those that are there."""
        ...

    def count(self) -> int:
        """How many are held."""
        ...

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        ...

    def close(self) -> None:
        """Let go of the store; nothing else may be called afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """A passage as it goes into the lexical index."""

    id: PassageId
    version_id: VersionId
    title: str
    heading_path: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """A question in the lexical index's tokens: each with its idf in the index as it is now; `ceiling` is their sum, >= 0.

    `passages` is how many passages the idf are counted from: from a few, they say little.
    """

    idf: Mapping[str, float]
    ceiling: float
    passages: int


class LexicalIndex(Protocol):
    """Passages by their words, BM25."""

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Add or replace, and commit."""
        ...

    def remove(self, version_ids: Collection[VersionId]) -> None:
        """Forget the passages of these versions, and commit."""
        ...

    def remove_passages(self, ids: Collection[PassageId]) -> None:
        """Forget these passages, and commit; unknown ones are passed over."""
        ...

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order, as they are indexed."""
        ...

    def parse(self, query: str) -> LexicalQuery:
        """The question's tokens and their weights. Words that the corpus lacks count with the highest idf."""
        ...

    def search(
        self, query: LexicalQuery, *, limit: int, within: Collection[VersionId] | None = None
    ) -> list[tuple[PassageId, float]]:
        """Best first with the BM25 score, > 0; of these versions only, if given."""
        ...

    def score(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, float]:
        """The same BM25 score for passages named; 0 where no token fits or the passage is not there."""
        ...

    def explain(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, tuple[TermScore, ...]]:
        """What each token gave each passage, best first; those that gave nothing are left out."""
        ...

    def count(self) -> int:
        """How many passages are held."""
        ...

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        ...

    def close(self) -> None:
        """Let go of the store; nothing else may be called afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, the question as it was embedded and tokenised, and the time it took."""

    hits: tuple[Hit, ...]
    query: EmbeddedQuery
    lexical: LexicalQuery
    took_ms: float


class Searcher(Protocol):
    """Which live passages fit a query?"""

    def search(self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS) -> SearchResult:
        """Raises EmptyQuestion, QuestionTooLong, InvalidInput."""
        ...


# Answers -------------------------------------------------------------------------------------------------------------

AnswerEvent = Citation | Statement | Answer


class Answerer(Protocol):
    """What does the material say, and where?"""

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
    ) -> Iterator[AnswerEvent]:
        """Each citation before the first statement that uses it, and the whole answer last.

        Raises:
            EmptyQuestion: If there is nothing to answer.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If the mode is unknown.
            ModelUnavailable: If generative mode is asked for and no model server is set or it does not answer.
        """
        ...


class Renderer(Protocol):
    """Pages as images, drawn outside the server's process."""

    def page_png(
        self, path: Path, *, page: int, scale: float, marks: Sequence[tuple[float, float, float, float]]
    ) -> bytes:
        """The page as PNG, `scale` pixels a point, with the marked boxes (points from the top left) laid over it.

        Raises:
            PageNotFound: If the file has no such page.
            RendererUnavailable: If drawing failed or took too long.
        """
        ...

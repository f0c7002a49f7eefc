"""What does the catalogue know, and how is it changed?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from xuesi.core.domain import (
    Document,
    DocumentId,
    Filters,
    Job,
    JobId,
    JobState,
    Page,
    PageReport,
    Passage,
    PassageId,
    Successor,
    Suggestion,
    Topic,
    Version,
    VersionId,
    VersionState,
    WatchedFile,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a text is compared by: `text_sha256` of its letters and digits, and `minhash`, little-endian 32-bit values of a fixed number."""

    text_sha256: str
    minhash: bytes


@dataclass(frozen=True, slots=True)
class LivePassage:
    """A passage that may be shown, with its document and version."""

    passage: Passage
    document: Document
    version: Version


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A line of the library: the document, its newest version, the live one if any, the newest version's job, and what stands in its place now."""

    document: Document
    newest: Version
    live: Version | None
    job: Job | None
    successor: Successor | None = None


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two live documents whose texts are nearly the same: the later one, the one that was there, and their similarity in [0, 1]."""

    document: Document
    version: Version
    other: Document
    other_version: Version
    similarity: float
    found_at: datetime


class FaultKind(StrEnum):
    """What can be wrong with a catalogue in itself. All but the first can be mended."""

    DAMAGED = "damaged"
    INDEX = "index"  # one of the database's own indices does not fit its rows
    LOST_ROW = "lost_row"  # refers to a row that is not there
    TWO_LIVE = "two_live"
    CIRCLE = "circle"  # documents that supersede each other


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the catalogue, and what has it, in words."""

    kind: FaultKind
    what: str


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
        """Set fields of Document by name.

        Those are title, kind, issuer, document_number, published_on, effective_on, language, topics, visibility, superseded_by.

        Raises:
            DocumentNotFound: If it, or the one that is to supersede it, is not there.
        """
        ...

    def delete_document(self, document_id: DocumentId, *, at: datetime, purge_after: datetime | None = None) -> None:
        """Hide it from everything, cancel its unfinished jobs; it can be restored until `purge_after`, `at` if none is given.

        What it superseded is shown again, unless a later link of the chain stands in its place. Raises DocumentNotFound.
        """
        ...

    def restore_document(self, document_id: DocumentId, *, at: datetime) -> Document:
        """Take a deleted document back. Versions that were live or retired each get a job that waits for the publisher.

        Raises:
            DocumentNotFound: If no such document is deleted, or its time is over.
            DuplicateDocument: If another document has the bytes of its live version by now.
        """
        ...

    def expire(self, document_id: DocumentId) -> None:
        """Let a deleted document be purged at once. Raises DocumentNotFound if no such document is deleted."""
        ...

    def removed(self) -> dict[DocumentId, datetime]:
        """Until when each deleted document can be restored."""
        ...

    def deleted(self, ids: Collection[DocumentId] | None = None) -> list[tuple[Document, list[Version]]]:
        """Documents (or those of them with these ids) that are deleted but not yet purged, with all their versions."""
        ...

    def purge(self, document_id: DocumentId) -> None:
        """Remove the rows of a deleted document. What it superseded is superseded by its own successor from now on, if it has one."""
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

    def titles(self) -> dict[DocumentId, str]:
        """The title of every document."""
        ...

    def has_original(self, sha256: str) -> bool:
        """Whether any version, of deleted documents too, has these bytes."""
        ...

    def known(self, sha256s: Collection[str]) -> dict[str, DocumentId]:
        """Those of the bytes that a document which is not deleted has, in a version that is neither failed nor cancelled; and which document."""
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
        report: Sequence[PageReport] = (),
    ) -> None:
        """Keep what was read, replacing what an earlier attempt left.

        Raises:
            VersionNotFound: If it is not there, or its document is deleted.
            WrongState: If it has ever been live: its passages are cited.
        """
        ...

    def save_findings(
        self, version_id: VersionId, *, text: Signature, suggestions: Sequence[Suggestion], refuse_same: bool = True
    ) -> None:
        """Keep what a version's text is compared by and what it says of itself, and note the documents that are nearly the same.

        Raises:
            VersionNotFound: If it is not there, or its document is deleted.
            DuplicateDocument: If another document has the same text in a version that is not failed or cancelled, and `refuse_same`;
                `facts["document_id"]` names it.
        """
        ...

    def suggestions(self, version_id: VersionId) -> list[Suggestion]:
        """What was found, the surest of a field first."""
        ...

    def near_duplicates(self, document_id: DocumentId | None = None) -> list[NearDuplicate]:
        """The pairs that wait for a person, newest first; those of one document, if given. Not where one supersedes the other."""
        ...

    def keep_apart(self, document_id: DocumentId, other_id: DocumentId) -> None:
        """The two stay as they are and are not offered again. Raises DocumentNotFound, NearDuplicateNotFound."""
        ...

    def merge(self, document_id: DocumentId, into: DocumentId, *, now: datetime, work: Job) -> Version:
        """The live version of the one becomes the newest version of the other, whose live one is retired; the first document is deleted.

        Its passages keep their ids. `work` embeds it anew under the other title; its document and version are filled in here.

        Raises:
            DocumentNotFound: If one is not there.
            WrongState: If one has no live version.
            NearDuplicateNotFound: If they do not wait to be settled.
        """
        ...

    def topics(self) -> list[Topic]:
        """The administrator's list, by name."""
        ...

    def set_topics(self, topics: Sequence[Topic]) -> None:
        """Replace the list."""
        ...

    def dictionary(self) -> list[str]:
        """The names and set phrases that the administrator keeps, in the order of their characters."""
        ...

    def set_dictionary(self, entries: Sequence[str]) -> None:
        """Replace them. No entry may be there twice."""
        ...

    def watched(self) -> list[WatchedFile]:
        """What is remembered of the files in watched folders, by path."""
        ...

    def set_watched(self, file: WatchedFile) -> None:
        """Remember it, in the place of what was remembered of its path."""
        ...

    def forget_watched(self, path: str) -> None:
        """Forget the file; its document stays."""
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

    def page_reports(self, version_id: VersionId) -> list[PageReport]:
        """How each page was read, in order; empty where that was not recorded."""
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

    def live_ids(self, passage_ids: Collection[PassageId], filters: Filters) -> set[PassageId]:
        """The ids of the same passages, at less cost."""
        ...

    def matching(self, filters: Filters) -> list[Version]:
        """The versions whose passages may be shown under the filters."""
        ...

    def extent(self, filters: Filters) -> tuple[int, int]:
        """How many versions those are, and how many passages they have."""
        ...

    def outdated(self, version_ids: Collection[VersionId]) -> dict[VersionId, Successor | None]:
        """Those of the versions that are not current (retired, or of a superseded document), each with what stands in its place now, if anything."""
        ...

    def titled_in(
        self, text: str, *, names: Collection[str], numbers: Collection[str], filters: Filters
    ) -> list[Document]:
        """Documents that may be shown under the filters and that the text may name, without their topics, the newest first, at most 500.

        Their title begins with six characters that stand in the text, or holds one of the names, or their number holds one of the numbers.
        """
        ...

    def passages_at(self, places: Collection[tuple[VersionId, int]]) -> dict[tuple[VersionId, int], PassageId]:
        """The passages that are there by version and ordinal."""
        ...

    def counts(self) -> dict[str, int]:
        """documents, live_versions, live_passages, failed_versions."""
        ...

    def compact(self) -> None:
        """Rewrite the store, so that nothing of what was removed is left in its files. Raises StoreUnavailable."""
        ...

    def faults(self) -> list[Fault]:
        """What is wrong with the database file, and where rows contradict each other.

        Raises:
            Corrupt: If the file is so damaged that it cannot be looked through.
        """
        ...

    def mend_faults(self) -> None:
        """Mend all faults but damage: of two live versions the older is retired, of a circle the document with the latest day stands for itself."""
        ...

    def forgotten(self) -> list[Version]:
        """Versions on which work has begun or waits, and for which there is no unfinished job: nothing would ever become of them."""
        ...

    def text_sha256(self, version_id: VersionId) -> str | None:
        """As in the version's `Signature`, if that is known."""
        ...

    def put_texts(self, version_id: VersionId, texts: Mapping[int, str]) -> None:
        """Write the texts of passages again, by their ordinals, where the text at their spans is known for certain. Raises VersionNotFound."""
        ...

    def get_fact(self, key: str) -> str | None:
        """A fact about the installation, such as the fingerprint of the model that made the indexes."""
        ...

    def set_fact(self, key: str, value: str) -> None:
        """Remember it."""
        ...

    def set_facts(self, facts: Mapping[str, str | None]) -> None:
        """Remember all of them at once; forget those that are None."""
        ...

    def snapshot(self, place: Path) -> None:
        """Write the catalogue as it is at one moment to a new SQLite file, while others go on reading and writing.

        Raises:
            WrongState: If it is a database that is not copied this way; the hint says how then.
            StorageFull: If the disk is.
        """
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
        """Take a queued job, or a running one whose lease has lapsed: running, attempts + 1, lease written. None if it cannot be had.

        A lapsed lease is counted among the job's deaths.
        """
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
        self,
        job_id: JobId,
        *,
        now: datetime,
        not_before: datetime,
        error_code: str,
        error_detail: str,
        attempt: int,
        died: bool = False,
    ) -> None:
        """Queue a running job again after an error that may pass, with the reason; nobody can claim it before that time.

        Without an error code the worker was stopped, and the attempt does not count. With `died` its deaths are one more.
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

"""How does a version become visible, and how does a deleted document leave? The server's publisher, the one writer of the indexes.

The worker leaves a version's passages in the catalogue and their vectors beside its files. Here both indexes take them in, and then one
transaction of the catalogue makes the version live. Every step may be repeated: a crash between two of them loses and shows nothing.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from index.indexes import Entries, Indexes
from xuesi.core.domain import Document, Job, JobState, Version, VersionState
from xuesi.core.errors import Corrupt, IndexMismatch, NotFound, WrongState, XuesiError
from xuesi.core.ports import Catalogue, Files, LexicalEntry

_log = logging.getLogger("xuesi.publish")
_PAUSE_S = 0.2
_PAUSE_AFTER_ERROR_S = 5.0
_BATCH_PASSAGES = 2000  # one commit for many small versions; a rebuild or a search waits for one batch at most
_BATCH_DELETED = 100
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A version to be taken in. `job` is what waits for it, if anything does."""

    version: Version
    job: Job | None


class Publisher:
    """Takes finished versions into the indexes and deleted documents out of them."""

    def __init__(self, *, catalogue: Catalogue, files: Files, indexes: Indexes, fingerprint: str) -> None:
        """`fingerprint` is that of the embedder whose vectors the indexes hold."""
        self._catalogue = catalogue
        self._files = files
        self._indexes = indexes
        self._fingerprint = fingerprint

    def run_forever(self, stop: threading.Event) -> None:
        """Publish and clean until told to stop. An error is logged, and the work tried again after a while."""
        while not stop.is_set():
            try:
                worked = self.step()
                pause_s = 0.0 if worked else _PAUSE_S
            except Exception:  # noqa: BLE001 the thread must outlive whatever went wrong, or nothing would be published any more
                _log.exception("Publishing failed; it is tried again in %.0f s.", _PAUSE_AFTER_ERROR_S)
                pause_s = _PAUSE_AFTER_ERROR_S
            stop.wait(pause_s)

    def step(self) -> int:
        """Do what waits now: publish versions, take re-embedded ones in anew, and clean up after deleted documents.

        Returns:
            How many versions were published or failed, and documents purged.
        """
        done = 0
        for batch in batches(self._waiting(), passages=lambda waiting: waiting.version.passages):
            done += self._publish(batch)
        return done + self._clean()

    def index(self, versions: Sequence[Version]) -> None:
        """Take versions that have been live into the indexes again.

        Raises:
            Corrupt: If a version's vectors do not fit its passages, or are missing.
            IndexMismatch: If they are another model's.
        """
        for batch in batches(versions, passages=lambda version: version.passages):
            with self._indexes.writing():
                self._indexes.add([self.entries(version) for version in batch])

    def entries(self, version: Version) -> Entries:
        """The version's passages with their vectors, as the indexes take them.

        Raises:
            Corrupt: If the vectors do not fit the passages, or are missing.
            IndexMismatch: If they are another model's.
        """
        document = self._catalogue.document(version.document_id)
        passages = self._catalogue.passages(version.id)
        found = self._files.fingerprint(version)
        if found is not None and found != self._fingerprint:
            raise IndexMismatch(
                f"The vectors of “{document.title}”, version {version.number}, were made by the embedding model {found}, the index by {self._fingerprint}.",
                hint="Embed the library anew: xuesi reindex --model NAME",
            )
        vectors = self._files.vectors(version)
        if len(vectors) != len(passages):
            raise Corrupt(
                f"“{document.title}”, version {version.number}, has {len(passages)} passages but {len(vectors)} vectors.",
                hint="Add the file again, or retry its job.",
            )
        return Entries(
            version.id,
            tuple(
                LexicalEntry(
                    id=passage.id,
                    version_id=version.id,
                    title=document.title,
                    heading_path=passage.heading_path,
                    text=passage.text,
                )
                for passage in passages
            ),
            vectors,
        )

    def _waiting(self) -> list[_Waiting]:
        jobs = {job.version_id: job for job in self._catalogue.handed_over()}
        versions = self._catalogue.all_versions((VersionState.PUBLISHING,))
        for version_id in jobs.keys() - {version.id for version in versions}:
            with suppress(NotFound):  # deleted just now
                versions.append(self._catalogue.version_by_id(version_id))
        return [_Waiting(version, jobs.get(version.id)) for version in versions]

    def _publish(self, batch: Sequence[_Waiting]) -> int:
        with self._indexes.writing():
            prepared = []
            for waiting in batch:
                try:
                    prepared.append((waiting, self.entries(waiting.version)))
                except Exception as error:  # noqa: BLE001 one bad version must not keep the others back; it is reported
                    self._fail(waiting, error)
            try:
                self._indexes.add([entries for _, entries in prepared])
            except Exception as error:  # noqa: BLE001 as above: taken one by one, the bad one shows
                if len(prepared) > 1:
                    return len(batch) - len(prepared) + sum(self._publish([waiting]) for waiting, _ in prepared)
                self._fail(prepared[0][0], error)
                return len(batch)
            for waiting, _ in prepared:
                self._make_visible(waiting)
        return len(batch)

    def _make_visible(self, waiting: _Waiting) -> None:
        version, job = waiting.version, waiting.job
        try:
            if job is not None and version.state != VersionState.PUBLISHING:
                self._catalogue.finish_job(job.id, state=JobState.DONE, now=_now(), attempt=job.attempts)
            else:
                self._catalogue.make_live(version.id, at=_now())
        except (NotFound, WrongState):  # deleted or cancelled meanwhile: it must not stay in the indexes
            if version.state == VersionState.PUBLISHING:
                self._forget([version])

    def _fail(self, waiting: _Waiting, error: Exception) -> None:
        """Report it, unless it may pass or the version is gone."""
        version, job = waiting.version, waiting.job
        if isinstance(error, XuesiError) and error.retryable:
            raise error
        if isinstance(error, NotFound):
            return
        _log.error("Version %s cannot be published: %s", version.id, error, exc_info=error)
        code = error.code if isinstance(error, XuesiError) else "internal"
        detail = str(error) if isinstance(error, XuesiError) else "The indexes could not take it in; the log says more."
        if version.state == VersionState.PUBLISHING:
            self._forget([version])
        if job is not None:
            self._catalogue.finish_job(
                job.id, state=JobState.FAILED, now=_now(), error_code=code, error_detail=detail, attempt=job.attempts
            )
        else:
            self._catalogue.set_version_state(version.id, VersionState.FAILED)

    def _clean(self) -> int:
        gone = self._catalogue.deleted()[:_BATCH_DELETED]
        if not gone:
            return 0
        versions = [version for _, its in gone for version in its]
        self._forget(versions)
        for document, its in gone:
            self._purge(document, its)
        return len(gone)

    def _purge(self, document: Document, versions: Sequence[Version]) -> None:
        for version in versions:
            self._files.remove(version, with_original=False)
        self._catalogue.purge(document.id)
        for version in versions:
            if not self._catalogue.has_original(version.sha256):
                self._files.remove(version, with_original=True)

    def _forget(self, versions: Sequence[Version]) -> None:
        passages = [passage.id for version in versions for passage in self._catalogue.passages(version.id)]
        self._indexes.remove([version.id for version in versions], passages)


def batches(items: Sequence[_T], *, passages: Callable[[_T], int]) -> Iterator[list[_T]]:
    """The items in order, in lists of about as many passages as one commit takes, each at least one item."""
    batch: list[_T] = []
    held = 0
    for item in items:
        if batch and held + passages(item) > _BATCH_PASSAGES:
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += passages(item)
    if batch:
        yield batch


def _now() -> datetime:
    return datetime.now(UTC)

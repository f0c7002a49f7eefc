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
from functools import partial
from typing import TypeVar

from index.indexes import Entries, Indexes
from xuesi.core.domain import Document, DocumentId, Job, JobId, JobState, Version, VersionState
from xuesi.core.errors import Corrupt, IndexMismatch, NotFound, WrongState, XuesiError
from xuesi.core.ids import new_id
from xuesi.core.ports import Catalogue, Files, LexicalEntry
from xuesi.core.text import counted

_log = logging.getLogger("xuesi.publish")
_PAUSE_S = 0.2
_PAUSE_AFTER_ERROR_S = 5.0
_BATCH_PASSAGES = 2000  # one commit for many small versions; a rebuild or a search waits for one batch at most
_BATCH_DELETED = 100
_T = TypeVar("_T")
PURGED_FACT = "purged_not_compacted"  # set while the indexes and the catalogue hold traces of purged documents


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A version to be taken in. `job` is what waits for it, if anything does."""

    version: Version
    job: Job | None


class Publisher:
    """Takes finished versions into the indexes and deleted documents out of them."""

    def __init__(
        self, *, catalogue: Catalogue, files: Files, indexes: Indexes, wake: Callable[[JobId], None] = lambda _: None
    ) -> None:
        """`wake` tells a worker of a job that waits for it again; without, one finds it within a minute."""
        self._catalogue = catalogue
        self._files = files
        self._indexes = indexes
        self._wake = wake
        self._forgotten: set[DocumentId] = set()  # deleted ones that the indexes hold no more
        self._stepping = threading.Lock()  # two at once would purge a document twice

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
            How many versions were published or failed, and documents taken out or purged.
        """
        with self._stepping:
            done = 0
            for batch in batches(self._waiting(), passages=lambda waiting: waiting.version.passages):
                done += self._publish(batch)
            return done + self._clean()

    def to_forget(self) -> set[DocumentId]:
        """Deleted documents that the indexes may still hold: the next step takes them out."""
        return self._catalogue.removed().keys() - self._forgotten

    def index(self, versions: Sequence[Version]) -> None:
        """Take versions that have been live into the indexes again.

        Raises:
            Corrupt: If a version's vectors do not fit its passages, or are missing.
            IndexMismatch: If they are another model's.
        """
        for batch in batches(versions, passages=lambda version: version.passages):
            with self._indexes.writing():
                entries = [self.entries(version, self._indexes.fingerprint) for version in batch]
                self._indexes.add(partial(self._with_vectors_of, entries))

    def entries(self, version: Version, fingerprint: str) -> Entries:
        """The version's passages with their vectors of a model, as the indexes take them.

        Raises:
            Corrupt: If the vectors do not fit the passages, or are missing.
            IndexMismatch: If there are only other models' vectors.
        """
        found = self._files.embedded(version)
        document = self._catalogue.document(version.document_id)
        if found and fingerprint not in found:
            raise IndexMismatch(
                f"The vectors of “{document.title}”, version {version.number}, were made by the embedding model {', '.join(found)}, the index by {fingerprint}.",
                hint="Embed the library anew: xuesi reindex --model NAME",
            )
        passages = self._catalogue.passages(version.id)
        vectors, tokens = self._files.vectors(version, fingerprint), self._files.tokens(version, fingerprint)
        rows = {len(vectors), len(vectors) if tokens is None else len(tokens.starts) - 1}
        if rows != {len(passages)}:
            raise Corrupt(
                f"“{document.title}”, version {version.number}, has {counted(len(passages), 'passage')} but vectors of {' and '.join(map(str, sorted(rows)))}.",
                hint="Add the file again, or retry its job.",
            )
        return Entries(
            version,
            fingerprint,
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
            tokens,
        )

    def _with_vectors_of(self, prepared: Sequence[Entries], fingerprint: str) -> list[Entries]:
        """The same entries for indexes of another model; what is not embedded with it yet is left out, and taken in before they are in force."""
        found = [it if it.fingerprint == fingerprint else self._other(it.version, fingerprint) for it in prepared]
        return [it for it in found if it is not None]

    def _other(self, version: Version, fingerprint: str) -> Entries | None:
        return self.entries(version, fingerprint) if fingerprint in self._files.embedded(version) else None

    def _waiting(self) -> list[_Waiting]:
        jobs = {job.version_id: job for job in self._catalogue.handed_over()}
        versions = self._catalogue.all_versions((VersionState.PUBLISHING,))
        for version_id in jobs.keys() - {version.id for version in versions}:
            with suppress(NotFound):  # deleted just now
                versions.append(self._catalogue.version_by_id(version_id))
        return [_Waiting(version, jobs.get(version.id)) for version in versions]

    def _publish(self, batch: Sequence[_Waiting]) -> int:
        with self._indexes.writing():
            prepared, left = [], 0
            for waiting in batch:
                try:
                    prepared.append((waiting, self.entries(waiting.version, self._indexes.fingerprint)))
                except IndexMismatch as error:
                    left += not self._give_back(waiting, error)
                except Exception as error:  # noqa: BLE001 one bad version must not keep the others back; it is reported
                    self._fail(waiting, error)
            try:
                self._indexes.add(partial(self._with_vectors_of, [entries for _, entries in prepared]))
            except Exception as error:  # noqa: BLE001 as above: taken one by one, the bad one shows
                if len(prepared) > 1:
                    return len(batch) - left - len(prepared) + sum(self._publish([waiting]) for waiting, _ in prepared)
                self._fail(prepared[0][0], error)
                return len(batch) - left
            for waiting, _ in prepared:
                self._make_visible(waiting)
        return len(batch) - left

    def _make_visible(self, waiting: _Waiting) -> None:
        version, job = waiting.version, waiting.job
        self._forgotten.discard(version.document_id)  # restored, and perhaps deleted again before anybody looked
        try:
            if job is not None and version.state != VersionState.PUBLISHING:
                self._catalogue.finish_job(job.id, state=JobState.DONE, now=_now(), attempt=job.attempts)
            else:
                self._catalogue.make_live(version.id, at=_now())
        except (NotFound, WrongState):  # deleted or cancelled meanwhile: it must not stay in the indexes
            if version.state == VersionState.PUBLISHING:
                self._forget([version])

    def _give_back(self, waiting: _Waiting, error: IndexMismatch) -> bool:
        """To the worker, which embedded it with the model that was in force before. False if the worker has its job already."""
        if waiting.job is None:
            return False
        _log.info("Version %s is embedded again: %s", waiting.version.id, error.detail)
        now = _now()
        job = waiting.job
        self._catalogue.put_back(
            job.id, now=now, not_before=now, error_code=error.code, error_detail=error.detail, attempt=job.attempts
        )
        self._wake(job.id)
        return True

    def _fail(self, waiting: _Waiting, error: Exception) -> None:
        """Report it, unless it may pass or the version is gone."""
        version, job = waiting.version, waiting.job
        if isinstance(error, XuesiError) and error.retryable:
            raise error
        if isinstance(error, NotFound):
            return
        _log.error("Version %s cannot be published: %s", version.id, error, exc_info=error)
        code = error.code if isinstance(error, XuesiError) else "internal-error"
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
        """Take deleted documents out of the indexes, and purge those that can no longer be restored."""
        removed, now = self._catalogue.removed(), _now()
        self._forgotten &= removed.keys()
        fresh = [key for key in removed if key not in self._forgotten][:_BATCH_DELETED]
        due = [key for key, until in removed.items() if until <= now][:_BATCH_DELETED]
        if not fresh and not due:
            return 0
        gone = self._catalogue.deleted({*fresh, *due})
        self._forget([version for _, its in gone for version in its])
        self._forgotten.update(fresh)
        purged = [(document, its) for document, its in gone if document.id in due]
        if purged:
            at_once = any(document.purge_after == document.deleted_at and its for document, its in purged)
            # Before anything goes, so that a crash forgets nothing; a value of its own, so that a rewriting under way does not count for it.
            self._catalogue.set_fact(PURGED_FACT, f"{'at-once' if at_once else 'later'} {new_id()}")
        for document, its in purged:
            self._purge(document, its)
        return len(gone)

    def _purge(self, document: Document, versions: Sequence[Version]) -> None:
        for version in versions:
            self._files.remove(version)
        self._catalogue.purge(document.id)
        for version in versions:
            self._files.remove(version)  # again: a worker may have written vectors of it while it was still known
            self._files.remove_original(version.sha256, wanted=self._catalogue.has_original)

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

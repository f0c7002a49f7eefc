"""What can a server do? The opened parts, and what takes several of them at once."""

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from index.backup import open_backup
from index.change import ModelChange
from index.doctor.examine import Repaired, examine, repair
from index.doctor.finding import Finding, Parts
from index.indexes import Indexes
from index.phrases import Dictionary
from index.publish import Publisher
from index.rebuild import Rebuilt, rebuild
from index.topics import TopicFinder
from ingest.intake import Intake
from ingest.watch import Watcher
from xuesi.core import models
from xuesi.core.domain import DocumentId, JobState, Suggestion
from xuesi.core.errors import DocumentNotFound, JobNotFound
from xuesi.core.models import Choice
from xuesi.core.ports import Answerer, Catalogue, Embedder, Files, Queue, Searcher
from xuesi.core.settings import Settings
from xuesi.core.text import counted

SAMPLE_FACT = "sample_jobs"


@dataclass(frozen=True, slots=True)
class Services:
    """The opened parts that a server works with."""

    settings: Settings
    catalogue: Catalogue
    files: Files
    queue: Queue
    embedders: Mapping[str, Embedder]
    indexes: Indexes
    intake: Intake
    searcher: Searcher
    answerer: Answerer
    publisher: Publisher
    topics: TopicFinder
    dictionary: Dictionary
    watcher: Watcher
    change: ModelChange

    @property
    def embedder(self) -> Embedder:
        """The one in force."""
        return in_force(self.embedders, self.indexes)

    @property
    def embedding_model(self) -> str:
        """The name of the model in force, as the setting `embedding_model` would have it."""
        return models.settings_in_force(self.settings, self.catalogue).embedding_model

    def remove(self, document_id: DocumentId, *, now: bool = False) -> None:
        """Hide a document at once, and purge it after `trash_days` or, with `now`, as soon as may be; then also one that was removed before.

        Raises:
            DocumentNotFound: If it is not there.
        """
        at = datetime.now(UTC)
        keep = timedelta(0) if now else timedelta(days=self.settings.trash_days)
        try:
            self.catalogue.delete_document(document_id, at=at, purge_after=at + keep)
        except DocumentNotFound:
            if not now:
                raise
            self.catalogue.expire(document_id)

    def unready(self) -> list[str]:
        """Why the installation is not ready to answer; empty when it is."""
        unfinished = 0
        for job_id in json.loads(self.catalogue.get_fact(SAMPLE_FACT) or "[]"):
            with contextlib.suppress(JobNotFound):  # its document was removed since
                unfinished += self.catalogue.job(job_id).state in (JobState.QUEUED, JobState.RUNNING)
        documents = counted(unfinished, "document of the sample corpus is", "documents of the sample corpus are")
        return [f"{documents} being read"] if unfinished else []

    def suggestions(self, document_id: DocumentId) -> list[Suggestion]:
        """What may be said of a document, from its file and from the topic list. Raises DocumentNotFound."""
        row = self.catalogue.row(document_id)
        shown = row.live or row.newest
        return [*self.catalogue.suggestions(shown.id), *self.topics.suggest(shown)]

    def accept(self, document_id: DocumentId, fields: Collection[str]) -> None:
        """Take over the surest suggestion of each field; for `topics` all that are suggested, beside those it has.

        Raises:
            DocumentNotFound: If it is not there.
            InvalidInput: If a field is none that is suggested.
        """
        document = self.intake.accept(document_id, [field for field in fields if field != "topics"])
        if "topics" in fields:
            close = (one.value for one in self.suggestions(document_id) if one.field == "topics")
            self.intake.change(document_id, {"topics": tuple(dict.fromkeys((*document.topics, *close)))})

    def reindex(self) -> Rebuilt:
        """Rebuild both indexes from the catalogue and the stored vectors; the old ones answer until the new ones are whole."""
        return rebuild(self.indexes, catalogue=self.catalogue, publisher=self.publisher)

    def change_model(self, name: str, *, base_url: str = "") -> bool:
        """Have the library embedded with another model in the background, which then takes the place of the present one.

        Returns:
            Whether that is under way now; False if the model is in force already.

        Raises:
            InvalidInput, ModelUnavailable, WrongState, StorageFull: As `ModelChange.start`.
        """
        return self.change.start(Choice(name, base_url, instead_of=self.settings.embedding_model)) is not None

    def backup(self) -> contextlib.AbstractContextManager[Iterator[bytes]]:
        """Everything that the library cannot be rebuilt without, as one archive in pieces, while the server works."""
        return open_backup(catalogue=self.catalogue, files=self.files, data_dir=self.settings.data_dir)

    def doctor(self, *, deep: bool = False) -> list[Finding]:
        """What is wrong with this installation; with `deep` every byte is read."""
        return examine(self._parts, deep=deep)

    def repair(self, *, deep: bool = False) -> Repaired:
        """Mend what can be mended."""
        return repair(self._parts, deep=deep)

    @property
    def _parts(self) -> Parts:
        embedder = self.embedder
        return Parts(
            catalogue=self.catalogue,
            files=self.files,
            indexes=self.indexes,
            publisher=self.publisher,
            queue=self.queue,
            settings=self.settings,
            fingerprint=embedder.fingerprint,
            dimension=embedder.dimension,
            change=self.change.progress(),
        )


def in_force(embedders: Mapping[str, Embedder], indexes: Indexes) -> Embedder:
    """The embedder whose vectors the indexes in force hold."""
    with indexes.reading() as current:  # it stays among them until nobody reads its indexes any more
        return embedders[current.fingerprint]

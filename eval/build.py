"""What is measured? A fresh library of a question set's corpus, made by the product's own pipeline and thrown away afterwards."""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import Entry
from ingest.intake import Accepted, Metadata
from ingest.worker import drain
from xuesi.core.domain import DocumentId, JobState
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.wiring import Services, open_services

# A name without a letter gives a document without a title no words and hardly a meaning.
_UNTITLED = "—"
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Built:
    """The library: its opened parts, the corpus id of each document, its passages, and the seconds that it took to build.

    `refused` are corpus ids that the pipeline did not take, an empty text, say; they are found by no search.
    """

    services: Services
    entries: Mapping[DocumentId, str]
    refused: tuple[str, ...]
    passages: int
    took_s: float


@contextlib.contextmanager
def build(corpus: Sequence[Entry], settings: Settings) -> Iterator[Built]:
    """Take in every entry as a text file with its title, read, cut, embed and publish it, in a data folder that goes when the block ends.

    The settings count but for where data lie; the prepared model of their data folder is used, or prepared there.
    """
    with tempfile.TemporaryDirectory(prefix="xuesi-eval-") as folder:
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": "", "queue_url": ""})
        models = settings.data_dir.absolute() / "models"
        models.mkdir(parents=True, exist_ok=True)
        (own.data_dir / "models").symlink_to(models, target_is_directory=True)
        with open_services(own) as services:
            started = time.perf_counter()
            entries, refused = _take(corpus, services)
            drain(catalogue=services.catalogue, files=services.files, embedder=services.embedder, settings=own)
            refused += [entries.pop(document) for document in _published(entries, services)]
            counts = services.catalogue.counts()
            yield Built(
                services=services,
                entries=entries,
                refused=tuple(refused),
                passages=counts["live_passages"],
                took_s=time.perf_counter() - started,
            )


def _take(corpus: Sequence[Entry], services: Services) -> tuple[dict[DocumentId, str], list[str]]:
    entries: dict[DocumentId, str] = {}
    refused: list[str] = []
    for entry in corpus:
        source = io.BytesIO(entry.text.encode("utf-8", errors="replace"))
        try:
            taken = services.intake.take(source, file_name=_UNTITLED, metadata=Metadata(title=entry.title.strip()))
            # Entries of one wording are documents of their own here; line ends make their bytes differ, and no more.
            while not isinstance(taken, Accepted):
                source.seek(0, io.SEEK_END)
                source.write(b"\n")
                source.seek(0)
                taken = services.intake.take(source, file_name=_UNTITLED, metadata=Metadata(title=entry.title.strip()))
        except InvalidInput:
            refused.append(entry.id)
            continue
        entries[taken.document.id] = entry.id
    return entries, refused


def _published(entries: Mapping[DocumentId, str], services: Services) -> list[DocumentId]:
    """Wait until every job has ended; the documents whose job failed."""
    catalogue = services.catalogue
    while any(catalogue.jobs(state=state, limit=1)[0] for state in (JobState.QUEUED, JobState.RUNNING)):
        time.sleep(_LOOK_S)
    failed: list[DocumentId] = []
    cursor: str | None = ""
    while cursor is not None:
        jobs, cursor = catalogue.jobs(state=JobState.FAILED, limit=100, cursor=cursor)
        failed += [job.document_id for job in jobs if job.document_id in entries]
    return failed

"""What is measured? A library of a question set's corpus, made by the product's own pipeline, and thrown away afterwards or kept."""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import Entry
from eval.kept import a_record, shelf
from eval.machine import commit
from ingest.intake import Accepted, Metadata
from ingest.worker import drain
from xuesi.core.domain import DocumentId, JobState
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.services import Services
from xuesi.wiring import open_services

# A name without a letter gives a document without a title no words and hardly a meaning.
_UNTITLED = "—"
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Built:
    """The library: its opened parts, the corpus id of each document, its passages, and the seconds that it took to build.

    `refused` are corpus ids that the pipeline did not take, an empty text, say; they are found by no search. `built_by` is the commit of the
    program that built it: an earlier one, perhaps, if the library was kept.
    """

    services: Services
    entries: Mapping[DocumentId, str]
    refused: tuple[str, ...]
    passages: int
    took_s: float
    built_by: str


@contextlib.contextmanager
def build(corpus: Sequence[Entry], settings: Settings, *, keep: Path | None = None) -> Iterator[Built]:
    """Take in every entry, a text as a text file, with its title, read, cut, embed and publish it, in a data folder that goes when the block ends.

    The settings count but for where data lie; the prepared model of their data folder is used, or prepared there. With `keep`, the library is
    kept under that folder, and one that was built there from the same before is taken as it is.

    Raises:
        DataFolderBusy: If another evaluation uses the kept library.
        InvalidInput: If the kept library is damaged.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="xuesi-eval-") as folder, _opened(settings, Path(folder)) as services:
            yield _filled(corpus, services)
        return
    with shelf(keep, corpus, settings) as own:
        record = own.record()
        with _opened(settings, own.library) as services:
            if record is None:
                built = _filled(corpus, services)
                own.put(
                    a_record(
                        corpus,
                        settings,
                        model=services.embedder.fingerprint,
                        entries=built.entries,
                        refused=built.refused,
                        took_s=built.took_s,
                    )
                )
                yield built
                return
            own.refresh(record, services)
            yield Built(
                services=services,
                entries=record.entries,
                refused=record.refused,
                passages=services.catalogue.counts()["live_passages"],
                took_s=record.took_s,
                built_by=record.commit,
            )


@contextlib.contextmanager
def _opened(settings: Settings, folder: Path) -> Iterator[Services]:
    own = settings.model_copy(update={"data_dir": folder, "database_url": "", "queue_url": ""})
    models, linked = settings.data_dir.absolute() / "models", folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    linked.unlink(missing_ok=True)  # of a kept library: the model may lie elsewhere by now
    linked.symlink_to(models, target_is_directory=True)
    with open_services(own) as services:
        yield services


def _filled(corpus: Sequence[Entry], services: Services) -> Built:
    started = time.perf_counter()
    entries, refused = _take(corpus, services)
    # Entries of one wording are documents of their own here.
    drain(
        catalogue=services.catalogue,
        files=services.files,
        embedder=services.embedder,
        settings=services.settings,
        refuse_same=False,
    )
    refused += [entries.pop(document) for document in _published(entries, services)]
    return Built(
        services=services,
        entries=entries,
        refused=tuple(refused),
        passages=services.catalogue.counts()["live_passages"],
        took_s=time.perf_counter() - started,
        built_by=commit(),
    )


def _take(corpus: Sequence[Entry], services: Services) -> tuple[dict[DocumentId, str], list[str]]:
    entries: dict[DocumentId, str] = {}
    refused: list[str] = []
    for entry in corpus:
        held = entry.file.read_bytes() if entry.file else entry.text.encode("utf-8", errors="replace")
        name = entry.file.name if entry.file else _UNTITLED
        source = io.BytesIO(held)
        try:
            taken = services.intake.take(source, file_name=name, metadata=Metadata(title=entry.title.strip()))
            # Line ends make the bytes of entries of one wording differ, and no more.
            while not isinstance(taken, Accepted):
                source.seek(0, io.SEEK_END)
                source.write(b"\n")
                source.seek(0)
                taken = services.intake.take(source, file_name=name, metadata=Metadata(title=entry.title.strip()))
        except InvalidInput:
            refused.append(entry.id)
            continue
        entries[taken.document.id] = entry.id
    return entries, refused


def _published(entries: Mapping[DocumentId, str], services: Services) -> list[DocumentId]:
    """Wait until every job has ended; the documents whose job failed. Raises what stands in the way if publishing fails."""
    catalogue = services.catalogue
    while any(catalogue.jobs(state=state, limit=1)[0] for state in (JobState.QUEUED, JobState.RUNNING)):
        # Here, and not only in the publisher's thread, which tries for ever: a full disk would be waited for without an end.
        services.publisher.step()
        time.sleep(_LOOK_S)
    failed: list[DocumentId] = []
    cursor: str | None = ""
    while cursor is not None:
        jobs, cursor = catalogue.jobs(state=JobState.FAILED, limit=100, cursor=cursor)
        failed += [job.document_id for job in jobs if job.document_id in entries]
    return failed

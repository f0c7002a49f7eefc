"""What is Xuesi made of, concretely? The only file that names adapters: Settings in, opened parts out."""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import filelock

from answer.pipeline import ExtractiveAnswerer
from index.catalogue.catalogue import open_catalogue
from index.catalogue.files import FileStore
from index.doctor import Finding, examine, mend
from index.embedders.open import open_embedder
from index.indexes import Indexes
from index.pipeline import HybridSearcher
from index.publish import Publisher
from index.rebuild import Rebuilt, rebuild
from ingest.intake import Intake
from ingest.queue import open_queue
from ingest.worker import run_worker
from xuesi.core.domain import JobState, VersionState
from xuesi.core.errors import DataFolderBusy, DataFolderReadOnly, IndexMismatch, JobNotFound
from xuesi.core.ports import Answerer, Catalogue, Embedder, Files, Queue, Searcher
from xuesi.core.settings import Settings

_log = logging.getLogger("xuesi")
SAMPLE_FACT = "sample_jobs"
_MODEL_FACT = "embedding_fingerprint"


@dataclass(frozen=True, slots=True)
class Services:
    """The opened parts that a server works with."""

    settings: Settings
    catalogue: Catalogue
    files: Files
    queue: Queue
    embedder: Embedder
    indexes: Indexes
    intake: Intake
    searcher: Searcher
    answerer: Answerer
    publisher: Publisher

    def unready(self) -> list[str]:
        """Why the installation is not ready to answer; empty when it is."""
        unfinished = 0
        for job_id in json.loads(self.catalogue.get_fact(SAMPLE_FACT) or "[]"):
            with contextlib.suppress(JobNotFound):  # its document was removed since
                unfinished += self.catalogue.job(job_id).state in (JobState.QUEUED, JobState.RUNNING)
        return [f"{unfinished} documents of the sample corpus are being read"] if unfinished else []

    def reindex(self) -> Rebuilt:
        """Rebuild both indexes from the catalogue and the stored vectors; the old ones answer until the new ones are whole."""
        return rebuild(self.indexes, catalogue=self.catalogue, publisher=self.publisher)

    def doctor(self) -> list[Finding]:
        """What is wrong with this installation."""
        return examine(self.catalogue, self.files, self.indexes, data_dir=self.settings.data_dir)

    def repair(self) -> list[Finding]:
        """Mend what can be mended; what is still wrong afterwards."""
        mend(self.doctor(), catalogue=self.catalogue, files=self.files, indexes=self.indexes, publisher=self.publisher)
        return self.doctor()


def open_model(settings: Settings, *, progress: Callable[[str], None] = _log.info) -> Embedder:
    """The embedder of the settings, prepared if it was not.

    Raises:
        Misconfigured: If there is no such model.
        ModelUnavailable: If its server does not answer.
    """
    return open_embedder(
        embedding_model=settings.embedding_model,
        models_dir=settings.data_dir / "models",
        base_url=settings.embedding_base_url,
        api_key=settings.embedding_api_key.get_secret_value() if settings.embedding_api_key else None,
        batch=settings.embedding_batch,
        timeout_s=settings.model_timeout_s,
        progress=progress,
    )


@contextlib.contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Own the data folder and open everything a server needs; the publisher works until the block ends.

    Raises:
        DataFolderBusy: If another process owns it.
        DataFolderReadOnly: If it cannot be written.
        IndexMismatch: If the indexes were made by another embedding model.
        NewerCatalogue: If a newer program wrote the catalogue.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_owned(settings.data_dir))
        services = _assemble(settings, stack)
        stop = threading.Event()
        thread = threading.Thread(target=services.publisher.run_forever, args=(stop,), name="publisher", daemon=True)
        thread.start()
        stack.callback(thread.join, 30)
        stack.callback(stop.set)
        yield services


def _assemble(settings: Settings, stack: contextlib.ExitStack) -> Services:
    catalogue = stack.enter_context(contextlib.closing(open_catalogue(_database_url(settings))))
    files = FileStore(settings.data_dir / "files")
    embedder = open_model(settings)
    _check_model(catalogue, embedder, settings)
    indexes = stack.enter_context(contextlib.closing(Indexes(settings.data_dir, catalogue=catalogue)))
    queue = open_queue(settings.queue_url, settings.data_dir)
    searcher = HybridSearcher(
        embedder=embedder,
        indexes=indexes,
        catalogue=catalogue,
        files=files,
        weight=settings.lexical_weight,
        candidates=settings.candidates,
        max_chars=settings.max_question_chars,
    )
    return Services(
        settings=settings,
        catalogue=catalogue,
        files=files,
        queue=queue,
        embedder=embedder,
        indexes=indexes,
        intake=Intake(catalogue=catalogue, files=files, queue=queue, max_bytes=settings.max_file_mb * 1_000_000, secrets=settings.data_dir / "secrets"),
        searcher=searcher,
        answerer=ExtractiveAnswerer(
            searcher=searcher, files=files, catalogue=catalogue, tokens=indexes.tokens, embed=embedder.embed_query,
            threshold=settings.answer_threshold, max_statements=settings.max_statements,
        ),
        publisher=Publisher(catalogue=catalogue, files=files, indexes=indexes, fingerprint=embedder.fingerprint),
    )  # fmt: skip


@contextlib.contextmanager
def open_worker(settings: Settings) -> Iterator[Callable[..., None]]:
    """What reads and embeds: yields `run(parent=PID|None)`. It never touches the indexes, so any number may work beside a server."""
    with contextlib.closing(open_catalogue(_database_url(settings))) as catalogue:
        yield partial(
            run_worker,
            queue=open_queue(settings.queue_url, settings.data_dir),
            catalogue=catalogue,
            files=FileStore(settings.data_dir / "files"),
            embedder=open_model(settings),
            settings=settings,
        )


def reindex_offline(settings: Settings, *, new_model: bool, progress: Callable[[int, int], None]) -> Rebuilt:
    """Rebuild the indexes where no server runs, damaged ones too; with `new_model` embed everything with the settings' model first.

    Interrupted, it goes on where it was: a version whose stored vectors are the new model's is not embedded again.

    Raises:
        IndexMismatch: Without `new_model`, if the settings' model is not the one of the indexes.
        DataFolderBusy: If a server runs.
    """
    from ingest.pipeline import embed_version  # noqa: PLC0415 the server never embeds passages itself

    with contextlib.ExitStack() as stack:
        stack.enter_context(_owned(settings.data_dir))
        catalogue = stack.enter_context(contextlib.closing(open_catalogue(_database_url(settings))))
        files, embedder = FileStore(settings.data_dir / "files"), open_model(settings)
        if not new_model:
            _check_model(catalogue, embedder, settings)
        versions = catalogue.all_versions((VersionState.LIVE, VersionState.RETIRED, VersionState.PUBLISHING))
        stale = (
            [version for version in versions if files.fingerprint(version) != embedder.fingerprint] if new_model else []
        )
        for done, version in enumerate(stale, start=1):
            embed_version(version, catalogue=catalogue, files=files, embedder=embedder, batch=settings.embedding_batch)
            progress(done, len(stale))
        catalogue.set_fact(_MODEL_FACT, embedder.fingerprint)
        indexes = stack.enter_context(
            contextlib.closing(Indexes(settings.data_dir, catalogue=catalogue, replace_damaged=True))
        )
        publisher = Publisher(catalogue=catalogue, files=files, indexes=indexes, fingerprint=embedder.fingerprint)
        return rebuild(indexes, catalogue=catalogue, publisher=publisher)


def _database_url(settings: Settings) -> str:
    return settings.database_url or f"sqlite:///{settings.data_dir.absolute() / 'catalogue.db'}"


def _check_model(catalogue: Catalogue, embedder: Embedder, settings: Settings) -> None:
    known = catalogue.get_fact(_MODEL_FACT)
    if known is None:
        catalogue.set_fact(_MODEL_FACT, embedder.fingerprint)
    elif known != embedder.fingerprint:
        raise IndexMismatch(
            f"The index in {settings.data_dir} was made by the embedding model {known}; embedding_model={settings.embedding_model} is {embedder.fingerprint}.",
            hint=f"Set XUESI_EMBEDDING_MODEL to the model of the index, or run: xuesi reindex --model {settings.embedding_model}",
        )


@contextlib.contextmanager
def _owned(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock: the embedded indexes have one owner."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(data_dir / "owner.lock")
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise DataFolderBusy(
            f"Another process works with the data folder {data_dir}.",
            hint="Stop it, or choose another folder with XUESI_DATA_DIR.",
        ) from error
    except OSError as error:
        raise DataFolderReadOnly(
            f"The data folder {data_dir} cannot be written: {error.strerror or error}.",
            hint="Give this user the right to write there, or choose another with XUESI_DATA_DIR.",
        ) from error
    try:
        yield
    finally:
        lock.release()

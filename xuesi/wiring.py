"""What is Xuesi made of, concretely? Settings in, opened parts out."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from answer.pipeline import ExtractiveAnswerer
from index.backup import clear_interrupted
from index.catalogue.catalogue import SqlCatalogue, open_catalogue
from index.catalogue.files import FileStore
from index.change import ModelChange
from index.compact import Compactor
from index.embedders.open import open_embedder
from index.embedders.opened import OpenedModels
from index.indexes import Indexes
from index.owner import owned
from index.phrases import Dictionary
from index.pipeline import HybridSearcher
from index.publish import Publisher
from index.rebuild import renew
from index.rerank import Reranking
from index.rerankers.open import open_reranker
from index.restore import refuse_interrupted
from index.topics import TopicFinder
from index.words import words
from ingest.apart.unpacking import UnpackingApart
from ingest.intake import Intake
from ingest.queue import open_queue
from ingest.watch import Watcher
from ingest.worker import limits_of, run_worker
from xuesi.core import models
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import Answerer, Catalogue, Embedder, Reranker
from xuesi.core.settings import Settings
from xuesi.services import Services, in_force

_log = logging.getLogger("xuesi")


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


def open_rerank_model(settings: Settings, *, progress: Callable[[str], None] = _log.info) -> Reranker | None:
    """The reranker of the settings, prepared if it was not; None, and nothing is loaded, where none is set.

    Raises:
        Misconfigured: If there is no such model.
    """
    if not settings.rerank_model:
        return None
    return open_reranker(rerank_model=settings.rerank_model, models_dir=settings.data_dir / "models", progress=progress)


@contextlib.contextmanager
def open_services(settings: Settings, *, url: str = "", standing: bool = False) -> Iterator[Services]:
    """Own the data folder and open everything a server needs; the publisher works until the block ends.

    Args:
        settings: Which data folder, and with what.
        url: Where it will be served, see `index.owner.owned`.
        standing: Whether it is there to stay: folders are watched, and what answers questions is opened at once, or the first one would wait for it.

    Raises:
        DataFolderBusy: If another process owns it.
        DataFolderReadOnly: If it cannot be written.
        IndexMismatch: If the indexes were made by another embedding model.
        Misconfigured: If a model of the settings cannot be opened.
        NewerCatalogue: If a newer program wrote the catalogue.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(owned(settings.data_dir, url=url))
        clear_interrupted(settings.data_dir)
        services = _assemble(settings, stack, warm=standing)
        stop = threading.Event()
        compactor = Compactor(catalogue=services.catalogue, indexes=services.indexes, publisher=services.publisher)
        works: dict[str, Callable[[threading.Event], None]] = {
            "publisher": services.publisher.run_forever,
            "compactor": compactor.run_forever,
            "change": services.change.run_forever,
        }
        if standing:
            works["watcher"] = partial(services.watcher.run_forever, every_s=settings.watch_every_s)
            works["renewal"] = partial(
                renew, indexes=services.indexes, catalogue=services.catalogue, publisher=services.publisher
            )
        for name, work in works.items():
            thread = threading.Thread(target=work, args=(stop,), name=name, daemon=True)
            thread.start()
            stack.callback(thread.join, 30)
        stack.callback(stop.set)
        yield services


def _assemble(settings: Settings, stack: contextlib.ExitStack, *, warm: bool) -> Services:
    catalogue = stack.enter_context(contextlib.closing(catalogue_of(settings)))
    files = FileStore(settings.data_dir / "files")
    opened = models_of(settings, catalogue)
    embedder = opened.in_force()
    reranker = open_rerank_model(settings)
    if warm:
        embedder.embed_query("1")
        if reranker:
            reranker.score("1", ["1"])
    if models.fingerprint_in_force(catalogue) is None:
        catalogue.set_fact(models.FINGERPRINT_FACT, embedder.fingerprint)
    embedders = {embedder.fingerprint: embedder}
    indexes = stack.enter_context(
        contextlib.closing(Indexes(settings.data_dir, catalogue=catalogue, fingerprint=embedder.fingerprint))
    )
    queue = open_queue(settings.queue_url, settings.data_dir)
    unpack = stack.enter_context(contextlib.closing(_unpacking(settings)))
    intake = Intake(
        catalogue=catalogue,
        files=files,
        queue=queue,
        unpack=unpack,
        max_bytes=settings.max_file_mb * 1_000_000,
        secrets=settings.data_dir / "secrets",
    )
    publisher = Publisher(catalogue=catalogue, files=files, indexes=indexes, wake=queue.wake)
    dictionary = Dictionary(catalogue)
    searcher = HybridSearcher(
        embedders=embedders,
        indexes=indexes,
        catalogue=catalogue,
        files=files,
        dictionary=dictionary,
        weight=settings.lexical_weight,
        late_weight=settings.late_weight,
        candidates=settings.candidates,
        max_chars=settings.max_question_chars,
        reranking=Reranking(reranker, candidates=settings.rerank_candidates, budget_ms=settings.rerank_budget_ms)
        if reranker
        else None,
    )
    return Services(
        settings=settings,
        catalogue=catalogue,
        files=files,
        queue=queue,
        embedders=embedders,
        indexes=indexes,
        intake=intake,
        searcher=searcher,
        answerer=_answerer(
            settings,
            ExtractiveAnswerer(
                searcher=searcher, files=files, catalogue=catalogue, tokens=indexes.tokens,
                threshold=settings.answer_threshold, max_statements=settings.max_statements, max_chars=settings.max_question_chars,
            ),
        ),
        publisher=publisher,
        topics=TopicFinder(embedder=lambda: in_force(embedders, indexes), catalogue=catalogue, files=files),
        dictionary=dictionary,
        watcher=Watcher(
            intake=intake, catalogue=catalogue, folders=[Path(it) for it in settings.watched_folders.split(os.pathsep) if it],
            quiet_s=settings.watch_quiet_s, without=settings.data_dir,
        ),
        change=ModelChange(
            catalogue=catalogue, files=files, indexes=indexes, publisher=publisher, embedders=embedders,
            opened=opened, data_dir=settings.data_dir,
        ),
    )  # fmt: skip


def _answerer(settings: Settings, extractive: ExtractiveAnswerer) -> Answerer:
    """That of the settings: with a chat model if they name one. Raises Misconfigured if they name half of one."""
    if not settings.llm_base_url and not settings.llm_model:
        return extractive
    missing = "llm_model" if settings.llm_base_url else "llm_base_url"
    if not (settings.llm_base_url and settings.llm_model):
        raise Misconfigured(
            f"A chat model needs an address and a name, and {missing} is empty.",
            hint=f"Set {missing}, or neither of llm_base_url and llm_model: then answers come without a model.",
            setting=missing,
        )
    # Loaded only where a model is named: LlamaIndex takes seconds and 100 MB.
    from answer.generative import GenerativeAnswerer  # noqa: PLC0415
    from answer.generators.openai_like import OpenAILikeGenerator  # noqa: PLC0415

    generator = OpenAILikeGenerator(
        model=settings.llm_model,
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        silence_s=settings.model_timeout_s,
        total_s=settings.llm_timeout_s,
        parallel=settings.llm_parallel,
    )
    return GenerativeAnswerer(extractive, generator, words=words, max_statements=settings.max_statements)


@contextlib.contextmanager
def open_worker(settings: Settings) -> Iterator[Callable[..., None]]:
    """What reads and embeds: yields `run(parent=PID|None)`. It never touches the indexes, so any number may work beside a server."""
    with contextlib.closing(catalogue_of(settings)) as catalogue:
        opened = models_of(settings, catalogue)
        opened.in_force()  # at once, so that whatever is wrong with it is said at the start
        yield partial(
            run_worker,
            queue=open_queue(settings.queue_url, settings.data_dir),
            catalogue=catalogue,
            files=FileStore(settings.data_dir / "files"),
            embedder=opened.in_force,
            embedder_of=opened.following,
            settings=settings,
        )


def catalogue_of(settings: Settings) -> SqlCatalogue:
    """The library's catalogue, opened.

    Raises:
        WrongState: If a restore into this data folder was interrupted.
        DataFolderReadOnly: If it cannot be written.
        NewerCatalogue: If a newer program wrote the catalogue.
    """
    refuse_interrupted(settings.data_dir)
    return open_catalogue(settings.database_url or f"sqlite:///{settings.data_dir.absolute() / 'catalogue.db'}")


def _unpacking(settings: Settings) -> UnpackingApart:
    most = settings.max_file_mb * 1_000_000
    return UnpackingApart(settings.data_dir / "unpacking", limits_of(settings), max_member_bytes=most)


def models_of(settings: Settings, catalogue: Catalogue) -> OpenedModels:
    """The library's embedding models, each opened when it is asked for."""
    return OpenedModels(settings, catalogue, open_model=open_model)

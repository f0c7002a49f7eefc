"""`xuesi serve`, `xuesi worker`, `xuesi prepare`."""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from xuesi.cli.context import settings_of

# Of a worker on its server's machine (see nice(1)): people who ask come before documents that come in.
_NICENESS = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(worker)
    app.command()(prepare)


def serve(
    context: typer.Context,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether to run a worker too.")] = True,
    sample: Annotated[Path | None, typer.Option(help="Manifest of a corpus to take in on the first run.")] = None,
) -> None:
    """Serve pages and HTTP interface, with a worker unless told otherwise."""
    from xuesi.cli.serving import served

    settings = settings_of(context)
    log_to_stderr(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with served(settings, worker=worker, standing=True, sample=sample) as url:
        print(f"Xuesi serves {url}  (stop with Ctrl-C)", flush=True)
        while not stop.wait(1.0):
            pass
        print("Stopping …", flush=True)


def worker(
    context: typer.Context,
    with_parent: Annotated[
        int | None, typer.Option(hidden=True, help="End when this process, which started this one, ends.")
    ] = None,
) -> None:
    """Read and embed what waits, until stopped."""
    from xuesi.wiring import open_worker

    settings = settings_of(context)
    log_to_stderr(settings.log_level)
    if with_parent:
        os.nice(_NICENESS)
    with open_worker(settings) as run:
        run(parent=with_parent)


def prepare(context: typer.Context) -> None:
    """Prepare the embedding model, and the reranker if one is set: once, at set-up."""
    from xuesi.wiring import open_model, open_rerank_model

    settings = settings_of(context)
    for opened in (open_model, open_rerank_model):
        opened(settings, progress=lambda message: print(message, flush=True))


def log_to_stderr(level: str) -> None:
    """Log lines with time, level and place, on standard error."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "httpcore", "openai", "llama_index", "chromadb", "huey", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

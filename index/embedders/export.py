"""Is the embedding model ready to run? Prepares it once, so that no later start needs torch.

`prepare_model` leaves a folder with an OpenVINO graph in float16, a tokenizer and a card; `OpenVinoEmbedder` opens it.
"""

import hashlib
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from filelock import FileLock

from index.embedders.card import read_card
from xuesi.core.disk import disk_errors
from xuesi.core.errors import Misconfigured, XuesiError

EMBEDDED = "embedded"
_ENDING_S = 30.0  # torch takes a second or two to end; longer on a busy machine


def prepare_model(models_dir: Path, *, embedding_model: str = EMBEDDED, progress: Callable[[str], None]) -> Path:
    """Return the folder of the prepared model, preparing it first where that has not been done.

    The folder appears complete or not at all; two processes that prepare at once wait for each other. Takes about half
    a minute and 2 GB of memory for the embedded model, in a process of its own that ends with it.

    Args:
        models_dir: Folder of all prepared models.
        embedding_model: `embedded`, a sentence-transformers folder, or a hub name.
        progress: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: The model is missing, damaged, or of a kind that cannot be converted.
        DataFolderReadOnly: `models_dir` cannot be written.
        StorageFull: The disk is full.
    """
    source = _source(embedding_model)
    folder = models_dir / _folder_name(source)
    if _is_prepared(folder, source):
        return folder
    try:
        with disk_errors(models_dir):
            models_dir.mkdir(parents=True, exist_ok=True)
            with FileLock(models_dir / f"{folder.name}.lock"):
                if not _is_prepared(folder, source):
                    _prepare(source, folder, progress)
    except OSError as exc:
        raise Misconfigured(
            f"The embedding model cannot be prepared in {models_dir}: {exc}", hint="Check this folder."
        ) from exc
    return folder


def _source(embedding_model: str) -> str:
    path = Path(embedding_model).expanduser()
    return str(path.resolve()) if embedding_model != EMBEDDED and path.is_dir() else embedding_model


def _folder_name(source: str) -> str:
    if source == EMBEDDED:
        return EMBEDDED
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", source).strip("-.")[-40:]
    return f"{readable}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _stamp(source: str) -> str:
    """State of a source folder, so that a model replaced in its place is noticed; empty where there is no folder."""
    if source == EMBEDDED or not Path(source).is_dir():
        return ""
    files = [path.stat() for path in Path(source).rglob("*") if path.is_file()]
    return f"{len(files)} files, newest {max((file.st_mtime_ns for file in files), default=0)}"


def _is_prepared(folder: Path, source: str) -> bool:
    card = read_card(folder)
    if card is None:
        return False
    stamp = _stamp(source)
    return not stamp or stamp == card.source_stamp  # a prepared model goes on working where its source is gone


def _prepare(source: str, folder: Path, progress: Callable[[str], None]) -> None:
    draft = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(draft, ignore_errors=True)  # what a preparation that was killed left behind
    draft.mkdir()
    try:
        _convert_in_process(source, draft, progress)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress("The embedding model is ready")


def _convert_in_process(source: str, draft: Path, progress: Callable[[str], None]) -> None:
    # spawn, not fork: the child must not inherit threads, locks and open databases of a server
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, source, draft), name="prepare-model")
    process.start()
    sender.close()  # so that the end of the child ends the wait for its messages
    try:
        error = _outcome(receiver, progress)
        process.join(_ENDING_S)  # a child that is stopped while it ends leaves semaphores behind
    except EOFError:
        process.join()
        raise Misconfigured(
            f"Preparing the embedding model {source!r} was interrupted (exit code {process.exitcode}).",
            hint="The lines above say why. Without any, it was killed: it needs about 2 GB of free memory, once.",
        ) from None
    finally:
        receiver.close()
        process.terminate()  # where nobody waits for it any more
        process.join()
    if error is not None:
        raise error


def _outcome(receiver: Connection, progress: Callable[[str], None]) -> Exception | None:
    """Pass on what the child reports until it is done, or tells its error."""
    while True:
        message = receiver.recv()
        if message is None or isinstance(message, Exception):
            return message
        progress(message)


def _child(sender: Connection, source: str, draft: Path) -> None:
    if source == EMBEDDED:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read at import: nothing of the embedded model is looked up outside
    sender.send("Preparing the embedding model; this is done once and takes about half a minute")
    from index.embedders.conversion import convert  # noqa: PLC0415  (torch belongs to this process only)

    try:
        convert(source, draft, stamp=_stamp(source), report=sender.send)
        sender.send(None)
    except (XuesiError, OSError) as exc:
        sender.send(exc)

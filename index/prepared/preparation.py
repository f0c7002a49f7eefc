"""Is a model ready to run? Prepares it once, so that no later start needs torch.

`prepare` leaves a folder with an OpenVINO graph in float16, a tokenizer and a card.
"""

import hashlib
import importlib
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from filelock import FileLock

from index.prepared.card import Card
from xuesi.core.disk import disk_errors
from xuesi.core.errors import Misconfigured, XuesiError

_ENDING_S = 30.0  # torch takes a second or two to end; longer on a busy machine


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of model that is prepared.

    Attributes:
        name: What messages call it: "embedding model".
        conversion: Module whose `convert(source, folder, stamp=, report=)` writes the prepared model; it may import torch.
        read_card: The card in a prepared model's folder, None where there is none.
        embedded: The name under which the program brings one of its own, if it does; nothing of that one is looked up outside.
        prefix: What its folders' names begin with.
    """

    name: str
    conversion: str
    read_card: Callable[[Path], Card | None]
    embedded: str = ""
    prefix: str = ""


def prepare(kind: Kind, model: str, *, models_dir: Path, progress: Callable[[str], None]) -> Path:
    """Return the folder of the prepared model, preparing it first where that has not been done.

    The folder appears complete or not at all; two processes that prepare at once wait for each other. Takes about half
    a minute and 2 GB of memory for the embedded model, in a process of its own that ends with it.

    Args:
        kind: What it is.
        model: A sentence-transformers folder, a hub name, or the kind's `embedded`.
        models_dir: Folder of all prepared models.
        progress: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: The model is missing, damaged, or of a kind that cannot be converted.
        DataFolderReadOnly: `models_dir` cannot be written.
        StorageFull: The disk is full.
    """
    source = _source(kind, model)
    folder = models_dir / _folder_name(kind, source)
    if _is_prepared(kind, folder, source):
        return folder
    try:
        with disk_errors(models_dir):
            models_dir.mkdir(parents=True, exist_ok=True)
            with FileLock(models_dir / f"{folder.name}.lock"):
                if not _is_prepared(kind, folder, source):
                    _prepare(kind, source, folder, progress)
    except OSError as exc:
        raise Misconfigured(
            f"The {kind.name} cannot be prepared in {models_dir}: {exc}", hint="Check this folder."
        ) from exc
    return folder


def _source(kind: Kind, model: str) -> str:
    path = Path(model).expanduser()
    return str(path.resolve()) if model != kind.embedded and path.is_dir() else model


def _folder_name(kind: Kind, source: str) -> str:
    if source == kind.embedded:
        return source
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", source).strip("-.")[-40:]
    return f"{kind.prefix}{readable}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _stamp(kind: Kind, source: str) -> str:
    """State of a source folder, so that a model replaced in its place is noticed; empty where there is no folder."""
    if source == kind.embedded or not Path(source).is_dir():
        return ""
    files = [path.stat() for path in Path(source).rglob("*") if path.is_file()]
    return f"{len(files)} files, newest {max((file.st_mtime_ns for file in files), default=0)}"


def _is_prepared(kind: Kind, folder: Path, source: str) -> bool:
    card = kind.read_card(folder)
    if card is None:
        return False
    stamp = _stamp(kind, source)
    return not stamp or stamp == card.source_stamp  # a prepared model goes on working where its source is gone


def _prepare(kind: Kind, source: str, folder: Path, progress: Callable[[str], None]) -> None:
    draft = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(draft, ignore_errors=True)  # what a preparation that was killed left behind
    draft.mkdir()
    try:
        _convert_in_process(kind, source, draft, progress)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress(f"The {kind.name} is ready")


def _convert_in_process(kind: Kind, source: str, draft: Path, progress: Callable[[str], None]) -> None:
    # spawn, not fork: the child must not inherit threads, locks and open databases of a server
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, kind, source, draft), name="prepare-model")
    process.start()
    sender.close()  # so that the end of the child ends the wait for its messages
    try:
        error = _outcome(receiver, progress)
        process.join(_ENDING_S)  # a child that is stopped while it ends leaves semaphores behind
    except EOFError:
        process.join()
        raise Misconfigured(
            f"Preparing the {kind.name} {source!r} was interrupted (exit code {process.exitcode}).",
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


def _child(sender: Connection, kind: Kind, source: str, draft: Path) -> None:
    if source == kind.embedded:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read at import: nothing of the embedded model is looked up outside
    sender.send(f"Preparing the {kind.name}; this is done once and takes about half a minute")
    conversion = importlib.import_module(kind.conversion)  # torch belongs to this process only

    try:
        conversion.convert(source, draft, stamp=_stamp(kind, source), report=sender.send)
        sender.send(None)
    except (XuesiError, OSError) as exc:
        sender.send(exc)

"""How does a process become the server? It owns the data folder under a lock, listens, and keeps a worker process alive."""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from xuesi.core.errors import Misconfigured, PortInUse
from xuesi.core.settings import Settings

_log = logging.getLogger("xuesi.serving")
_RESTART_AFTER_S = (1.0, 5.0, 30.0)


def owner_url(settings: Settings) -> str | None:
    """Where the process that owns the data folder serves, or None if nobody owns it."""
    import filelock

    lock = filelock.FileLock(settings.data_dir / "owner.lock")
    if not settings.data_dir.is_dir():
        return None
    try:
        with lock.acquire(timeout=0):
            return None
    except filelock.Timeout:
        pass
    except OSError:
        return None  # a folder that cannot be written is reported by whoever opens it
    with contextlib.suppress(OSError, ValueError, KeyError):
        return str(json.loads((settings.data_dir / "owner.json").read_text(encoding="utf-8"))["url"])
    return None


@contextlib.contextmanager
def served(settings: Settings, *, worker: bool, sample: Path | None = None) -> Iterator[str]:
    """Serve in a thread of this process for as long as the block lasts; yields the address.

    Raises:
        PortInUse: If the port is taken.
        DataFolderBusy, DataFolderReadOnly, IndexMismatch, NewerCatalogue: If the data folder cannot be opened.
    """
    import uvicorn

    from api.app import create_app
    from api.security import check_exposure
    from xuesi.cli.sample import take_sample
    from xuesi.wiring import open_services

    check_exposure(settings)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(settings))
        port = listener.getsockname()[1]
        url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
        services = stack.enter_context(open_services(settings))
        if sample:
            take_sample(services, sample)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(services), log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=5
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
        thread.start()
        stack.callback(thread.join, 10)
        stack.callback(setattr, server, "should_exit", True)
        _announce(settings.data_dir / "owner.json", url)
        stack.callback((settings.data_dir / "owner.json").unlink, missing_ok=True)
        if worker:
            stack.enter_context(_worker_process(settings))
        yield url


def _announce(path: Path, url: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    partial.replace(path)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if isinstance(error, PermissionError) or not error.errno:
            raise Misconfigured(
                f"Port {settings.port} on {settings.host} may not be used: {error.strerror}."
            ) from error
        raise PortInUse(
            f"Port {settings.port} on {settings.host} cannot be listened on: {error.strerror}.",
            hint="Stop what uses it, or choose another with XUESI_PORT.",
        ) from error
    return listener


@contextlib.contextmanager
def _worker_process(settings: Settings) -> Iterator[None]:
    """Keep one `xuesi worker` alive; a worker that dies is started again, later each time."""
    stop = threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def keep_alive() -> None:
        deaths = 0
        while not stop.is_set():
            process = subprocess.Popen(  # noqa: S603 our own program
                [sys.executable, "-m", "xuesi.launch", *_as_options(settings), "worker", "--with-parent"]
            )
            current[:] = [process]
            code = process.wait()
            if stop.is_set():
                return
            wait_s = _RESTART_AFTER_S[min(deaths, len(_RESTART_AFTER_S) - 1)]
            _log.error("The worker ended with exit code %s; it is started again in %s s.", code, wait_s)
            deaths += 1
            stop.wait(wait_s)

    thread = threading.Thread(target=keep_alive, name="worker-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        for process in current:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        thread.join(5)


def _as_options(settings: Settings) -> list[str]:
    """The settings that were overridden, so that the worker runs under the same; secrets travel by environment, never on a command line."""
    given = settings.model_dump(
        exclude_unset=True, exclude={"admin_token", "embedding_api_key", "llm_api_key"}, mode="json"
    )
    return [option for name, value in given.items() for option in ("--set", f"{name}={value}")]

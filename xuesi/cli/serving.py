"""How does a process become the server? It owns the data folder under a lock, listens, and keeps a worker process alive."""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from index.owner import withdraw
from xuesi.core.errors import Misconfigured, PortInUse
from xuesi.core.settings import SECRETS, Settings

_log = logging.getLogger("xuesi.serving")
_UNSEEN = (*SECRETS, "database_url", "queue_url")  # an address may hold a password
_RESTART_AFTER_S = (1.0, 5.0, 30.0)
_LIVED_S = 20.0  # a worker that lived this long could start: what ended it later is another matter


@contextlib.contextmanager
def served(settings: Settings, *, worker: bool, standing: bool = False, sample: Path | None = None) -> Iterator[str]:
    """Serve in a thread of this process for as long as the block lasts; yields the address. `standing` as in `open_services`.

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
        url = url_of(settings.host, port)
        services = stack.enter_context(open_services(settings, url=url, standing=standing))
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
        stack.callback(withdraw, settings.data_dir)
        if worker:
            stack.enter_context(_worker_process(settings))
        yield url


def url_of(host: str, port: int) -> str:
    """The address of a server there."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


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
            process = _start_worker(settings)
            current[:] = [process]
            if stop.is_set():  # meanwhile, so that nobody else has seen this one
                process.terminate()
            started = time.monotonic()
            code = process.wait()
            if stop.is_set():
                return
            if time.monotonic() - started > _LIVED_S:
                deaths = 0
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


def _start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 our own program
        [
            sys.executable,
            "-P",  # nothing of the folder that the server was started in
            "-m",
            "xuesi.launch",
            *as_options(settings),
            "worker",
            # By number: one that asked for its parent after this one was killed would never learn of it.
            "--with-parent",
            str(os.getpid()),
        ],
        env=environment_of(settings),
    )


def as_options(settings: Settings) -> list[str]:
    """The settings that were overridden, so that the worker runs under the same; but for what nobody may see."""
    given = settings.model_dump(exclude_unset=True, exclude=set(_UNSEEN), mode="json")
    return [option for name, value in given.items() for option in ("--set", f"{name}={value}")]


def environment_of(settings: Settings) -> dict[str, str]:
    """The worker's environment, with what nobody may see of these settings, wherever it came from."""
    environment = dict(os.environ)
    for name in _UNSEEN:
        variable = f"XUESI_{name.upper()}"
        environment.pop(f"{variable}_FILE", None)  # it would win
        environment.pop(variable, None)  # an empty value may have taken its place
        if value := getattr(settings, name):
            environment[variable] = value.get_secret_value() if name in SECRETS else value
    return environment

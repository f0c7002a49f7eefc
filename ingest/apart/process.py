"""How does the worker, or the server, have work done apart? It keeps a zygote, has a process forked for each piece of work, and watches it."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.apart.limits import RESERVED, Limits
from ingest.apart.lines import Lines

_log = logging.getLogger("xuesi.apart")
ROOT = Path(__file__).parents[2]  # where `ingest` is imported from: the checkout, or the folder that the wheel carries
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ingest.apart.zygote import main; main()"
_LOOK_S = 0.2
_LOG_CHARS = 2_000
_NEAR = 0.8  # share of the memory limit from which on a bad end is put down to it
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: with an exit code, by a signal, or at a limit ("time", "silence", "memory"), else ""; and what it took at most."""

    code: int | None
    signal: int | None
    limit: str
    peak_bytes: int
    log: str

    @property
    def well(self) -> bool:
        """Whether it did its work."""
        return self.code == 0 and not self.limit

    def __str__(self) -> str:
        if self.signal is not None:
            return f"it was ended by {signal.Signals(self.signal).name}"
        return "it could not be started" if self.code is None else f"it ended with exit code {self.code}"


class Apart:
    """Has one piece of work done at a time. Safe to share among threads.

    Args:
        work: Name of the module that does it, see `ingest.apart.zygote`.
        given: What the module's `prepare` is given.
    """

    def __init__(self, work: str, given: Any = None) -> None:
        self._work = work
        self._given = given
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._lines: Lines | None = None

    def run(self, request: Mapping[str, Any], *, folder: Path, limits: Limits, watch: Watch) -> Ended:
        """Have it done, and wait for it.

        Args:
            request: What the module's `work` is given; travels as JSON.
            folder: Empty; takes the output.
            limits: What it may take.
            watch: Called several times a second with pages done and pages in all. What it raises ends the work and passes.
        """
        with self._lock:
            try:
                lines = self.start()
                lines.send({**request, "folder": str(folder.absolute()), "limits": asdict(limits)})
                return self._followed(lines, limits, watch, folder)
            except (EOFError, OSError, ValueError) as error:
                _log.warning("The process that starts others was lost: %r", error)
                self._end()
                return Ended(None, None, "", 0, _tail(folder))
            except BaseException:
                self._end()
                raise

    def start(self) -> Lines:
        """Start the zygote if there is none, so that it gets ready while other things are done."""
        if self._lines is not None and self._zygote is not None and self._zygote.poll() is None:
            return self._lines
        self._end()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [
                sys.executable,
                "-P",
                "-B",
                "-c",
                _START,
                str(ROOT),
                str(theirs.fileno()),
                self._work,
                json.dumps(self._given),
            ]
            self._zygote = subprocess.Popen(  # noqa: S603 our own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                start_new_session=True,
            )
        self._lines = Lines(ours)
        return self._lines

    def close(self) -> None:
        """End the zygote and what it works on."""
        with self._lock:
            self._end()

    def _followed(self, lines: Lines, limits: Limits, watch: Watch, folder: Path) -> Ended:
        begun = moved = time.monotonic()
        at, limit = (0, 0), ""
        while True:
            said = lines.receive(_LOOK_S) or {}
            now = time.monotonic()
            if "ended" in said:
                return _ended(said["ended"], limit, limits, folder)
            if "done" in said and (said["done"], said["total"]) != at:
                at, moved = (said["done"], said["total"]), now
            if not limit:
                limit = (
                    "time" if now - begun > limits.timeout_s else "silence" if now - moved > limits.silence_s else ""
                )
                if limit:
                    lines.send({"kill": True})
            watch(*at)

    def _end(self) -> None:
        """Closing the socket makes the zygote kill its child and end; killing the zygote makes the kernel kill the child."""
        zygote, lines = self._zygote, self._lines
        self._zygote = self._lines = None
        if lines is not None:
            lines.close()
        if zygote is not None:
            zygote.kill()
            zygote.wait()


def _ended(said: Mapping[str, Any], limit: str, limits: Limits, folder: Path) -> Ended:
    killed_by = said.get("signal")
    if killed_by == signal.SIGXCPU:
        limit = limit or "time"
    badly = said.get("exit") != 0 and killed_by != signal.SIGKILL
    if said["over"] or (badly and said["peak_data_bytes"] > _NEAR * RESERVED * limits.memory_mb * 1_000_000):
        limit = limit or "memory"  # a library that gets no more memory fails in its own way, or ends its process
    return Ended(said.get("exit"), killed_by, limit, said["peak_bytes"], _tail(folder))


def _tail(folder: Path) -> str:
    try:
        with (folder / "log").open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_CHARS))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _environment() -> dict[str, str]:
    """This process's, without its secrets, and with one thread for arithmetic: a process with threads cannot be forked safely."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("XUESI_")}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

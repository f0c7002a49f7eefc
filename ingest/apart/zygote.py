"""How does a process for one file start in milliseconds? It is forked from this one, which has the libraries loaded and never sees a file.

Started by `ingest.apart.process` with the number of its socket, the module that does the work, and what that module is to prepare. The module has
`OUTPUTS` (names of the files it writes), `prepare(given)`, `load(name)` (called before the next fork with what the work says it had to load) and
`work(request, outputs, limits, tell)`.
"""

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from ingest.apart.confinement import confine
from ingest.apart.limits import Limits
from ingest.apart.lines import Lines

Tell = Callable[[dict[str, Any]], None]
_SAMPLE_S = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TROUBLE = 70  # EX_SOFTWARE: an exception that the work did not foresee; its traceback is in the log


class Work(Protocol):
    """The module that does the work."""

    OUTPUTS: tuple[str, ...]

    def prepare(self, given: Any) -> None:
        """Once, before anything is forked."""

    def load(self, name: str) -> None:
        """Load what a piece of work needed, so that the next one finds it there."""

    def work(self, request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Limits, tell: Tell) -> None:
        """Do a piece of work, confined."""


def main() -> None:
    """Serve until the socket closes."""
    lines = Lines(socket.socket(fileno=int(sys.argv[1])))
    work: Work = importlib.import_module(sys.argv[2])
    work.prepare(json.loads(sys.argv[3]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            request = lines.receive(None)
            if request is not None and "kill" not in request:  # the work that was to be killed had ended
                lines.send(_Run(work, lines, request).ended())


class _Run:
    """One piece of work, from fork to end."""

    def __init__(self, work: Work, lines: Lines, request: dict[str, Any]) -> None:
        self._work, self._lines, self._request = work, lines, request
        self._used: list[str] = []
        self._most = request["limits"]["memory_mb"] * 1_000_000
        self._peak, self._peak_data, self._over = 0, 0, False
        self._said = b""

    def ended(self) -> dict[str, Any]:
        """Do it, and say how it ended."""
        gc.collect()
        gc.freeze()  # else every fork would copy the pages that hold reference counts of the collector
        hears, tells = os.pipe()
        parent = os.getpid()
        process = os.fork()
        if process == 0:
            os.close(hears)
            self._lines.close()
            _child(self._work, self._request, tells, parent)
        os.close(tells)
        try:
            status = self._followed(process, hears)
        except BaseException:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise
        finally:
            os.close(hears)
        for name in self._used:
            self._work.load(name)
        end = {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"exit": os.WEXITSTATUS(status)}
        return {"ended": {**end, "peak_bytes": self._peak, "peak_data_bytes": self._peak_data, "over": self._over}}

    def _followed(self, process: int, hears: int) -> int:
        """Pass on what the process tells, kill it when told to, until it has ended; returns its wait status."""
        open_ends: list[Any] = [self._lines, hears]
        while True:
            ready = select.select(open_ends, [], [], _SAMPLE_S if hears in open_ends else 0.001)[0]
            if self._lines in ready and self._lines.receive(0) is not None:
                os.kill(process, signal.SIGKILL)
            if hears in ready and not self._heard(hears):
                open_ends.remove(hears)
            self._sample(process)
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                while self._heard(hears):
                    pass
                return status

    def _heard(self, hears: int) -> bool:
        more = os.read(hears, 65536)
        self._said += more
        *said, self._said = self._said[-1_000_000:].split(b"\n")
        for line in said:
            told = _checked(line)
            if "used" in told:
                self._used.append(told["used"])
            elif "done" in told:
                self._lines.send(told)
        return bool(more)

    def _sample(self, process: int) -> None:
        """Look at its memory, and end it where it holds too much: the kernel can limit only what it reserves."""
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
            self._peak = max(self._peak, int(fields[1]) * _PAGE_BYTES)
            self._peak_data = max(self._peak_data, int(fields[5]) * _PAGE_BYTES)
            if self._peak > self._most:
                self._over = True
                os.kill(process, signal.SIGKILL)


def _checked(line: bytes) -> dict[str, Any]:
    """What a confined process tells is not trusted: numbers and a word, or nothing."""
    try:
        told = json.loads(line)
        if isinstance(told.get("used"), str) and told["used"].isidentifier():
            return {"used": told["used"]}
        return {"done": int(told["done"]), "total": int(told["total"])}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _child(work: Work, request: dict[str, Any], tells: int, parent: int) -> NoReturn:
    code = _TROUBLE
    try:
        folder = Path(request.pop("folder"))
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        faulthandler.enable()
        outputs: dict[str, BinaryIO] = {name: (folder / name).open("xb") for name in work.OUTPUTS}
        limits = Limits(**request.pop("limits"))
        confine(limits, parent=parent)
        work.work(request, outputs, limits, _teller(tells))
        for output in outputs.values():
            output.flush()
        code = 0
    except BaseException:  # noqa: BLE001 whatever it was, this process must not go on as a second zygote
        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(code)


def _teller(tells: int) -> Tell:
    """Writes a line to the zygote; of pages at most twenty a second, the last one among them."""
    last_s = float("-inf")

    def tell(said: dict[str, Any]) -> None:
        nonlocal last_s
        now = time.monotonic()
        if "done" not in said or said["done"] == said["total"] or now - last_s >= 0.05:
            last_s = now
            os.write(tells, json.dumps(said).encode() + b"\n")

    return tell

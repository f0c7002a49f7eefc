"""What do end-to-end tests need? The program as a process, on a data folder of its own that shares the prepared model."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
_START_S = 200.0
_GUARD_S = 240.0


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of Xuesi's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("XUESI_")} | more


def data_folder(parent: Path, model_dir: Path) -> Path:
    """A fresh data folder whose model is the one that is prepared already."""
    folder = parent / "var with spaces"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / model_dir.name).symlink_to(model_dir)
    return folder


@dataclass
class Program:
    """The `xuesi` command on one data folder."""

    data_dir: Path
    command: Sequence[str] = (sys.executable, "-m", "xuesi.launch")
    cwd: Path = ROOT

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        given = clean_environment(**{"XUESI_DATA_DIR": str(self.data_dir)} | environment)
        return subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            text=True,
            env=given,
            cwd=self.cwd,
            timeout=600,
            check=False,
        )

    @contextlib.contextmanager
    def serving(self, *arguments: str, wrapper: Sequence[str] = (), **environment: str) -> Iterator[str]:
        """A server on a free port; yields its address."""
        given = clean_environment(**{"XUESI_DATA_DIR": str(self.data_dir), "XUESI_PORT": "0"} | environment)
        log = self.data_dir.parent / "server.log"
        with log.open("a") as errors:
            process = subprocess.Popen(
                [*wrapper, *self.command, "serve", *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=given,
                cwd=self.cwd,
            )
            try:
                assert process.stdout
                line = process.stdout.readline()
                found = re.search(r"http://\S+", line)
                assert found, f"no address in {line!r}; {log.read_text()}"
                yield found.group()
            finally:
                process.terminate()
                process.wait(120)
                assert process.stdout
                process.stdout.close()

    def server(self) -> psutil.Process:
        """The process that owns the data folder."""
        return psutil.Process(json.loads((self.data_dir / "owner.json").read_text())["pid"])

    def worker(self) -> psutil.Process:
        """The worker that the server started."""
        (found,) = (process for process in self.server().children() if "worker" in process.cmdline())
        return found


def until(reached: Callable[[], bool], *, pause_s: float = 0.1) -> None:
    """Wait for what is to come."""
    deadline = time.monotonic() + _GUARD_S
    while not reached():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(pause_s)


def wait_until_ready(url: str) -> None:
    """Wait for `/readyz` to answer 200."""
    deadline = time.monotonic() + _START_S * 3
    while time.monotonic() < deadline:
        if httpx.get(f"{url}/readyz", timeout=60).status_code == 200:
            return
        time.sleep(0.3)
    pytest.fail("not ready in time")


@pytest.fixture
def program(tmp_path: Path, model_dir: Path) -> Program:
    return Program(data_folder(tmp_path, model_dir))

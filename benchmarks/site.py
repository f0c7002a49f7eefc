"""What do the benchmarks measure on? A server with its worker, as a process of its own on a data folder."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).resolve().parents[1]


class Site:
    """A server with its worker. `settings` are given to it by environment; its log lies beside the data folder."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self._log: IO[str] = (data_dir.parent / "server.log").open("a")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XUESI_")},
            "XUESI_DATA_DIR": str(data_dir),
            "XUESI_PORT": "0",
            **{f"XUESI_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "xuesi.launch", "serve"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env=self._environment,
        )
        assert self._process.stdout
        found = re.search(r"http://\S+", self._process.stdout.readline())
        assert found, "the server did not start; see server.log"
        self.url = found.group()

    @property
    def process(self) -> subprocess.Popen[str]:
        """The server's process."""
        assert self._process, "not started"
        return self._process

    def ended(self) -> None:
        """Wait for the end of a server that was killed."""
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def stop(self) -> None:
        """End it as a person would."""
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
        self._log.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the program, on the same folder."""
        command = [sys.executable, "-m", "xuesi.launch", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=self._environment, check=False)

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list of the HTTP interface."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = httpx.get(f"{self.url}/api/v1{path}", params={"limit": 100, "cursor": cursor}, timeout=60).json()
            items += answer["items"]
            cursor = answer["next"] or ""
            if not cursor:
                return items

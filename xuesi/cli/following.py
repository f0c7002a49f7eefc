"""How does a command follow the files that it has given? A line for each that ended, and a bar below them where there is a terminal."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from xuesi.cli.context import Client
from xuesi.cli.jobs import clock
from xuesi.core.errors import DuplicateDocument, JobNotFound
from xuesi.core.text import counted

# The states in which a job ends, and one that has gone with its document; each as it is told.
_ENDS = {"done": "live", "failed": "failed", "cancelled": "cancelled", "removed": "removed"}
_POLL_S = 0.3
_STILL_S = 180.0  # the lease of a job that is worked on is renewed more often than that


def upload(server: Client, path: str, *, name: str, source: BinaryIO, metadata: str) -> list[dict[str, Any]]:
    """Send a file; what became of it, or of each file inside. Raises as `Client.call`."""
    answer = server.call("POST", path, files={"file": (name, source)}, data={"metadata": metadata})
    outcomes: list[dict[str, Any]] = answer["documents"]
    return outcomes


def follow(server: Client, waiting: dict[str, str], progress: "Progress") -> Iterator[str]:
    """Follow the jobs to their ends; yields a line for each that failed."""
    moved, seen = time.monotonic(), dict[str, str]()
    while waiting:
        if time.monotonic() - moved > _STILL_S:
            progress.say(f"Nothing has moved for {clock(_STILL_S)}: xuesi doctor says why. What was sent is kept.")
            moved = time.monotonic()
        running = False
        for job_id, path in list(waiting.items()):
            job = _job(server, job_id)
            if seen.get(job_id) != job["updated_at"]:
                seen[job_id], moved = job["updated_at"], time.monotonic()
            if job["state"] == "running":
                if not running:
                    progress.now(path, job)
                running = True
            elif job["state"] in _ENDS:
                del waiting[job_id]
                yield from _ended(job, path, progress)
            elif running:
                break  # those behind it wait too
        time.sleep(_POLL_S if waiting else 0)


def _job(server: Client, job_id: str) -> dict[str, Any]:
    try:
        job: dict[str, Any] = server.call("GET", f"/jobs/{job_id}")
    except JobNotFound:
        return {
            "state": "removed",
            "updated_at": "",
            "error": {"detail": "Its document was removed before it was live."},
        }
    return job


def _ended(job: dict[str, Any], path: str, progress: "Progress") -> Iterator[str]:
    """Tell how a file ended; yields why it is not live."""
    reason = job["error"] or {}
    if reason.get("code") == DuplicateDocument.code:  # the same text, which only reading finds
        progress.ended(path, "already there", document=reason.get("document_id"))
        return
    progress.ended(path, _ENDS[job["state"]])
    if job["state"] != "done":
        yield f"{path}: {reason.get('detail') or job['state']}"


class Progress:
    """A line a file that ended, and below them a bar where there is a terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,  # the lines above it say how each file ended
        )
        self._task = self.bar.add_task("adding", total=total)
        self.total = total
        self._ends: Counter[str] = Counter()

    def more(self, files: int) -> None:
        """A file held so many more than it counted for, or one fewer where it held none."""
        self.total += files
        self.bar.update(self._task, total=self.total)

    def now(self, path: str, job: dict[str, Any]) -> None:
        """The file whose job runs, with how far it is."""
        of = f" {job['done']}/{job['total']}" if job["total"] else ""
        left = "" if job["eta_s"] is None else f", {clock(job['eta_s'])} left"
        self.bar.update(
            self._task,
            description=f"{path.rsplit('/', 1)[-1][:40]} · {job['stage']}{of}{left}",
            completed=self._ends.total() + _share(job),
        )

    def ended(self, path: Path | str, how: str, *, document: str | None = None) -> None:
        """A line for a file that ended: live, failed, already there and so on; with `document`, where it is."""
        self._ends[how] += 1
        where = f"  (xuesi show {document})" if document else ""
        self.console.print(f"{how:>13}  {path}{where}", highlight=False, markup=False, soft_wrap=True)
        self.bar.update(self._task, completed=self._ends.total())

    def say(self, sentence: str) -> None:
        """A line above the bar."""
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def summary(self) -> None:
        """How the files ended so far."""
        ends = ", ".join(f"{count} {how}" for how, count in self._ends.most_common())
        self.console.print(f"{self._ends.total()} of {counted(self.total, 'file')}: {ends or 'none'}", highlight=False)


def _share(job: dict[str, Any]) -> float:
    """How much of a file is done, in [0, 1): reading is the first half, embedding the second."""
    begun = {"reading": 0.0, "embedding": 0.5, "publishing": 0.99}.get(job["stage"], 0.0)
    return begun + (0.49 * min(1.0, job["done"] / job["total"]) if job["total"] else 0.0)


@contextlib.contextmanager
def progress_of(total: int) -> Iterator[Progress]:
    """The progress of so many files, shown for as long as the block lasts."""
    progress = Progress(total)
    with progress.bar:
        yield progress

"""Does anything get lost or doubled when processes are killed at random while files come in? Kills worker, server and reading process; then looks.

    python -m benchmarks.kill [--files 100] [--kills 50] [--seed 0]

Files are texts and PDFs made here. After the last kill the server starts once more and everything is waited for. A document over which
two processes died is set aside, as it should be; an administrator would try it again when the machine is well, and so does this, and says how often.
"""

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.ingest import documents
from benchmarks.site import ROOT, Site

_WAIT_S = 900.0
_MEET_S = 60.0
_UNFINISHED = ("queued", "running")
_VICTIMS = ("worker", "worker", "server", "reader", "reader", "zygote")


@dataclass
class Outcome:
    """What was killed, and what is there in the end."""

    killed: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    set_aside: int = 0
    live: int = 0
    doubled: int = 0
    unfound: list[str] = field(default_factory=list)
    findings: str = ""
    left_running: int = 0
    seconds: float = 0.0


def kill(site: Site, what: str) -> bool:
    """Send SIGKILL to the server, its worker or the process that reads; False if there is none at the moment."""
    victims = _victims(site, what)
    if not victims:
        return False
    os.kill(victims[0], signal.SIGKILL)
    if what == "server":
        site.ended()
        site.start()
    return True


def _victims(site: Site, what: str) -> list[int]:
    """Server, its worker, and below the worker the zygote and the process that reads (all are asked for by parenthood)."""
    workers = [child for child in _children(site.process.pid) if "worker" in _command(child)]
    zygotes = [child for worker in workers for child in _children(worker)]
    readers = [child for zygote in zygotes for child in _children(zygote)]
    return {"server": [site.process.pid], "worker": workers, "zygote": zygotes, "reader": readers}[what]


def _children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return []


def _command(process: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
    return []


def material(count: int, folder: Path) -> dict[str, str]:
    """Files in `folder`, two in three texts and one a PDF; by name a sentence that stands in this one only."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    marks = {}
    for number, text in enumerate(documents(count)):
        mark = f"第{number}号材料的暗记是{number * 7919 + 100003}。"
        if number % 3 == 2:
            name = f"{number}.pdf"
            canvas = Canvas(str(folder / name), pagesize=(595, 842))
            for page in text.split("\n\n")[1:9:2]:
                canvas.setFont("STSong-Light", 12)
                for row in range(0, len(page), 40):
                    canvas.drawString(60, 760 - row // 2, page[row : row + 40])
                canvas.drawString(60, 400, mark)
                canvas.showPage()
            canvas.save()
        else:
            name = f"{number}.txt"
            (folder / name).write_text(f"{text[:1500]}\n\n{mark}\n", encoding="utf-8")
        marks[name] = mark
    return marks


def measure(*, files: int, victims: Sequence[str], seed: int, models: Path) -> Outcome:
    """Kill these, one after the other at random times, while files come in; what was killed and what is there afterwards."""
    chance, outcome, started = random.Random(seed), Outcome(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "var"
        data_dir.mkdir()
        (data_dir / "models").symlink_to(models)
        given = Path(folder) / "given"
        given.mkdir()
        marks = material(files, given)
        site = Site(data_dir, job_lease_s="2")
        site.start()
        try:
            waiting = list(marks)
            for number, what in enumerate(victims, start=1):
                while waiting and (len(marks) - len(waiting)) * len(victims) < number * len(marks):
                    _send(site, given / waiting[0], waiting)
                if what != "reader":  # it begins within half a second of what was sent, and lives for less
                    time.sleep(chance.uniform(0.0, 2.0))
                _kill(site, what, outcome)
            while waiting:
                _send(site, given / waiting[0], waiting)
            _settle(site, outcome)
            _examine(site, marks, outcome)
        finally:
            site.stop()
        outcome.left_running = _left_running(data_dir)
    outcome.seconds = time.monotonic() - started
    return outcome


def _left_running(data_dir: Path) -> int:
    """Workers of this folder that outlived their server, after the time that they have to notice."""
    time.sleep(5)
    running = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit()]
    left = [process for process in running if f"data_dir={data_dir}" in _command(process)]
    for process in left:
        os.kill(process, signal.SIGKILL)
    return len(left)


def _send(site: Site, path: Path, waiting: list[str]) -> None:
    with contextlib.suppress(httpx.TransportError), path.open("rb") as source:
        answer = httpx.post(f"{site.url}/api/v1/documents", files={"file": (path.name, source)}, timeout=60)
        if answer.status_code == 202:
            waiting.pop(0)


def _kill(site: Site, what: str, outcome: Outcome) -> None:
    """Kill one as soon as there is one: a process that reads lives for a fraction of a second, and a worker may be starting."""
    until = time.monotonic() + _MEET_S
    while not kill(site, what):
        if time.monotonic() > until:
            outcome.missed += 1  # nothing is left to read
            return
        time.sleep(0.002)
    outcome.killed[what] += 1


def _settle(site: Site, outcome: Outcome) -> None:
    until = time.monotonic() + _WAIT_S
    while True:
        jobs = site.all("/jobs")
        for job in jobs:
            if job["state"] == "failed" and job["error"]["code"] == "parser-crashed":
                outcome.set_aside += 1
                httpx.post(f"{site.url}/api/v1/jobs/{job['id']}/retry", timeout=60)
        if not any(job["state"] in _UNFINISHED for job in site.all("/jobs")):
            return
        assert time.monotonic() < until, Counter((job["state"], job["stage"]) for job in jobs)
        time.sleep(0.5)


def _examine(site: Site, marks: dict[str, str], outcome: Outcome) -> None:
    rows = site.all("/documents")
    outcome.live = sum(row["state"] == "live" for row in rows)
    outcome.doubled = len(rows) - len(marks)
    for name, mark in marks.items():
        found = httpx.post(f"{site.url}/api/v1/search", json={"query": mark, "limit": 20}, timeout=60).json()["hits"]
        holding = [hit["passage"]["document_id"] for hit in found if mark in hit["passage"]["text"].replace("\n", "")]
        outcome.doubled += len(set(holding)) > 1
        if not holding:
            outcome.unfound.append(name)
    doctor = site.run("doctor")
    outcome.findings = "" if doctor.returncode == 0 else doctor.stdout + doctor.stderr


def main() -> None:
    """Measure, print, and fail if anything is not as it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    victims = [chance.choice(_VICTIMS) for _ in range(given.kills)]
    outcome = measure(files=given.files, victims=victims, seed=given.seed, models=ROOT / "var" / "models")
    print(f"killed      {outcome.killed.total()}: {dict(outcome.killed)}; not met: {outcome.missed}")
    print(f"set aside   {outcome.set_aside}, and tried again")
    print(f"live        {outcome.live} of {given.files}")
    print(f"doubled     {outcome.doubled}")
    print(f"not found   {outcome.unfound or 0}")
    print(f"doctor      {outcome.findings.strip() or 'nothing wrong'}")
    print(f"left over   {outcome.left_running} workers without a server")
    print(f"took        {outcome.seconds:.0f} s")
    if outcome.live != given.files or outcome.doubled or outcome.unfound or outcome.findings or outcome.left_running:
        sys.exit(1)


if __name__ == "__main__":
    main()

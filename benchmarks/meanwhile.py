"""How fast do documents go live in a running site, where does the time go, and how fast is search meanwhile?

    python -m benchmarks.meanwhile [--documents N] [--searches-per-s R]

Documents of about three pages are sent to a server with its worker, which has had a few before; as long as not all are live, R searches a second go
to the same server, one after the other. Afterwards a sample of the very passages is embedded alone, with nothing else running: that rate is the limit.
The share is given by the clock and in processor time, which other work on the machine hardly touches.
"""

import argparse
import os
import re
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
import psutil

from benchmarks.ingest import documents, inputs_of
from benchmarks.site import ROOT, Site
from eval.questions import read_questions
from xuesi.core.settings import load_settings
from xuesi.wiring import open_services

_FIRST = 4  # documents after which worker, model and readers are warm
_SAMPLE = 300


class Searching(threading.Thread):
    """Asks the sample questions as searches in turn, so many a second, until it is told to stop."""

    def __init__(self, url: str, per_s: float) -> None:
        super().__init__(daemon=True)
        self._url, self._pause_s = url, 1 / per_s
        self.done, self.took_ms = threading.Event(), list[float]()

    def run(self) -> None:
        """Search, note how long it took, wait until the next is due."""
        asked = [asking.question for asking in read_questions(ROOT / "eval" / "questions" / "sample.jsonl")]
        with httpx.Client(base_url=f"{self._url}/api/v1", timeout=60) as client:
            due = time.perf_counter()
            while not self.done.wait(max(0.0, due - time.perf_counter())):
                started = time.perf_counter()
                client.post("/search", json={"query": asked[len(self.took_ms) % len(asked)]}).raise_for_status()
                self.took_ms.append((time.perf_counter() - started) * 1000)
                due = max(due + self._pause_s, time.perf_counter())


class Spent:
    """Processor time since it was made, in seconds, of a server, its worker, and the processes that read for it."""

    def __init__(self, server: psutil.Process) -> None:
        (worker,) = [child for child in server.children() if "worker" in child.cmdline()]
        self._parts = {"server": [server], "worker": [worker], "reading": worker.children()}
        self._before = {name: _cpu_s(its) for name, its in self._parts.items()}

    def now(self) -> dict[str, float]:
        """By part."""
        return {name: _cpu_s(its) - self._before[name] for name, its in self._parts.items()}


def _cpu_s(processes: list[psutil.Process]) -> float:
    """Of the processes, and of those of their children that have ended where these are nothing of their own: a server's worker is counted apart."""
    times = [process.cpu_times() for process in processes]
    return sum(it.user + it.system + it.children_user + it.children_system for it in times)


def measure(count: int, per_s: float) -> dict[str, float]:
    """Passages a second until all are live, of embedding alone, their share, processor time by part, and the latency of search in ms."""
    texts = documents(_FIRST + count)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "var"
        data_dir.mkdir()
        (data_dir / "models").symlink_to(ROOT / "var" / "models")
        site = Site(data_dir)
        site.start()
        try:
            httpx.get(f"{site.url}/readyz", timeout=60)
            _add(site, texts[:_FIRST])
            before = _metric(site.url, "xuesi_live_passages")
            searching = Searching(site.url, per_s) if per_s else None
            if searching:
                searching.start()
            spent, started = Spent(psutil.Process(site.process.pid)), time.perf_counter()
            _add(site, texts[_FIRST:], there=_FIRST)
            live_s = time.perf_counter() - started
            parts = spent.now()
            passages = _metric(site.url, "xuesi_live_passages") - before
            if searching:
                searching.done.set()
                searching.join()
        finally:
            site.stop()
        embedding_s, embedding_cpu_s = _embedding(data_dir)
    figures = {
        "documents": count,
        "passages": passages,
        "live_s": live_s,
        "passages_per_s": passages / live_s,
        "embedding_per_s": 1 / embedding_s,
        "share": embedding_s * passages / live_s,
        **{f"{name}_cpu_ms_a_passage": its * 1000 / passages for name, its in parts.items()},
        "embedding_cpu_ms_a_passage": embedding_cpu_s * 1000,
        "share_of_cpu": embedding_cpu_s * passages / sum(parts.values()),
        "load": os.getloadavg()[0],
    }
    return figures | (_latencies(searching.took_ms, live_s) if searching else {})


def _add(site: Site, texts: list[str], *, there: int = 0) -> None:
    """Send them, and wait until they are live beside those that are there."""
    for number, text in enumerate(texts, start=there):
        file = (f"{number}.txt", text.encode())
        httpx.post(f"{site.url}/api/v1/documents", files={"file": file}, timeout=60).raise_for_status()
    while _metric(site.url, "xuesi_live_versions") < there + len(texts):
        time.sleep(0.5)


def _metric(url: str, name: str) -> int:
    found = re.search(rf"^{name} (\S+)", httpx.get(f"{url}/metrics", timeout=60).text, re.MULTILINE)
    assert found, f"the server does not count {name}"
    return int(float(found[1]))


def _embedding(data_dir: Path) -> tuple[float, float]:
    """Seconds by the clock and of processor time that embedding one passage takes, of a sample of those in the library."""
    with open_services(load_settings({"data_dir": str(data_dir)})) as services:
        inputs = inputs_of(services)
        sample = inputs[:: max(1, len(inputs) // _SAMPLE)]
        services.embedder.embed_passages(sample[:16])
        started, cpu = time.perf_counter(), time.process_time()
        services.embedder.embed_passages(sample)
        return (time.perf_counter() - started) / len(sample), (time.process_time() - cpu) / len(sample)


def _latencies(took_ms: list[float], during_s: float) -> dict[str, float]:
    return {
        "searches_per_s": len(took_ms) / during_s,
        "search_p50_ms": statistics.median(took_ms),
        "search_p95_ms": statistics.quantiles(took_ms, n=20)[-1],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--searches-per-s", type=float, default=1.0, help="0 for none")
    given = parser.parse_args()
    for name, value in measure(given.documents, given.searches_per_s).items():
        print(f"{name:>26}  {value:.2f}")


if __name__ == "__main__":
    main()

"""How long until `xuesi --help` answers, and until a second `xuesi serve` is ready? How much memory does the server take, and is torch in it?

    python -m benchmarks.start [--data-dir FOLDER]

FOLDER is a data folder to serve (the default: an empty one with the prepared model).
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
_XUESI = [sys.executable, "-m", "xuesi.launch"]


def help_time_s(runs: int = 5) -> float:
    """Median whole-process time of `xuesi --help`."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run([*_XUESI, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def server(data_dir: Path) -> dict[str, Any]:
    """Start a server on the folder twice; the figures are the second start's."""
    figures: dict[str, Any] = {}
    for _ in range(2):
        started = time.perf_counter()
        process = subprocess.Popen(
            [*_XUESI, "serve", "--no-worker"], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "XUESI_DATA_DIR": str(data_dir), "XUESI_PORT": "0", "XUESI_LOG_LEVEL": "error"},
        )  # fmt: skip
        try:
            assert process.stdout
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            httpx.get(f"{found.group()}/readyz", timeout=60)
            figures["ready_s"] = time.perf_counter() - started
            inside = psutil.Process(process.pid)
            figures |= _asked(found.group(), inside)
            figures["resident_mb"] = inside.memory_info().rss / 1e6
            figures["torch_loaded"] = any("libtorch" in mapped.path for mapped in inside.memory_maps())
        finally:
            process.terminate()
            process.wait(30)
            assert process.stdout
            process.stdout.close()
    return figures


def _asked(url: str, server: psutil.Process, questions: int = 50) -> dict[str, float]:
    """Latency of search and ask over HTTP, one after the other, and the server's processor time of one, in ms."""
    lines = (ROOT / "eval" / "questions" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["question"] for line in lines][:questions]
    figures = {}
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
        for path, key in (("/search", "query"), ("/ask", "question")):
            client.post(path, json={key: texts[0]}).raise_for_status()
            times, used = [], _cpu_s(server)
            for text in texts:
                started = time.perf_counter()
                client.post(path, json={key: text}).raise_for_status()
                times.append((time.perf_counter() - started) * 1000)
            figures[f"http{path.replace('/', '_')}_p50_ms"] = statistics.median(times)
            figures[f"http{path.replace('/', '_')}_p95_ms"] = statistics.quantiles(times, n=20)[-1]
            figures[f"http{path.replace('/', '_')}_cpu_ms"] = (_cpu_s(server) - used) * 1000 / len(times)
    return figures


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main() -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args().data_dir
    with tempfile.TemporaryDirectory() as empty:
        if given is None:
            (Path(empty) / "models").symlink_to(ROOT / "var" / "models")
        figures = {"help_s": help_time_s(), **server(given or Path(empty))}
    for name, value in figures.items():
        print(f"{name:>22}  {value if isinstance(value, bool) else f'{value:.3f}'}")
    return figures


if __name__ == "__main__":
    main()

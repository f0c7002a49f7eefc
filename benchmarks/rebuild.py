"""How long until both indexes are made anew from the catalogue and the stored vectors, what memory does it take, and are the answers the same?

    python -m benchmarks.rebuild --data-dir FOLDER

FOLDER is a data folder as `python -m benchmarks.search --data-dir` leaves it. Its indexes are replaced, by `xuesi reindex` in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from xuesi.core.domain import NO_FILTERS, PassageId
from xuesi.core.settings import load_settings
from xuesi.wiring import open_services

ROOT = Path(__file__).resolve().parents[1]
_QUESTIONS = 50


def hits(data_dir: Path) -> tuple[int, list[list[PassageId]]]:
    """Passages in the indexes, and what is found for the sample questions."""
    lines = (ROOT / "eval" / "questions" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    with open_services(load_settings({"data_dir": str(data_dir)})) as services:
        found = [
            [hit.passage.id for hit in services.searcher.search(json.loads(line)["question"], filters=NO_FILTERS).hits]
            for line in lines[:_QUESTIONS]
        ]
        return services.indexes.vectors.count(), found


def measure(data_dir: Path) -> dict[str, float]:
    """Time, processor time and memory of the command, and the share of hits that are found before and after."""
    _, before = hits(data_dir)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "xuesi.launch", "reindex"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "XUESI_DATA_DIR": str(data_dir)},
    )
    took_s, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    passages, after = hits(data_dir)
    common = sum(len({*old} & {*new}) for old, new in zip(before, after, strict=True))
    return {
        "passages": passages,
        "rebuild_s": took_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "most_held_mb": used.ru_maxrss * 1024 / 1e6,
        "same_first_hit": sum(old[:1] == new[:1] for old, new in zip(before, after, strict=True)) / len(before),
        "same_hits": common / sum(map(len, before)),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    for name, value in measure(parser.parse_args().data_dir).items():
        print(f"{name:>22}  {value:.2f}")


if __name__ == "__main__":
    main()

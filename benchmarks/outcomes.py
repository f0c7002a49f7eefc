"""What becomes of the files of a folder? Each goes the whole path into an empty library; then a table of how they ended, and why some did not go live.

    python -m benchmarks.outcomes FOLDER

Vectors come from the tests' stand-in embedder: no outcome hangs on them.
"""

import argparse
import logging
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from ingest.intake import Accepted
from tests.whole_path import open_whole_path
from xuesi.core.domain import JobState
from xuesi.core.errors import XuesiError

_LIVE = "live"
Ends = dict[tuple[str, str], list[tuple[str, str]]]  # (format, outcome) -> files, each with its reason


def outcomes(files: Iterable[Path]) -> tuple[Ends, list[str]]:
    """How each file ended, and what the doctor calls wrong with the library then."""
    ends: Ends = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, open_whole_path(Path(folder), max_file_mb=200) as path:
        taken: dict[Path, Accepted] = {}
        for file in files:
            kind = file.suffix.lower().lstrip(".")
            try:
                one = path.take(file.read_bytes(), file.name)
            except XuesiError as error:
                ends[kind, error.code].append((file.name, str(error)))
                continue
            if isinstance(one, Accepted):
                taken[file] = one
            else:
                ends[kind, "duplicate"].append((file.name, "the same bytes are there"))
        path.work()
        for file, one in taken.items():
            job, _ = path.end(one)
            end = _LIVE if job.state is JobState.DONE else job.error_code
            ends[file.suffix.lower().lstrip("."), end].append((file.name, job.error_detail))
        wrong = [finding.detail for finding in path.findings() if finding.severity == "error"]
    return ends, wrong


def main() -> None:
    """Run, and print the table and the reasons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    ends, wrong = outcomes(sorted(it for it in parser.parse_args().folder.rglob("*") if it.is_file()))
    columns = sorted({end for _, end in ends}, key=lambda end: (end != _LIVE, end))
    print("| format | files | " + " | ".join(columns) + " |")
    for kind in sorted({kind for kind, _ in ends}):
        counts = Counter({end: len(found) for (of, end), found in ends.items() if of == kind})
        print(f"| {kind} | {counts.total()} | " + " | ".join(str(counts[end]) for end in columns) + " |")
    for (_, end), found in sorted(ends.items()):
        for name, why in found if end != _LIVE else ():
            print(f"{name}: {end}: {why}")
    print(f"{len(wrong)} things wrong with the library; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

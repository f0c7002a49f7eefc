"""Does any changed file hang a reader, take its memory, or end in an exception that nobody foresaw? Changes valid files and reads them, for as long as told.

    python -m benchmarks.fuzz --format pdf [--minutes 10] [--seed 0] [--samples FOLDER] [--keep FOLDER] [--replay FILE]

Each file is read as the worker reads it, in a confined process of its own, then cut into passages and looked through for what it says of itself. A refusal
with words for a person is a good end. Each failure of a new kind is printed, and its file kept for `--replay`.
"""

import argparse
import logging
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.samples import MADE, samples
from benchmarks.fuzz.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
_LARGEST_SAMPLE = 200_000


def fuzz(name: str, *, seconds: float, seed: int, given: list[bytes], keep: Path) -> tuple[Counter[str], Counter[str]]:
    """Read changed files of the format for so long.

    Args:
        name: The format's extension.
        seconds: How long.
        seed: Of the changes: the same ones come again.
        given: Further valid files.
        keep: Folder for the files that fail.

    Returns:
        How often each good end came, and each failure.
    """
    ends: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    chance = random.Random(seed)
    begin = (*samples(name), *given)
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        for data in begin:
            assert trial.read(data, f"file.{name}").failure == "", "a file that nobody changed fails"
        while time.monotonic() < until:
            data = mutated(chance.choice(begin), name, chance)
            outcome = trial.read(data, f"file.{name}")
            if not outcome.failure:
                ends[outcome.end] += 1
                continue
            if outcome.failure not in failures:
                keep.mkdir(parents=True, exist_ok=True)
                kept = keep / f"{len(failures):03}.{name}"
                kept.write_bytes(data)
                print(f"{kept}: {outcome.failure}\n{outcome.log}\n", flush=True)
            failures[outcome.failure] += 1
        trial.close()
    return ends, failures


def replay(path: Path) -> None:
    """Read one kept file, and say how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        started = time.perf_counter()
        outcome = trial.read(path.read_bytes(), f"file{path.suffix}")
        print(f"{outcome.failure or outcome.end} after {time.perf_counter() - started:.2f} s\n{outcome.log}")
        trial.close()


def main() -> int:
    """Run, and print what came; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=sorted(MADE), default="pdf")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=Path, help="folder with further valid files")
    parser.add_argument("--keep", type=Path, default=ROOT / "var" / "fuzz")
    parser.add_argument("--replay", type=Path)
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if told.replay:
        replay(told.replay)
        return 0
    found = sorted(told.samples.rglob(f"*.{told.format}")) if told.samples else []
    given = [path.read_bytes() for path in found if 0 < path.stat().st_size <= _LARGEST_SAMPLE]
    keep = told.keep / f"{told.format}-{told.seed}"
    shutil.rmtree(keep, ignore_errors=True)
    started = time.monotonic()
    ends, failures = fuzz(told.format, seconds=told.minutes * 60, seed=told.seed, given=given, keep=keep)
    runs = ends.total() + failures.total()
    print(f"{told.format}: {runs} files in {(time.monotonic() - started) / 60:.1f} minutes, seed {told.seed}")
    for title, counted in (("good ends", ends), ("failures", failures)):
        print(f"{title}: {counted.total()}")
        for what, times in counted.most_common():
            print(f"{times:8}  {what}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())

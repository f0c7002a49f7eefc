"""All speed and memory figures, with the machine they come from: `make bench`, or `python -m benchmarks [--passages N]`."""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import machine

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run one measurement after the other, each in a process of its own so that none weighs on the next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=50_000, help="size of the library for the search")
    passages = parser.parse_args().passages
    library = ROOT / "var" / f"bench-{passages}"
    for name, value in machine().items():
        print(f"{name:>22}  {value}")
    runs = (
        ("embedding", ["--count", "500"]),
        ("ingest", ["--documents", "40"]),
        ("search", ["--passages", str(passages), "--data-dir", str(library)]),
        ("start", ["--data-dir", str(library)]),
    )
    for name, options in runs:
        print(f"\n{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()

"""A disk of half a megabyte: a program is run with one, mounted in a namespace of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def on_a_small_disk(folder: Path, program: str) -> Any:
    """What the program prints as JSON; `sys.argv[1]` is the folder where the disk lies. Skips where none can be mounted."""
    mount = f"mount -t tmpfs -o size=512k tmpfs '{folder}' && exec '{sys.executable}' -c \"$0\" '{folder}'"
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, program]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not there to mount a small disk")
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

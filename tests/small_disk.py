"""A disk of half a megabyte: a program is run with one, mounted in a namespace of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[1]


def on_a_small_disk(folder: Path, program: str) -> Any:
    """What the program prints as JSON; `sys.argv[1]` is the folder where the disk lies. Skips where none can be mounted, which fails under CI."""
    mount = f"mount -t tmpfs -o size=512k tmpfs '{folder}' && exec '{sys.executable}' -c \"$0\" '{folder}'"
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, program]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    except FileNotFoundError:
        _without("unshare is not there to mount a small disk")
    if "unshare" in done.stderr or "mount:" in done.stderr:
        _without(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

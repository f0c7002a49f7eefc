"""How is another program kept from doing harm with a hostile file? It is started under limits that it cannot take off, without a way to any network or to others' files.

Run as a program itself: the limits as JSON, then the command, in whose place it puts itself.
"""

import json
import math
import os
import resource
import sys
from pathlib import Path

from ingest.apart import landlock, syscalls
from ingest.apart.limits import Limits

_OPEN_FILES = 1024


def main() -> None:
    """Limit this process, and become the program."""
    limits = Limits(**json.loads(sys.argv[1]))
    cpu_s = math.ceil(limits.convert_s * (os.cpu_count() or 1))
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, 2 * limits.memory_mb * 1_000_000),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, limits.output_mb * 1_000_000),
        (resource.RLIMIT_CPU, cpu_s),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    os.nice(5)
    syscalls.forbid_network()
    # its own files, and Python's, since what is installed as LibreOffice may be a script around it
    landlock.read_only_from([Path.cwd(), Path(sys.argv[2]).resolve().parents[1], Path(sys.base_prefix)])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 the command that `ingest.apart.office` made

"""What does a process forbid itself before it touches a byte of a file? Memory, time, files and output beyond its limits; the network, other programs, other files.

Three layers: the kernel's limits on resources, the kernel's filter on calls (`syscalls`), and Python's own audit hook, which is there too where the
system has no filter and says in words what was tried.
"""

import ctypes
import math
import os
import resource
import signal
import sys
from typing import Any

from ingest.apart import syscalls
from ingest.apart.limits import RESERVED, Limits

_OPEN_FILES = 256
_ADDRESSES_BESIDE_MEMORY_MB = 4_000  # mapped files, and what libraries reserve and never touch
_PR_SET_PDEATHSIG = 1
_EVENTS = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "os.kill", "pty.",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "shutil.", "tempfile.",
    "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "nntplib.", "telnetlib.", "webbrowser.", "sqlite3.",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def confine(limits: Limits, *, parent: int) -> bool:
    """Confine this process for the rest of its life. Files that it is to write must be open already.

    Args:
        limits: What it may take.
        parent: The process that forked this one; it does not outlive it.

    Returns:
        Whether the kernel's filter is in force; without it the audit hook stands alone.
    """
    _die_with(parent)
    _limit(limits)
    filtered = syscalls.forbid()
    sys.addaudithook(_refuse)
    return filtered


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _limit(limits: Limits) -> None:
    memory = RESERVED * limits.memory_mb * 1_000_000
    cpu_s = math.ceil(limits.timeout_s * (os.cpu_count() or 1))
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + _ADDRESSES_BESIDE_MEMORY_MB * 1_000_000),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, limits.output_mb * 1_000_000),
        (resource.RLIMIT_CPU, cpu_s),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)  # noqa: PLW2901 what the machine already limits stays so
        resource.setrlimit(what, (most, most))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_EVENTS) or (event == "open" and _writes(*arguments)):
        raise PermissionError(f"{event} is forbidden where files are read")


def _writes(place: Any, _mode: Any, flags: Any) -> bool:
    """Whether a file is opened for writing by its name; those that are open already have a number."""
    return not isinstance(place, int) and isinstance(flags, int) and bool(flags & _WRITES)

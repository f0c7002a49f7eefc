"""Which files may another program read that we start for a document? Its own, those of the system, and those of its work; Linux keeps it so (Landlock).

Without this a document that names a file of the machine might have its content taken into the text. Writing is not looked at here.

Source: Linux, include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst. The calls have these numbers on every machine.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_PATH_BENEATH, _ASK_VERSION = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
# What LibreOffice and the libraries under it read. /proc is not among it: the secrets of other processes stand there.
_SYSTEM = (
    "/usr", "/nix/store", "/lib", "/lib32", "/lib64", "/bin", "/dev", "/var/cache/fontconfig", "/var/lib/libreoffice", "/var/spool/libreoffice", "/etc/libreoffice", "/etc/fonts", "/etc/alternatives",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/localtime", "/etc/timezone",
    "/etc/locale.alias", "/etc/papersize", "/etc/os-release", "/proc/cpuinfo", "/proc/meminfo",
)  # fmt: skip


def is_known() -> bool:
    """Whether this system has Landlock."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).syscall(_CREATE, None, 0, _ASK_VERSION) > 0)


def read_only_from(places: Iterable[Path]) -> bool:
    """Let this process, and what it becomes, read nothing but the system's files and what lies under `places`. False where the system has no Landlock."""
    if not is_known():
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    handled = struct.pack("=Q", _READ_FILE | _READ_FOLDER)
    ruleset = libc.syscall(_CREATE, handled, len(handled), 0)
    for place in [*map(Path, _SYSTEM), *places]:
        if place.exists():
            handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
            rights = _READ_FILE | (_READ_FOLDER if place.is_dir() else 0)
            libc.syscall(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
            os.close(handle)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restricted = libc.syscall(_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return bool(restricted)

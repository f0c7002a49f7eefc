"""How is an array that lies in a file opened? Mapped into memory, so that only what is looked at is read."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

# numpy reads a file's header with Python's own parser, which Python 3.11 and early 3.12 do not let two threads use at once: now and then one of them
# gets a SystemError (github.com/python/cpython/issues/106905).
_one_at_a_time = threading.Lock()


def mapped(place: Path) -> Any:
    """The array in a file of numpy's format, read only. Safe to call from several threads.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no array, or a damaged one.
        EOFError: It is cut off.
    """
    with _one_at_a_time:
        return np.load(place, mmap_mode="r", allow_pickle=False)

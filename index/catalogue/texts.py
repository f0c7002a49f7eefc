"""The texts that were read last, so that ten citations of a book do not read the book ten times."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

# Chinese takes two bytes a code point in memory: at most about 40 MB.
_KEPT_CHARS = 20_000_000


class Texts:
    """UTF-8 files by their path, the least recently used dropped first. Safe to share among threads."""

    def __init__(self, kept_chars: int = _KEPT_CHARS) -> None:
        self._kept_chars = kept_chars
        self._chars = 0
        self._texts: OrderedDict[Path, tuple[tuple[int, int], str]] = OrderedDict()
        self._lock = Lock()

    def forget(self, folder: Path) -> None:
        """Drop what is kept of files in this folder."""
        with self._lock:
            for place in [place for place in self._texts if place.is_relative_to(folder)]:
                self._chars -= len(self._texts.pop(place)[1])

    def read(self, place: Path) -> str:
        """The file's text as it is on the disk now. Raises FileNotFoundError."""
        stat = place.stat()
        seen = (stat.st_ino, stat.st_mtime_ns)  # another process may have replaced the file
        with self._lock:
            kept = self._texts.get(place)
            if kept is not None and kept[0] == seen:
                self._texts.move_to_end(place)
                return kept[1]
        text = place.read_bytes().decode("utf-8")
        with self._lock:
            if (old := self._texts.pop(place, None)) is not None:
                self._chars -= len(old[1])
            self._texts[place] = (seen, text)
            self._chars += len(text)
            while self._chars > self._kept_chars and len(self._texts) > 1:
                _, (_, dropped) = self._texts.popitem(last=False)
                self._chars -= len(dropped)
        return text

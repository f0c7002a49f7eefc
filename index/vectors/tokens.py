"""Where do the codes of the passages' tokens lie, so that those of fifty passages are read in milliseconds? A SQLite file beside the vectors.

One row a passage, whose codes stand together on pages that the system keeps in its own memory, not in the server's. The file belongs to the process that
owns the folder.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from xuesi.core.domain import PassageId
from xuesi.core.ports import Bits

_PARAMETERS = 5000  # SQLite takes 32,766
_OPENING = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS passage (id TEXT PRIMARY KEY, tokens INTEGER NOT NULL, codes BLOB NOT NULL);
"""


class TokenFile:
    """The codes of tokens by passage. Safe to share among threads.

    Raises from every method: sqlite3.Error, for whoever holds it to translate.
    """

    def __init__(self, place: Path) -> None:
        """Open the file, or make an empty one."""
        self._lock = Lock()
        self._connection = sqlite3.connect(place, check_same_thread=False)
        self._connection.executescript(_OPENING)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def put(self, ids: Sequence[PassageId], tokens: Sequence[Bits]) -> None:
        """Add or replace, with one commit."""
        rows = ((id_, len(codes), codes.tobytes()) for id_, codes in zip(ids, tokens, strict=True))
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO passage VALUES (?, ?, ?)", rows)

    def remove(self, ids: Sequence[PassageId]) -> None:
        """Forget these, with one commit; unknown ones are passed over."""
        with self._lock, self._connection:
            self._connection.executemany("DELETE FROM passage WHERE id = ?", ((id_,) for id_ in ids))

    def get(self, ids: Sequence[PassageId]) -> dict[PassageId, Bits]:
        """Those that are there, (its tokens, bits / 8) uint8."""
        with self._lock:
            return {PassageId(id_): _codes(held, tokens) for id_, tokens, held in self._rows(ids)}

    def _rows(self, ids: Sequence[PassageId]) -> Iterator[tuple[str, int, bytes]]:
        for start in range(0, len(ids), _PARAMETERS):
            some = ids[start : start + _PARAMETERS]
            marks = ",".join("?" * len(some))
            yield from self._connection.execute(f"SELECT id, tokens, codes FROM passage WHERE id IN ({marks})", some)  # noqa: S608 question marks only


def _codes(held: bytes, tokens: int) -> Bits:
    return np.frombuffer(held, np.uint8).reshape(tokens, -1 if tokens else 0)

"""How does what was purged leave the disk? Both indexes are written into new folders and switched, and the catalogue's file is written anew.

Deleted words stay in tantivy's segments and deleted vectors in Chroma's files until their folder goes; deleted rows stay in free pages and in the
log of SQLite. Purges are gathered: one rewriting in ten minutes at most, or at once where somebody asked for it. Search and publishing go on.
"""

import logging
import threading
import time

from index.indexes import Indexes
from index.publish import PURGED_FACT, Publisher
from index.rebuild import rebuild
from xuesi.core.errors import WrongState
from xuesi.core.ports import Catalogue

_log = logging.getLogger("xuesi.compact")
_PAUSE_S = 0.5
_PAUSE_AFTER_ERROR_S = 30.0
_EVERY_S = 600.0


class Compactor:
    """Rewrites what held purged documents."""

    def __init__(self, *, catalogue: Catalogue, indexes: Indexes, publisher: Publisher) -> None:
        self._catalogue = catalogue
        self._indexes = indexes
        self._publisher = publisher
        self._last_s = float("-inf")

    def run_forever(self, stop: threading.Event) -> None:
        """Compact when it is due until told to stop. An error is logged, and the work tried again after a while."""
        while not stop.is_set():
            pause_s = _PAUSE_S
            try:
                self.step(stop)
            except Exception:  # noqa: BLE001 the thread must outlive whatever went wrong, or nothing would be compacted any more
                _log.exception("Compacting failed; it is tried again in %.0f s.", _PAUSE_AFTER_ERROR_S)
                pause_s = _PAUSE_AFTER_ERROR_S
            stop.wait(pause_s)

    def step(self, stop: threading.Event | None = None) -> bool:
        """Compact if anything was purged and its time has come.

        Returns:
            Whether it was done.

        Raises:
            IndexMismatch, StoreUnavailable: As `rebuild` and `Catalogue.compact`; what was purged waits for the next time.
        """
        pending = self._catalogue.get_fact(PURGED_FACT)
        if not pending or not (pending.startswith("at-once") or time.monotonic() - self._last_s >= _EVERY_S):
            return False
        try:
            done = rebuild(self._indexes, catalogue=self._catalogue, publisher=self._publisher, stop=stop)
        except WrongState:  # the indexes are being rebuilt already, or the server stops
            return False
        self._catalogue.compact()
        self._last_s = time.monotonic()
        if self._catalogue.get_fact(PURGED_FACT) == pending:  # else more was purged meanwhile
            self._catalogue.set_fact(PURGED_FACT, "")
        _log.info("What was purged is gone from the indexes and the catalogue: %.1f s.", done.took_s)
        return True

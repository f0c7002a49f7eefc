"""Which jobs may run side by side? Any, but one that has to be alone waits until none runs, and keeps the others waiting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIDE_BY_SIDE = 2  # docs/adr/0012


class Turns:
    """Gives turns to threads. Safe to share among them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._alone = 0  # that wait or run

    @property
    def running(self) -> int:
        """How many have their turn now."""
        return self._running

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """A turn until the block ends; with `alone`, nobody else has one meanwhile."""
        with self._changed:
            if alone:
                self._alone += 1
            self._changed.wait_for(lambda: self._running == 0 if alone else self._alone == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                if alone:
                    self._alone -= 1
                self._changed.notify_all()

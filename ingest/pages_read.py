"""How far is the file that this process reads? A reader says so page by page; whoever called it may listen, and may end the work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PageRead = Callable[[int, int], None]
_listens: ContextVar[PageRead | None] = ContextVar("page_read", default=None)


def page_read(done: int, total: int) -> None:
    """Say that `done` of `total` pages are read (0 of them, once their number is known).

    Raises:
        TooMuchToRead: If these are more pages than are allowed.
    """
    listener = _listens.get()
    if listener is not None:
        listener(done, total)


@contextmanager
def listening(listener: PageRead) -> Iterator[None]:
    """Hear what readers say while the block lasts."""
    token = _listens.set(listener)
    try:
        yield
    finally:
        _listens.reset(token)

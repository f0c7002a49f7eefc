"""In which shape does the state of the watched folders travel?"""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from api.parts import part_of
from ingest.watch import Watcher


class WatchedFolderOut(BaseModel):
    """A folder at the last look."""

    model_config = ConfigDict(from_attributes=True)
    path: str
    reachable: bool
    files: int


class WatchedFileOut(BaseModel):
    """A file that is gone (`missing_since`), or of which something has to be said (`problem`)."""

    model_config = ConfigDict(from_attributes=True)
    path: str
    document_id: str | None
    problem: str
    missing_since: datetime | None
    seen_at: datetime


class WatchedOut(BaseModel):
    """The folders, and a part of the files in them that a person should know of."""

    folders: list[WatchedFolderOut]
    items: list[WatchedFileOut]
    next: str | None

    @classmethod
    def of(cls, watcher: Watcher, *, limit: int, cursor: str) -> Self:
        """As it is now."""
        items, after = part_of(watcher.notable(), lambda it: (it.path,), limit=limit, cursor=cursor)
        return cls(
            folders=[WatchedFolderOut.model_validate(it) for it in watcher.folders],
            items=[WatchedFileOut.model_validate(it) for it in items],
            next=after,
        )

"""In which shape does the state of the watched folders travel?"""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

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
    """The folders, and the files in them that a person should know of."""

    folders: list[WatchedFolderOut]
    items: list[WatchedFileOut]

    @classmethod
    def of(cls, watcher: Watcher) -> Self:
        """As it is now."""
        return cls(
            folders=[WatchedFolderOut.model_validate(it) for it in watcher.folders],
            items=[WatchedFileOut.model_validate(it) for it in watcher.notable()],
        )

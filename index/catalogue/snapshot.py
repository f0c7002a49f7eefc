"""How is the catalogue copied while it is written to? By SQLite's own online backup, which sees one state of it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

from index.catalogue.store import Store
from xuesi.core.errors import WrongState


class Snapshots:
    """The part of the catalogue that copies it."""

    _store: Store

    def snapshot(self, place: Path) -> None:
        """See `Catalogue.snapshot`."""
        if self._store.engine.dialect.name != "sqlite":
            raise WrongState(
                f"The catalogue is the {self._store.engine.dialect.name} database {self._store.name}, which Xuesi does not copy.",
                hint="Back the database up with its own tools (pg_dump, say) and then copy the folder files/ of the data folder.",
            )
        with self._store.read() as connection, closing(sqlite3.connect(place)) as copy:
            # In one step and inside a reading transaction: writers go on meanwhile, and do not make it begin again.
            cast("sqlite3.Connection", connection.connection.driver_connection).backup(copy)

"""The catalogue as one part: opened, brought up to date, and closed. Its methods stand by topic in the files beside this one."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import exc as sa
from sqlalchemy.engine import URL, make_url

from index.catalogue.checks import Checks
from index.catalogue.documents import Documents
from index.catalogue.facts import Facts
from index.catalogue.findings import Findings
from index.catalogue.jobs import Jobs
from index.catalogue.library import Library
from index.catalogue.live import Live
from index.catalogue.migrate import is_current, migrate
from index.catalogue.passages import Passages
from index.catalogue.snapshot import Snapshots
from index.catalogue.store import Store
from index.catalogue.succession import Succession
from index.catalogue.versions import Versions
from index.catalogue.watched import Watched
from xuesi.core.disk import disk_errors, read_only
from xuesi.core.errors import Misconfigured, StoreUnavailable

_START_TIMEOUT_S = 60.0


class SqlCatalogue(
    Documents, Library, Versions, Passages, Findings, Live, Succession, Jobs, Facts, Watched, Snapshots, Checks
):
    """The port `Catalogue` on SQLAlchemy: SQLite, and by its address any other database that SQLAlchemy speaks with.

    Safe to share among threads, and a SQLite file among processes of one machine.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def close(self) -> None:
        """Close the connections."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_catalogue(address: str) -> SqlCatalogue:
    """Open the catalogue at a SQLAlchemy address such as `sqlite:///var/catalogue.db`; made if it is not there, migrated if it is older.

    Raises:
        Misconfigured: If that is no address, or the driver for it is not installed.
        NewerCatalogue: If a newer program has written it.
        DataFolderReadOnly: If it cannot be written.
        StorageFull: If the disk is full.
        IndexCorrupt: If it is damaged, or no catalogue.
        StoreUnavailable: If it does not answer, or another program that holds it does not let go.
    """
    try:
        url = make_url(address)
        store = Store(url)
    except (sa.ArgumentError, ImportError) as error:
        raise Misconfigured(
            f"The address of the catalogue cannot be used: {error}.",
            hint="Correct database_url, or leave it empty for SQLite in the data folder.",
            setting="database_url",
        ) from error
    try:
        _bring_up_to_date(store, url)
    except BaseException:
        store.close()
        raise
    return SqlCatalogue(store)


def _bring_up_to_date(store: Store, url: URL) -> None:
    if store.engine.dialect.name != "sqlite":
        _migrate_if_older(store)
        return
    path = Path(url.database or "")
    _check_writable(path)
    try:
        # One process at a time makes the tables: the server and its worker start together.
        with disk_errors(path.parent), FileLock(path.with_name(path.name + ".lock"), timeout=_START_TIMEOUT_S):
            _migrate_if_older(store)
    except Timeout as error:
        raise StoreUnavailable(
            f"Another process has been opening the catalogue {path} for more than {_START_TIMEOUT_S:.0f} s.",
            hint="Stop it, or wait until it is done, and start again.",
        ) from error


def _migrate_if_older(store: Store) -> None:
    with store.read() as connection:
        if is_current(connection, store.name):
            return
    with store.write() as connection:
        migrate(connection)


def _check_writable(path: Path) -> None:
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise read_only(place)

"""How does the catalogue speak with its database? Connections, transactions, and vendor errors put into ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy import exc as sa
from sqlalchemy.engine import URL

from xuesi.core.errors import IndexCorrupt, StorageFull, StoreUnavailable, XuesiError

# A writer waits this long for another one; the longest write, the passages of a very large book, takes about a second.
_BUSY_TIMEOUT_S = 10.0

_MAPPED_BYTES = 1 << 30

# Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
_BUSY, _LOCKED, _READONLY, _CORRUPT, _FULL, _NOTADB = 5, 6, 8, 11, 13, 26


class Store:
    """An engine and its two kinds of transaction. Safe to share among threads; each transaction has a connection of its own."""

    def __init__(self, url: URL) -> None:
        if url.get_backend_name() == "sqlite" and "timeout" not in url.query:
            url = url.update_query_dict({"timeout": str(_BUSY_TIMEOUT_S)})
        self.name = url.database or url.render_as_string(hide_password=True)
        # The server's thread pool has 40 threads; each may hold a connection for the time of one query.
        self.engine: Engine = create_engine(url, pool_size=8, max_overflow=40, pool_timeout=_BUSY_TIMEOUT_S)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue and changes nothing."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is kept whole or not at all.

        Raises:
            StoreUnavailable: If another writer does not finish in time.
            StorageFull: If the disk is full.
        """
        with self._translated(), self.engine.connect() as connection:
            writing = connection.execution_options(xuesi_writes=True)
            with writing.begin():
                yield writing

    def compact(self) -> None:
        """Write a SQLite file anew without its free pages, and empty its log; other databases see to that themselves.

        Readers go on meanwhile; a writer waits.

        Raises:
            StoreUnavailable: If a reader keeps the log in use for too long.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self._translated(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            if cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise StoreUnavailable(
                    f"The log of the catalogue {self.name} is in use and could not be emptied.",
                    hint="It is tried again in a while.",
                )

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sa.OperationalError, sa.DatabaseError, sa.InterfaceError, sa.TimeoutError) as error:
            if isinstance(error, (sa.IntegrityError, sa.DataError, sa.ProgrammingError, sa.NotSupportedError)):
                raise  # A mistake of the program, not of the database: nothing is gained by trying again.
            raise translate(error, self.name) from error
        except sqlite3.Error as error:  # from _set_up_sqlite, where SQLAlchemy puts no error of its own around it
            raise translate(error, self.name) from error


def translate(error: Exception, name: str) -> XuesiError:
    """The error of ours that says what the database's error means for the catalogue `name`."""
    original = getattr(error, "orig", error)
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL:
        return StorageFull(
            f"There is no space left for the catalogue {name}.", hint="Free some space on that disk and try again."
        )
    if code in (_CORRUPT, _NOTADB):
        return IndexCorrupt(
            f"The catalogue {name} is damaged or is no catalogue ({original}).",
            hint="Restore the last backup, or move the file away to start with an empty library.",
        )
    if code in (_BUSY, _LOCKED):
        return StoreUnavailable(
            f"The catalogue {name} is held by another process for too long.",
            hint="Try again in a moment; if it lasts, look for a second program that has the file open.",
        )
    if code == _READONLY:
        return StoreUnavailable(
            f"The catalogue {name} cannot be written.", hint="Make the file and its folder writable for this user."
        )
    return StoreUnavailable(
        f"The catalogue {name} does not answer ({original}).",
        hint="See that the database runs and can be reached, then try again.",
    )


def _set_up_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins a transaction late and only before some statements, so that a transaction which
    # reads first fails with "database is locked" when it writes later. With None it stays out, and _begin_sqlite says when.
    dbapi_connection.isolation_level = None
    # Readers then never wait for a writer, nor a writer for readers. The file remembers it; the first switch needs the file
    # alone, which open_catalogue sees to.
    dbapi_connection.execute("PRAGMA journal_mode = WAL")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")
    # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits at a loss of power, and a version that was said to be live must be
    # live afterwards. It costs one fsync a commit, and there are few commits: one for each batch of passages.
    dbapi_connection.execute("PRAGMA synchronous = FULL")
    dbapi_connection.execute("PRAGMA cache_size = -8000")  # 8 MB a connection; the rest is mapped and shared:
    dbapi_connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")  # a random read then costs half


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("xuesi_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

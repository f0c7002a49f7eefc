"""Is the database whole, and do its rows contradict each other? What the doctor asks of the catalogue itself, and how it is mended."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from index.catalogue.documents import UNFINISHED_JOB
from index.catalogue.rows import version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, job, version
from xuesi.core.domain import Version, VersionState
from xuesi.core.ports import Fault, FaultKind

_MOST_TOLD = 1000
# What SQLite says of an index that does not fit its table (https://www.sqlite.org/pragma.html#pragma_integrity_check); REINDEX makes it anew.
_OF_INDEX = re.compile(r"missing from index|wrong # of entries in index|in wrong order in index|row \d+ values differ")
_BEFORE_PUBLISHING = (VersionState.QUEUED, VersionState.READING, VersionState.EMBEDDING)


class Checks:
    """The part of the catalogue that looks at itself."""

    _store: Store

    def faults(self) -> list[Fault]:
        """See `Catalogue.faults`."""
        with self._store.read() as connection:
            lost = [Fault(FaultKind.LOST_ROW, f"{rows} of {table}, whose {parent} is not there") for (table, parent), rows in _lost_counts(connection).items()]  # fmt: skip
            twice = [Fault(FaultKind.TWO_LIVE, _called(connection, id_)) for id_ in _two_live(connection)]
            circles = [Fault(FaultKind.CIRCLE, " → ".join(_called(connection, id_) for id_ in circle)) for circle in _circles(connection)]  # fmt: skip
            return [*_broken(connection), *lost, *twice, *circles]

    def mend_faults(self) -> None:
        """See `Catalogue.mend_faults`."""
        with self._store.write() as connection:
            if any(fault.kind is FaultKind.INDEX for fault in _broken(connection)):
                connection.exec_driver_sql("REINDEX")
            _drop_lost_rows(connection)
            for document_id in _two_live(connection):
                _retire_older(connection, document_id)
            for circle in _circles(connection):
                newest = max(circle, key=lambda id_: _day(connection, id_))
                connection.execute(update(document).where(document.c.id == newest).values(superseded_by=None))
            for index in version.indexes:  # without its index two versions may be live again
                index.create(connection, checkfirst=True)

    def forgotten(self) -> list[Version]:
        """See `Catalogue.forgotten`."""
        worked_on = exists().where(job.c.version_id == version.c.id, job.c.state.in_(UNFINISHED_JOB))
        asked = (
            select(version)
            .join(document, version.c.document_id == document.c.id)
            .where(document.c.deleted_at.is_(None), version.c.state.in_(_BEFORE_PUBLISHING), ~worked_on)
        )
        with self._store.read() as connection:
            return [version_of(row) for row in connection.execute(asked.order_by(version.c.added_at)).all()]


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"  # other databases see to their files and references themselves


def _broken(connection: Connection) -> list[Fault]:
    if not _is_sqlite(connection):
        return []
    told = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_TOLD})")]
    return [Fault(FaultKind.INDEX if _OF_INDEX.search(it) else FaultKind.DAMAGED, it) for it in told if it != "ok"]


def _lost(connection: Connection) -> list[tuple[Any, ...]]:
    """Table, rowid, the table it refers to and the number of the reference, of each row that refers to one which is not there."""
    if not _is_sqlite(connection):
        return []
    return [tuple(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]


def _lost_counts(connection: Connection) -> Counter[tuple[str, str]]:
    return Counter((table, parent) for table, _, parent, _ in _lost(connection))


def _drop_lost_rows(connection: Connection) -> None:
    """Do to each what the database would have done when its parent went: delete it, or empty the reference."""
    for table, rowid, _, reference in _lost(connection):
        columns = connection.exec_driver_sql(f'PRAGMA foreign_key_list("{table}")').all()
        _, _, _, column, _, _, on_delete, _ = next(row for row in columns if row[0] == reference)
        does = f'DELETE FROM "{table}"' if on_delete == "CASCADE" else f'UPDATE "{table}" SET "{column}" = NULL'  # noqa: S608 names of our own tables
        connection.exec_driver_sql(f"{does} WHERE rowid = ?", (rowid,))


def _two_live(connection: Connection) -> list[str]:
    live = select(version.c.document_id).where(version.c.state == VersionState.LIVE)
    return list(connection.execute(live.group_by(version.c.document_id).having(func.count() > 1)).scalars())


def _retire_older(connection: Connection, document_id: str) -> None:
    live = (version.c.document_id == document_id, version.c.state == VersionState.LIVE)
    newest = connection.execute(select(func.max(version.c.number)).where(*live)).scalar_one()
    older = update(version).where(*live, version.c.number < newest)
    connection.execute(older.values(state=VersionState.RETIRED, retired_at=datetime.now(UTC)))


def _circles(connection: Connection) -> list[list[str]]:
    """Each circle of documents once, from the one with the smallest id."""
    asked = select(document.c.id, document.c.superseded_by).where(document.c.superseded_by.is_not(None))
    links: dict[str, str] = {row[0]: row[1] for row in connection.execute(asked).all()}
    found: list[list[str]] = []
    settled: set[str] = set()
    for start in sorted(links):
        path: list[str] = []
        link: str | None = start
        while link is not None and link not in settled and link not in path:
            path.append(link)
            link = links.get(link)
        if link is not None and link in path:
            found.append(path[path.index(link) :])
        settled.update(path)
    return found


def _called(connection: Connection, document_id: str) -> str:
    title = connection.execute(select(document.c.title).where(document.c.id == document_id)).scalar()
    return f"“{title}” (document {document_id})"


def _day(connection: Connection, document_id: str) -> date:
    row = connection.execute(select(document).where(document.c.id == document_id)).one()
    day: date = row.effective_on or row.published_on or row.created_at.date()
    return day

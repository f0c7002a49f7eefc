"""In which states have a document's files been, and which one is live?"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, false, func, insert, or_, select, update

from index.catalogue.documents import refuse_duplicate, there
from index.catalogue.rows import values_of, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, job, version
from xuesi.core.domain import DocumentId, Job, JobState, Version, VersionId, VersionState
from xuesi.core.errors import VersionNotFound, WrongState

_REPLACEABLE = (VersionState.FAILED, VersionState.CANCELLED, VersionState.RETIRED)
_MOST_VERSIONS = 2**31 - 1  # what the column holds; a larger number cannot even be asked for
# Every query but those for deleted documents goes through this join.
_present = select(version).join(document, version.c.document_id == document.c.id).where(document.c.deleted_at.is_(None))


class Versions:
    """The part of the catalogue that is about versions."""

    _store: Store

    def add_version(self, new: Version, work: Job) -> Version:
        """See `Catalogue.add_version`."""
        own = and_(version.c.document_id == new.document_id, version.c.state.in_(_REPLACEABLE))
        with self._store.write() as connection:
            connection.execute(select(document.c.id).where(document.c.id == new.document_id).with_for_update())
            there(connection, new.document_id)
            refuse_duplicate(connection, new.sha256, unless=own)
            last = select(func.max(version.c.number)).where(version.c.document_id == new.document_id)
            numbered = replace(new, number=(connection.execute(last).scalar() or 0) + 1)
            connection.execute(insert(version).values(values_of(numbered, version.c.keys())))
            connection.execute(insert(job).values(values_of(work, job.c.keys())))
            return numbered

    def version(self, document_id: DocumentId, number: int) -> Version:
        """See `Catalogue.version`."""
        with self._store.read() as connection:
            there(connection, document_id)
            asked = select(version).where(version.c.document_id == document_id, version.c.number == number)
            row = connection.execute(asked).first() if 0 < number <= _MOST_VERSIONS else None
            if row is None:
                raise VersionNotFound(f"Document {document_id} has no version {number}.")
            return version_of(row)

    def version_by_id(self, version_id: VersionId) -> Version:
        """See `Catalogue.version_by_id`."""
        with self._store.read() as connection:
            return version_of(version_there(connection, version_id))

    def versions(self, document_id: DocumentId) -> list[Version]:
        """See `Catalogue.versions`."""
        asked = select(version).where(version.c.document_id == document_id).order_by(version.c.number.desc())
        with self._store.read() as connection:
            there(connection, document_id)
            return [version_of(row) for row in connection.execute(asked).all()]

    def all_versions(self, states: Collection[VersionState]) -> list[Version]:
        """See `Catalogue.all_versions`."""
        asked = _present.where(or_(false(), *map(_in_state, states))).order_by(version.c.added_at, version.c.id)
        with self._store.read() as connection:
            return [version_of(row) for row in connection.execute(asked).all()]

    def titles(self) -> dict[DocumentId, str]:
        """See `Catalogue.titles`."""
        with self._store.read() as connection:
            asked = select(document.c.id, document.c.title).where(document.c.deleted_at.is_(None))
            return {row.id: row.title for row in connection.execute(asked).all()}

    def has_original(self, sha256: str) -> bool:
        """See `Catalogue.has_original`."""
        with self._store.read() as connection:
            return (
                connection.execute(select(version.c.id).where(version.c.sha256 == sha256).limit(1)).first() is not None
            )

    def known(self, sha256s: Collection[str]) -> dict[str, DocumentId]:
        """See `Catalogue.known`."""
        ended = (VersionState.FAILED, VersionState.CANCELLED)
        asked = (
            select(version.c.sha256, version.c.document_id)
            .join(document, version.c.document_id == document.c.id)
            .where(version.c.sha256.in_(sha256s), version.c.state.not_in(ended), document.c.deleted_at.is_(None))
        )
        with self._store.read() as connection:
            return {row.sha256: DocumentId(row.document_id) for row in connection.execute(asked).all()}

    def set_version_state(self, version_id: VersionId, state: VersionState) -> None:
        """See `Catalogue.set_version_state`."""
        with self._store.write() as connection:
            version_there(connection, version_id)
            connection.execute(update(version).where(version.c.id == version_id).values(state=state))

    def make_live(self, version_id: VersionId, *, at: datetime) -> None:
        """See `Catalogue.make_live`."""
        with self._store.write() as connection:
            row = version_there(connection, version_id)
            if row.state in (VersionState.FAILED, VersionState.CANCELLED):
                raise WrongState(
                    f"Version {row.number} of document {row.document_id} is {row.state} and cannot become live.",
                    hint="Retry its job first.",
                )
            if row.state not in (VersionState.LIVE, VersionState.RETIRED):
                _become_live(connection, row, at)
            connection.execute(
                update(job)
                .where(job.c.version_id == version_id, job.c.state == JobState.RUNNING)
                .values(state=JobState.DONE, updated_at=at, lease_until=None, error_code="", error_detail="")
            )


def _in_state(state: VersionState) -> ColumnElement[bool]:
    """Written into the statement, not bound to it: only so does SQLite see that the index of the versions that are publishing fits."""
    return version.c.state == bindparam(None, state, type_=version.c.state.type, literal_execute=True)


def version_there(connection: Connection, version_id: VersionId) -> Row[Any]:
    """The version's row, locked where the database locks rows. Raises VersionNotFound."""
    row = connection.execute(_present.where(version.c.id == version_id)).first()
    if row is None:
        raise VersionNotFound(f"There is no version {version_id}.")
    return row


def _become_live(connection: Connection, row: Row[Any], at: datetime) -> None:
    siblings = version.c.document_id == row.document_id
    newer = select(version.c.id).where(siblings, version.c.number > row.number, version.c.state == VersionState.LIVE)
    if connection.execute(newer).first() is not None:
        # An upload that took long must not replace a later one that was quicker.
        change = {"state": VersionState.RETIRED, "live_from": at, "retired_at": at}
    else:
        old = update(version).where(siblings, version.c.state == VersionState.LIVE)
        connection.execute(old.values(state=VersionState.RETIRED, retired_at=at))
        change = {"state": VersionState.LIVE, "live_from": at, "retired_at": None}
    connection.execute(update(version).where(version.c.id == row.id).values(change))

"""What does the library show, line by line? Documents, newest first, each with its newest version, its live one and its job."""

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from index.catalogue.documents import not_found
from index.catalogue.rows import cursor_after, job_of, older_than, read_documents, version_of
from index.catalogue.store import Store
from index.catalogue.succession import current_of
from index.catalogue.tables import document, document_topic, job, version
from xuesi.core.domain import DocumentId, Job, Successor, Version, VersionState
from xuesi.core.ports import DocumentRow

_earlier = version.alias("any_version")
_newest = and_(
    version.c.document_id == document.c.id,
    version.c.number
    == select(func.max(_earlier.c.number)).where(_earlier.c.document_id == document.c.id).scalar_subquery(),
)


class Library:
    """The part of the catalogue that lists documents."""

    _store: Store

    def row(self, document_id: DocumentId) -> DocumentRow:
        """See `Catalogue.row`."""
        known = select(document.c.id).where(document.c.id == document_id, document.c.deleted_at.is_(None))
        with self._store.read() as connection:
            if connection.execute(known).first() is None:
                raise not_found(document_id)
            return _lines(connection, [document_id])[0]

    def rows(
        self, *, q: str = "", kind: str = "", topic: str = "", state: str = "", limit: int, cursor: str = ""
    ) -> tuple[list[DocumentRow], str | None]:
        """See `Catalogue.rows`. Raises InvalidInput if the cursor comes from no list."""
        asked = select(document.c.id, document.c.created_at).where(document.c.deleted_at.is_(None), *_narrowed(q, kind))
        if topic:
            having = select(document_topic.c.document_id).where(document_topic.c.topic == topic)
            asked = asked.where(document.c.id.in_(having))
        if state:
            asked = asked.select_from(document.join(version, _newest)).where(version.c.state == state)
        if cursor:
            asked = asked.where(older_than(cursor, document.c.created_at, document.c.id))
        asked = asked.order_by(document.c.created_at.desc(), document.c.id.desc()).limit(limit + 1)
        with self._store.read() as connection:
            found = connection.execute(asked).all()
            lines = _lines(connection, [DocumentId(row.id) for row in found[:limit]])
        more = len(found) > limit
        return lines, cursor_after(found[limit - 1].created_at, found[limit - 1].id) if more else None


def _narrowed(q: str, kind: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if q:
        conditions.append(
            or_(document.c.title.icontains(q, autoescape=True), document.c.issuer.icontains(q, autoescape=True))
        )
    if kind:
        conditions.append(document.c.kind == kind)
    return conditions


def _lines(connection: Connection, ids: list[DocumentId]) -> list[DocumentRow]:
    documents = read_documents(connection, ids)
    newest, live = _newest_and_live(connection, ids)
    jobs: dict[str, Job] = {}
    latest = select(job).where(job.c.version_id.in_([v.id for v in newest.values()]))
    for row in connection.execute(latest.order_by(job.c.created_at, job.c.id)).all():
        jobs[row.version_id] = job_of(row)
    return [
        DocumentRow(
            documents[id_],
            newest[id_],
            live.get(id_),
            jobs.get(newest[id_].id),
            _successor(connection, id_) if documents[id_].superseded_by else None,
        )
        for id_ in ids
    ]


def _successor(connection: Connection, document_id: DocumentId) -> Successor | None:
    current = current_of(connection, document_id)
    return current if current and current.document_id != document_id else None


def _newest_and_live(
    connection: Connection, ids: list[DocumentId]
) -> tuple[dict[DocumentId, Version], dict[DocumentId, Version]]:
    asked = (
        select(version)
        .join(document, version.c.document_id == document.c.id)
        .where(document.c.id.in_(ids), or_(version.c.state == VersionState.LIVE, _newest))
        .order_by(version.c.number)
    )
    versions = [version_of(row) for row in connection.execute(asked).all()]
    newest = {v.document_id: v for v in versions}
    return newest, {v.document_id: v for v in versions if v.state == VersionState.LIVE}

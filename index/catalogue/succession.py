"""What stands in the place of a wording that is no longer current? The end of the chain of versions and superseding documents."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, select

from index.catalogue.store import Store
from index.catalogue.tables import document, version
from xuesi.core.domain import DocumentId, Successor, VersionId, VersionState


class Succession:
    """The part of the catalogue that knows what followed what."""

    _store: Store

    def outdated(self, version_ids: Collection[VersionId]) -> dict[VersionId, Successor | None]:
        """See `Catalogue.outdated`."""
        asked = select(version.c.id, version.c.document_id, version.c.number).where(version.c.id.in_(version_ids))
        found: dict[VersionId, Successor | None] = {}
        with self._store.read() as connection:
            for row in connection.execute(asked).all():
                current = current_of(connection, row.document_id)
                if current is None or (current.document_id, current.version) != (row.document_id, row.number):
                    found[row.id] = current
        return found


def current_of(connection: Connection, document_id: DocumentId) -> Successor | None:
    """The live version of the last document in the chain that has one; a link that is removed or not live is passed over."""
    current: Successor | None = None
    link, seen = document_id, set[DocumentId]()
    while link is not None and link not in seen:  # a circle is damage, and no reason to go round for ever
        seen.add(link)
        own = and_(version.c.document_id == document.c.id, version.c.state == VersionState.LIVE)
        asked = (
            select(document.c.title, document.c.superseded_by, document.c.deleted_at, version.c.number)
            .select_from(document.outerjoin(version, own))
            .where(document.c.id == link)
        )
        row = connection.execute(asked).one()
        if row.number is not None and row.deleted_at is None:
            current = Successor(link, row.title, row.number)
        link = row.superseded_by
    return current

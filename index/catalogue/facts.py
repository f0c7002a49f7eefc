"""How much is there, and what does the installation remember about itself?"""

from collections.abc import Mapping

from sqlalchemy import delete, func, insert, select

from index.catalogue.store import Store
from index.catalogue.tables import document, fact, version
from xuesi.core.domain import VersionState


class Facts:
    """The part of the catalogue that is about the installation."""

    _store: Store

    def counts(self) -> dict[str, int]:
        """See `Catalogue.counts`."""
        documents = select(func.count()).select_from(document).where(document.c.deleted_at.is_(None))
        by_state = (
            select(version.c.state, func.count().label("versions"), func.sum(version.c.passages).label("passages"))
            .join(document, version.c.document_id == document.c.id)
            .where(document.c.deleted_at.is_(None), version.c.state.in_((VersionState.LIVE, VersionState.FAILED)))
            .group_by(version.c.state)
        )
        with self._store.read() as connection:
            found = {row.state: (row.versions, int(row.passages)) for row in connection.execute(by_state).all()}
            live, passages = found.get(VersionState.LIVE, (0, 0))
            return {
                "documents": connection.execute(documents).scalar_one(),
                "live_versions": live,
                "live_passages": passages,
                "failed_versions": found.get(VersionState.FAILED, (0, 0))[0],
            }

    def compact(self) -> None:
        """See `Catalogue.compact`."""
        self._store.compact()

    def get_fact(self, key: str) -> str | None:
        """See `Catalogue.get_fact`."""
        with self._store.read() as connection:
            return connection.execute(select(fact.c.value).where(fact.c.key == key)).scalar()

    def set_fact(self, key: str, value: str) -> None:
        """See `Catalogue.set_fact`."""
        self.set_facts({key: value})

    def set_facts(self, facts: Mapping[str, str | None]) -> None:
        """See `Catalogue.set_facts`."""
        with self._store.write() as connection:
            connection.execute(delete(fact).where(fact.c.key.in_(list(facts))))
            kept = [{"key": key, "value": value} for key, value in facts.items() if value is not None]
            if kept:
                connection.execute(insert(fact), kept)

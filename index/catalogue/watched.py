"""What is remembered of the files in watched folders?"""

from sqlalchemy import delete, insert, select

from index.catalogue.store import Store
from index.catalogue.tables import watched
from xuesi.core.domain import WatchedFile


class Watched:
    """The part of the catalogue that is about watched folders."""

    _store: Store

    def watched(self) -> list[WatchedFile]:
        """See `Catalogue.watched`."""
        with self._store.read() as connection:
            rows = connection.execute(select(watched).order_by(watched.c.path)).mappings().all()
            return [WatchedFile(**row) for row in rows]

    def set_watched(self, file: WatchedFile) -> None:
        """See `Catalogue.set_watched`."""
        values = {column: getattr(file, column) for column in watched.c.keys()}  # noqa: SIM118 a collection of columns
        with self._store.write() as connection:
            connection.execute(delete(watched).where(watched.c.path == file.path))
            connection.execute(insert(watched).values(values))

    def forget_watched(self, path: str) -> None:
        """See `Catalogue.forget_watched`."""
        with self._store.write() as connection:
            connection.execute(delete(watched).where(watched.c.path == path))

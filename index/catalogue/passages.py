"""What was read of a version: its pages and its passages."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from index.catalogue.rows import page_of, passage_of, read_documents, report_of, values_of, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, page, page_report, passage, version
from index.catalogue.versions import version_there
from xuesi.core.domain import Page, PageReport, Passage, PassageId, VersionId, VersionState
from xuesi.core.errors import PassageNotFound, WrongState
from xuesi.core.ports import LivePassage


class Passages:
    """The part of the catalogue that is about pages and passages."""

    _store: Store

    def save_reading(
        self,
        version_id: VersionId,
        *,
        pages: Sequence[Page],
        passages: Sequence[Passage],
        chars: int,
        quality: Mapping[str, Any],
        report: Sequence[PageReport] = (),
    ) -> None:
        """See `Catalogue.save_reading`."""
        counts = {"pages": len(pages), "passages": len(passages), "chars": chars, "quality": dict(quality)}
        with self._store.write() as connection:
            row = version_there(connection, version_id)
            if row.live_from is not None:
                raise WrongState(
                    f"Version {row.number} of document {row.document_id} has been live: what was read of it stays."
                )
            connection.execute(delete(page).where(page.c.version_id == version_id))
            connection.execute(delete(page_report).where(page_report.c.version_id == version_id))
            connection.execute(delete(passage).where(passage.c.version_id == version_id))
            if pages:
                connection.execute(insert(page), [_page_values(version_id, it) for it in pages])
            if report:
                connection.execute(insert(page_report), [_report_values(version_id, it) for it in report])
            if passages:
                connection.execute(insert(passage), [_passage_values(version_id, it) for it in passages])
            connection.execute(update(version).where(version.c.id == version_id).values(counts))

    def put_texts(self, version_id: VersionId, texts: Mapping[int, str]) -> None:
        """See `Catalogue.put_texts`."""
        with self._store.write() as connection:
            version_there(connection, version_id)
            for ordinal, text in texts.items():
                which = passage.c.version_id == version_id, passage.c.ordinal == ordinal
                connection.execute(update(passage).where(*which).values(text=text))

    def pages(self, version_id: VersionId) -> list[Page]:
        """See `Catalogue.pages`."""
        with self._store.read() as connection:
            found = connection.execute(select(page).where(page.c.version_id == version_id).order_by(page.c.number))
            return [page_of(row) for row in found]

    def page_reports(self, version_id: VersionId) -> list[PageReport]:
        """See `Catalogue.page_reports`."""
        asked = select(page_report).where(page_report.c.version_id == version_id).order_by(page_report.c.number)
        with self._store.read() as connection:
            return [report_of(row) for row in connection.execute(asked)]

    def passages(self, version_id: VersionId) -> list[Passage]:
        """See `Catalogue.passages`."""
        asked = select(passage).where(passage.c.version_id == version_id).order_by(passage.c.ordinal)
        with self._store.read() as connection:
            return [passage_of(row) for row in connection.execute(asked).all()]

    def passage(self, passage_id: PassageId) -> LivePassage:
        """See `Catalogue.passage`."""
        shown = (VersionState.LIVE, VersionState.RETIRED)
        owner = (
            select(version)
            .join(document, version.c.document_id == document.c.id)
            .where(document.c.deleted_at.is_(None), version.c.state.in_(shown))
        )
        with self._store.read() as connection:
            row = connection.execute(select(passage).where(passage.c.id == passage_id)).first()
            of = row and connection.execute(owner.where(version.c.id == row.version_id)).first()
            if not row or not of:
                raise PassageNotFound(
                    f"There is no passage {passage_id}.", hint="Its document may have been removed; search again."
                )
            return LivePassage(
                passage_of(row), read_documents(connection, [of.document_id])[of.document_id], version_of(of)
            )


def _page_values(version_id: VersionId, it: Page) -> dict[str, Any]:
    named = values_of(it, ("number", "label", "width", "height"))
    return {**named, "version_id": version_id, "start": it.span.start, "end": it.span.end}


def _report_values(version_id: VersionId, it: PageReport) -> dict[str, Any]:
    named = values_of(it, ("number", "how", "chars", "unreadable", "images", "language", "note"))
    return {**named, "version_id": version_id}


def _passage_values(version_id: VersionId, it: Passage) -> dict[str, Any]:
    named = values_of(it, ("id", "ordinal", "text", "page_from", "page_to", "tokens"))
    place = {"version_id": version_id, "start": it.span.start, "end": it.span.end}
    return {**named, **place, "heading_path": list(it.heading_path)}

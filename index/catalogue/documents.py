"""Which documents are there, and what is known of each? Adding, changing, deleting and purging them."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from index.catalogue.rows import batched, read_documents, values_of, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, document_topic, job, version
from xuesi.core.domain import Document, DocumentId, Job, JobId, JobKind, JobState, Kind, Version, VersionState
from xuesi.core.errors import DocumentNotFound, DuplicateDocument, InvalidInput
from xuesi.core.ids import new_id

_DATES = ("published_on", "effective_on")
_TEXTS = ("title", "issuer", "language", "visibility", "document_number")
UNFINISHED_JOB = (JobState.QUEUED, JobState.RUNNING)
UNFINISHED_VERSION = (VersionState.QUEUED, VersionState.READING, VersionState.EMBEDDING, VersionState.PUBLISHING)


class Documents:
    """The part of the catalogue that is about documents."""

    _store: Store

    def add_document(self, new: Document, first: Version, work: Job) -> None:
        """See `Catalogue.add_document`."""
        with self._store.write() as connection:
            refuse_duplicate(connection, first.sha256)
            connection.execute(insert(document).values(values_of(new, document.c.keys())))
            _write_topics(connection, new.id, new.topics)
            connection.execute(insert(version).values(values_of(first, version.c.keys())))
            connection.execute(insert(job).values(values_of(work, job.c.keys())))

    def document(self, document_id: DocumentId) -> Document:
        """See `Catalogue.document`."""
        with self._store.read() as connection:
            return there(connection, document_id)

    def update_document(self, document_id: DocumentId, changes: Mapping[str, Any]) -> Document:
        """See `Catalogue.update_document`. Raises InvalidInput, naming the field, for a value that it cannot have."""
        values = {name: _checked(name, value) for name, value in changes.items()}
        with self._store.write() as connection:
            there(connection, document_id)
            if (successor := values.get("superseded_by")) is not None:
                _check_successor(connection, document_id, successor)
            topics = values.pop("topics", None)
            if topics is not None:
                _write_topics(connection, document_id, topics)
            if values:
                connection.execute(update(document).where(document.c.id == document_id).values(values))
            return there(connection, document_id)

    def delete_document(self, document_id: DocumentId, *, at: datetime, purge_after: datetime | None = None) -> None:
        """See `Catalogue.delete_document`."""
        with self._store.write() as connection:
            there(connection, document_id)
            hidden = {"deleted_at": at, "purge_after": purge_after or at}
            connection.execute(update(document).where(document.c.id == document_id).values(hidden))
            connection.execute(
                update(version)
                .where(version.c.document_id == document_id, version.c.state.in_(UNFINISHED_VERSION))
                .values(state=VersionState.CANCELLED)
            )
            connection.execute(
                update(job)
                .where(job.c.document_id == document_id, job.c.state.in_(UNFINISHED_JOB))
                .values(state=JobState.CANCELLED, updated_at=at, lease_until=None)
            )

    def restore_document(self, document_id: DocumentId, *, at: datetime) -> Document:
        """See `Catalogue.restore_document`."""
        restorable = select(document.c.id).where(_removed(document_id), document.c.purge_after > at)
        with self._store.write() as connection:
            if connection.execute(restorable).first() is None:
                raise DocumentNotFound(
                    f"There is no document {document_id} that can be restored.",
                    hint="Its time is over, or it was not removed; xuesi trash lists what can be restored.",
                )
            indexed = version.c.state.in_((VersionState.LIVE, VersionState.RETIRED))
            versions = connection.execute(select(version).where(version.c.document_id == document_id, indexed)).all()
            for row in versions:
                if row.state == VersionState.LIVE:
                    refuse_duplicate(connection, row.sha256)
                # The indexes have forgotten it; the stored vectors are taken in again.
                work = Job(JobId(new_id()), JobKind.EMBED, document_id, row.id, JobState.RUNNING, at, at, "publishing")
                connection.execute(insert(job).values(values_of(work, job.c.keys())))
            back = {"deleted_at": None, "purge_after": None}
            connection.execute(update(document).where(document.c.id == document_id).values(back))
            return there(connection, document_id)

    def expire(self, document_id: DocumentId) -> None:
        """See `Catalogue.expire`."""
        with self._store.write() as connection:
            due = update(document).where(_removed(document_id)).values(purge_after=document.c.deleted_at)
            if connection.execute(due).rowcount == 0:
                raise not_found(document_id)

    def removed(self) -> dict[DocumentId, datetime]:
        """See `Catalogue.removed`."""
        asked = select(document.c.id, document.c.purge_after, document.c.deleted_at)
        with self._store.read() as connection:
            found = connection.execute(asked.where(document.c.deleted_at.is_not(None))).all()
            return {row.id: row.purge_after or row.deleted_at for row in found}

    def deleted(self, ids: Collection[DocumentId] | None = None) -> list[tuple[Document, list[Version]]]:
        """See `Catalogue.deleted`."""
        with self._store.read() as connection:
            gone = _gone(connection, ids)
            versions: dict[str, list[Version]] = {it.id: [] for it in gone}
            for among in batched(versions):
                asked = select(version).where(version.c.document_id.in_(among)).order_by(version.c.number)
                for row in connection.execute(asked).all():
                    versions[row.document_id].append(version_of(row))
            return [(it, versions[it.id]) for it in gone]

    def purge(self, document_id: DocumentId) -> None:
        """See `Catalogue.purge`. Raises DocumentNotFound if it is not there or not deleted."""
        successor = select(document.c.superseded_by).where(_removed(document_id))
        with self._store.write() as connection:
            if (row := connection.execute(successor).first()) is None:
                raise not_found(document_id)
            # Else the chain would break here, and what it superseded would answer beside its successor.
            older = update(document).where(document.c.superseded_by == document_id)
            connection.execute(older.values(superseded_by=row.superseded_by))
            connection.execute(delete(document).where(document.c.id == document_id))
            # A file with the same text was refused and its job tells by whose title; that leaves too.
            told = job.c.error_code == DuplicateDocument.code, job.c.error_detail.contains(document_id, autoescape=True)
            forgotten = "The same text was in the library in another document, which has been removed since."
            connection.execute(update(job).where(*told).values(error_detail=forgotten))


def _gone(connection: Connection, ids: Collection[DocumentId] | None) -> list[Document]:
    """The deleted ones among these documents, or all there are; the one deleted first in front."""
    if ids is None:
        ids = connection.execute(select(document.c.id).where(document.c.deleted_at.is_not(None))).scalars().all()
    found = [(it.deleted_at, it.id, it) for it in read_documents(connection, ids).values() if it.deleted_at]
    return [it for _, _, it in sorted(found)]


def _removed(document_id: DocumentId) -> ColumnElement[bool]:
    return and_(document.c.id == document_id, document.c.deleted_at.is_not(None))


def not_found(document_id: str) -> DocumentNotFound:
    """What is said of a document that is not there."""
    return DocumentNotFound(
        f"There is no document {document_id}.", hint="It may have been removed; the library shows what is there."
    )


def there(connection: Connection, document_id: DocumentId) -> Document:
    """The document, unless it is deleted. Raises DocumentNotFound."""
    found = read_documents(connection, [document_id]).get(document_id)
    if found is None or found.deleted_at is not None:
        raise not_found(document_id)
    return found


def refuse_duplicate(connection: Connection, sha256: str, *, unless: ColumnElement[bool] | None = None) -> None:
    """Raise DuplicateDocument if a document that is not deleted has these bytes, in a version that `unless` does not excuse."""
    asked = (
        select(document.c.id, document.c.title)
        .join(version, version.c.document_id == document.c.id)
        .where(version.c.sha256 == sha256, document.c.deleted_at.is_(None))
        .order_by(version.c.added_at)
        .limit(1)
    )
    if unless is not None:
        asked = asked.where(~unless)
    if (row := connection.execute(asked).first()) is not None:
        raise DuplicateDocument(
            f"The same file is in the library already, as “{row.title}”.",
            hint="Nothing was added. Open that document, or remove it first.",
            document_id=row.id,
        )


def _write_topics(connection: Connection, document_id: DocumentId, topics: tuple[str, ...]) -> None:
    connection.execute(delete(document_topic).where(document_topic.c.document_id == document_id))
    rows = [{"document_id": document_id, "topic": topic, "ordinal": i} for i, topic in enumerate(dict.fromkeys(topics))]
    if rows:
        connection.execute(insert(document_topic), rows)


def _checked(name: str, value: Any) -> Any:
    if name == "kind":
        if value not in list(Kind):
            raise InvalidInput(f"{value!r} is no kind of document.", hint=f"Kinds: {', '.join(Kind)}.", field=name)
        return Kind(value)
    fits = {
        **dict.fromkeys(_TEXTS, isinstance(value, str) and "\0" not in value),
        **dict.fromkeys(_DATES, value is None or (isinstance(value, date) and not isinstance(value, datetime))),
        "topics": isinstance(value, (tuple, list))
        and all(isinstance(topic, str) and "\0" not in topic for topic in value),
        "superseded_by": value is None or isinstance(value, str),
    }
    if name not in fits:
        raise InvalidInput(f"A document has no field {name} that can be set.", field=name)
    if not fits[name] or (name == "title" and not value.strip()):
        raise InvalidInput(f"{value!r} cannot be the {name} of a document.", field=name)
    return tuple(value) if name == "topics" else value


def _check_successor(connection: Connection, document_id: DocumentId, successor: DocumentId) -> None:
    """Refuse a successor that is not there, or from which the chain leads back: both would hide each other."""
    there(connection, successor)
    if document_id in chain_from(connection, successor):
        raise InvalidInput(
            f"Document {successor} cannot supersede {document_id}, by which it is superseded itself.",
            field="superseded_by",
        )


def chain_from(connection: Connection, document_id: str) -> list[str]:
    """The document and those that supersede it one after the other, removed ones too."""
    chain: list[str] = []
    link: str | None = document_id
    while link is not None and link not in chain:
        chain.append(link)
        link = connection.execute(select(document.c.superseded_by).where(document.c.id == link)).scalar()
    return chain

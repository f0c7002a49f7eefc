"""Which documents are there, and what is known of each? Adding, changing, deleting and purging them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from index.catalogue.rows import read_documents, values_of, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, document_topic, job, version
from xuesi.core.domain import Document, DocumentId, Job, JobState, Kind, Version, VersionState
from xuesi.core.errors import DocumentNotFound, DuplicateDocument, InvalidInput

_DATES = ("published_on", "effective_on")
_TEXTS = ("title", "issuer", "language", "visibility")
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

    def delete_document(self, document_id: DocumentId, *, at: datetime) -> None:
        """See `Catalogue.delete_document`."""
        with self._store.write() as connection:
            there(connection, document_id)
            connection.execute(update(document).where(document.c.id == document_id).values(deleted_at=at))
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

    def deleted(self) -> list[tuple[Document, list[Version]]]:
        """See `Catalogue.deleted`."""
        gone = select(document.c.id).where(document.c.deleted_at.is_not(None)).order_by(document.c.deleted_at)
        with self._store.read() as connection:
            ids = list(connection.execute(gone).scalars())
            documents = read_documents(connection, ids)
            versions: dict[str, list[Version]] = {id_: [] for id_ in ids}
            asked = select(version).where(version.c.document_id.in_(ids)).order_by(version.c.number)
            for row in connection.execute(asked).all():
                versions[row.document_id].append(version_of(row))
            return [(documents[id_], versions[id_]) for id_ in ids]

    def purge(self, document_id: DocumentId) -> None:
        """See `Catalogue.purge`. Raises DocumentNotFound if it is not there or not deleted."""
        gone = delete(document).where(document.c.id == document_id, document.c.deleted_at.is_not(None))
        with self._store.write() as connection:
            if connection.execute(gone).rowcount == 0:
                raise not_found(document_id)


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
        **dict.fromkeys(_TEXTS, isinstance(value, str)),
        **dict.fromkeys(_DATES, value is None or (isinstance(value, date) and not isinstance(value, datetime))),
        "topics": isinstance(value, (tuple, list)) and all(isinstance(topic, str) for topic in value),
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
    link: str | None = successor
    while link is not None:
        if link == document_id:
            raise InvalidInput(
                f"Document {successor} cannot supersede {document_id}, by which it is superseded itself.",
                field="superseded_by",
            )
        link = connection.execute(select(document.c.superseded_by).where(document.c.id == link)).scalar()

"""How does a row become a fact of the domain, and where was a list cut? Shared by all queries of the catalogue."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, String, bindparam, literal, select, tuple_

from index.catalogue.tables import UtcTime, document, document_topic
from xuesi.core.cursor import cursor_of, key_of, not_a_cursor
from xuesi.core.domain import Document, DocumentId, Job, Page, PageHow, PageReport, Passage, Span, Version

_IDS_A_STATEMENT = 1000
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
# Built once: building a statement takes longer than SQLite takes to answer it.
_topics_of = select(document_topic).where(document_topic.c.document_id.in_(_ids)).order_by(document_topic.c.ordinal)
_documents = select(document).where(document.c.id.in_(_ids))


def read_documents(connection: Connection, ids: Collection[str]) -> dict[DocumentId, Document]:
    """The documents with these ids, deleted ones too, with their topics."""
    topics = read_topics(connection, ids)
    found = [row for among in batched(ids) for row in connection.execute(_documents, {"ids": among}).all()]
    return {row[0]: document_of(row, topics.get(row[0], ())) for row in found}


def read_topics(connection: Connection, ids: Collection[str]) -> dict[str, list[str]]:
    """The topics of the documents with these ids, in their order; of those that have any."""
    topics: dict[str, list[str]] = {}
    for among in batched(ids):
        for document_id, topic, _ in connection.execute(_topics_of, {"ids": among}).all():
            topics.setdefault(document_id, []).append(topic)
    return topics


def batched(ids: Collection[str]) -> Iterator[list[str]]:
    """The ids in lists that one statement takes: SQLite binds 32,766 values, and fewer are found faster."""
    every = list(ids)
    return (every[i : i + _IDS_A_STATEMENT] for i in range(0, len(every), _IDS_A_STATEMENT))


def document_of(row: Any, topics: Iterable[str]) -> Document:
    """A row of the table `document`, and its topics."""
    (
        id_,
        title,
        kind,
        issuer,
        published_on,
        effective_on,
        language,
        visibility,
        superseded_by,
        created_at,
        deleted_at,
        document_number,
        purge_after,
    ) = row
    return Document(
        id=id_,
        title=title,
        kind=kind,
        created_at=created_at,
        issuer=issuer,
        published_on=published_on,
        effective_on=effective_on,
        language=language,
        topics=tuple(topics),
        visibility=visibility,
        superseded_by=superseded_by,
        deleted_at=deleted_at,
        document_number=document_number,
        purge_after=purge_after,
    )


def version_of(row: Any) -> Version:
    """A row of the table `version`, whose columns are the fields of `Version` in their order."""
    return Version(*row)


def page_of(row: Any) -> Page:
    """A row of the table `page`."""
    _, number, start, end, label, width, height = row
    return Page(number, Span(start, end), label, width, height)


def report_of(row: Any) -> PageReport:
    """A row of the table `page_report`."""
    _, number, how, *figures = row
    return PageReport(number, PageHow(how), *figures)


def passage_of(row: Any) -> Passage:
    """A row of the table `passage`."""
    id_, version_id, ordinal, start, end, text, page_from, page_to, heading_path, tokens = row
    return Passage(id_, version_id, ordinal, Span(start, end), text, page_from, page_to, tuple(heading_path), tokens)


def job_of(row: Any) -> Job:
    """A row of the table `job`, whose columns are the fields of `Job` in their order."""
    return Job(*row)


def values_of(it: object, columns: Iterable[str]) -> Mapping[str, Any]:
    """The columns of a row from the attributes of the same name."""
    return {name: getattr(it, name) for name in columns}


def cursor_after(time: datetime, id_: str) -> str:
    """The cursor of what follows the row with this time and id in a list that is newest first."""
    return cursor_of((time.isoformat(), id_))


def older_than(cursor: str, time: Column[datetime], id_: Column[str]) -> ColumnElement[bool]:
    """The condition that a row comes after the cursor.

    Raises:
        InvalidInput: If no list gave this cursor.
    """
    moment, last = key_of(cursor, str, str)
    try:
        when = datetime.fromisoformat(str(moment))
    except ValueError as error:
        raise not_a_cursor(cursor) from error
    if when.tzinfo is None:
        raise not_a_cursor(cursor)
    return tuple_(time, id_) < tuple_(literal(when, UtcTime), literal(last, String))

"""What may be shown? Every hit passes here, so that nothing deleted, retired or superseded is ever seen, whatever the indexes hold.

Without a day, a document shows its live version, unless a document that supersedes it is live and the question does not name it. With a day (`as_of`), it shows the version
that was in force then. The first version that went live is in force from `effective_on`, else `published_on`, else the day it was added;
each later one from the day it went live, on which the one before ends. A document is left out on the days on which a
document that supersedes it was in force. What supersedes it is every later link of its chain: one that is not live (removed, failed, not
yet read) hides nothing itself, and what comes after it does.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from index.catalogue.rows import batched, document_of, passage_of, read_topics, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, document_topic, passage, version
from xuesi.core.domain import Document, Filters, PassageId, Version, VersionId, VersionState
from xuesi.core.ports import LivePassage


class Live:
    """The part of the catalogue that decides what may be shown."""

    _store: Store

    def live(self, passage_ids: Collection[PassageId], filters: Filters) -> dict[PassageId, LivePassage]:
        """See `Catalogue.live`."""
        with self._store.read() as connection:
            rows = _rows(connection, _shown_passages(filters), passage_ids)
            topics = read_topics(connection, {row[_OF_DOCUMENT][0] for row in rows})
        # Many passages share a version and a document: each is built once.
        versions: dict[str, Version] = {}
        documents: dict[str, Document] = {}
        result: dict[PassageId, LivePassage] = {}
        for row in rows:
            it, of = passage_of(row[_OF_PASSAGE]), row[_OF_DOCUMENT]
            if it.version_id not in versions:
                versions[it.version_id] = version_of(row[_OF_VERSION])
            if of[0] not in documents:
                documents[of[0]] = document_of(of, topics.get(of[0], ()))
            result[it.id] = LivePassage(it, documents[of[0]], versions[it.version_id])
        return result

    def live_ids(self, passage_ids: Collection[PassageId], filters: Filters) -> set[PassageId]:
        """See `Catalogue.live_ids`."""
        with self._store.read() as connection:
            return {row[0] for row in _rows(connection, _shown_ids(filters), passage_ids)}

    def matching(self, filters: Filters) -> list[Version]:
        """See `Catalogue.matching`."""
        with self._store.read() as connection:
            return [version_of(row) for row in connection.execute(_shown_versions(filters)).all()]

    def extent(self, filters: Filters) -> tuple[int, int]:
        """See `Catalogue.extent`."""
        with self._store.read() as connection:
            versions, passages = connection.execute(_extent(filters)).one()
            return int(versions), int(passages)

    def titled_in(
        self, text: str, *, names: Collection[str], numbers: Collection[str], filters: Filters
    ) -> list[Document]:
        """See `Catalogue.titled_in`."""
        title = func.lower(document.c.title)
        begins = literal(text.lower()).contains(func.substr(title, 1, _BEGINNING))
        named = [
            and_(func.length(document.c.title) >= _BEGINNING, begins),
            *(title.contains(name.lower(), autoescape=True) for name in names),
            *(document.c.document_number.contains(number, autoescape=True) for number in numbers),
        ]
        asked = _of_shown_versions(select(document), filters).where(or_(*named))
        exact = named[1:]  # before all those that only begin alike, of which there may be too many
        first = [case((or_(*exact), 0), else_=1)] if exact else []
        with self._store.read() as connection:
            newest = asked.order_by(*first, document.c.created_at.desc(), document.c.id.desc()).limit(_MOST_TITLES)
            return [document_of(row, ()) for row in connection.execute(newest).all()]

    def passages_at(self, places: Collection[tuple[VersionId, int]]) -> dict[tuple[VersionId, int], PassageId]:
        """See `Catalogue.passages_at`."""
        # Not by pairs: SQLite then reads the whole table. This finds some too many, and uses the index.
        versions = {version_id for version_id, _ in places}
        ordinals = list({ordinal for _, ordinal in places})
        columns = passage.c.version_id, passage.c.ordinal, passage.c.id
        found: dict[tuple[VersionId, int], PassageId] = {}
        with self._store.read() as connection:
            for some in batched(versions):
                among = passage.c.version_id.in_(some), passage.c.ordinal.in_(ordinals)
                found |= {(row[0], row[1]): row[2] for row in connection.execute(select(*columns).where(*among)).all()}
        return {place: found[place] for place in places if place in found}


_BEGINNING = 6  # characters of a title by which it is looked for in a text
_MOST_TITLES = 500

_owner = version.c.document_id == document.c.id
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_ends = list(accumulate(len(table.c) for table in (passage, version, document)))
_OF_PASSAGE, _OF_VERSION, _OF_DOCUMENT = (slice(*ends) for ends in pairwise([0, *_ends]))


def _rows(connection: Connection, statement: Select[Any], ids: Collection[str]) -> list[Row[Any]]:
    return [row for some in batched(ids) for row in connection.execute(statement, {"ids": some}).all()]


# Kept for the filters used last: building the statement takes longer than SQLite takes to answer it.
@lru_cache(maxsize=256)
def _shown_passages(filters: Filters) -> Select[Any]:
    return _of_shown_passages(select(passage, version, document), filters)


@lru_cache(maxsize=256)
def _shown_ids(filters: Filters) -> Select[Any]:
    return _of_shown_passages(select(passage.c.id), filters)


def _of_shown_passages(asked: Select[Any], filters: Filters) -> Select[Any]:
    from_ = passage.join(version, passage.c.version_id == version.c.id).join(document, _owner)
    shown = asked.select_from(from_).where(passage.c.id.in_(_ids), *_conditions(filters))
    if (
        filters.topic
    ):  # a look at each of the few documents is 5 times as quick here as the list of all that have the topic
        own = document_topic.c.document_id == document.c.id
        shown = shown.where(exists().where(own, document_topic.c.topic.in_(filters.topic)))
    return shown


@lru_cache(maxsize=256)
def _shown_versions(filters: Filters) -> Select[Any]:
    return _of_shown_versions(select(version), filters)


@lru_cache(maxsize=256)
def _extent(filters: Filters) -> Select[Any]:
    return _of_shown_versions(select(func.count(), func.coalesce(func.sum(version.c.passages), 0)), filters)


def _of_shown_versions(asked: Select[Any], filters: Filters) -> Select[Any]:
    shown = asked.select_from(version.join(document, _owner)).where(*_conditions(filters))
    if filters.topic:
        having = select(document_topic.c.document_id).where(document_topic.c.topic.in_(filters.topic))
        shown = shown.where(document.c.id.in_(having))
    return shown


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """On `document` and `version`: that it may be shown under the filters, topics aside."""
    conditions: list[ColumnElement[bool]] = [document.c.deleted_at.is_(None), *_described(filters)]
    in_force = (
        version.c.state == VersionState.LIVE if filters.as_of is None else _in_force(document, version, filters.as_of)
    )
    conditions.append(in_force)
    if filters.as_of is not None or not filters.document_id:  # whoever names a document asks of it, superseded or not
        conditions.append(or_(document.c.superseded_by.is_(None), ~_superseded(filters.as_of)))
    return conditions


def _superseded(day: date | None) -> ColumnElement[bool]:
    """That a later link in the chain of `document` is live, or was in force on that day."""
    successor, its, next_ = document.alias("successor"), version.alias("its_version"), document.alias("next")
    # Asked of each document that is superseded, and they are few among the hits. UNION, so that a circle ends too.
    later = select(document.c.superseded_by.label("id")).correlate(document).cte("later", recursive=True, nesting=True)
    later = later.union(select(next_.c.superseded_by).where(next_.c.id == later.c.id))
    return (
        select(later.c.id)
        .where(
            successor.c.id == later.c.id,
            successor.c.deleted_at.is_(None),
            its.c.document_id == successor.c.id,
            its.c.state == VersionState.LIVE if day is None else _in_force(successor, its, day),
        )
        .correlate(document)
        .exists()
    )


def _described(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, wanted in (
        (document.c.kind, filters.kind),
        (document.c.issuer, filters.issuer),
        (document.c.id, filters.document_id),
    ):
        if wanted:
            conditions.append(column.in_(wanted))
    if filters.published_from is not None:
        conditions.append(document.c.published_on >= filters.published_from)
    if filters.published_to is not None:
        conditions.append(document.c.published_on <= filters.published_to)
    return conditions


def _in_force(of: FromClause, its: FromClause, day: date) -> ColumnElement[bool]:
    """That version `its` of document `of` was in force on that day (in UTC)."""
    day_ends: Any = datetime.combine(day, time.min, UTC) + timedelta(days=1)
    before = version.alias()
    is_first = ~exists().where(
        before.c.document_id == its.c.document_id, before.c.number < its.c.number, before.c.live_from.is_not(None)
    )
    told = func.coalesce(of.c.effective_on, of.c.published_on)
    began = or_(
        and_(is_first, or_(told <= day, and_(told.is_(None), its.c.added_at < day_ends))),
        and_(~is_first, its.c.live_from < day_ends),
    )
    return and_(
        its.c.state.in_((VersionState.LIVE, VersionState.RETIRED)),
        began,
        or_(its.c.retired_at.is_(None), its.c.retired_at >= day_ends),
    )

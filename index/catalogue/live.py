"""What may be shown? Every hit passes here, so that nothing deleted, retired or superseded is ever seen, whatever the indexes hold.

Without a day, a document shows its live version, unless a document that supersedes it is live. With a day (`as_of`), it shows the version
that was in force then. The first version that went live is in force from `effective_on`, else `published_on`, else the day it was added;
each later one from the day it went live, on which the one before ends. A document is left out on the days on which a
document that supersedes it was in force.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from index.catalogue.rows import passage_of, read_documents, version_of
from index.catalogue.store import Store
from index.catalogue.tables import document, document_topic, passage, version
from xuesi.core.domain import Filters, Passage, PassageId, Version, VersionId, VersionState
from xuesi.core.ports import LivePassage

_IDS_A_STATEMENT = 1000


class Live:
    """The part of the catalogue that decides what may be shown."""

    _store: Store

    def live(self, passage_ids: Collection[PassageId], filters: Filters) -> dict[PassageId, LivePassage]:
        """See `Catalogue.live`."""
        ids = list(passage_ids)
        with self._store.read() as connection:
            found: list[Passage] = []
            for i in range(0, len(ids), _IDS_A_STATEMENT):
                part = {"ids": ids[i : i + _IDS_A_STATEMENT]}
                found += [passage_of(row) for row in connection.execute(_shown_passages(filters), part).all()]
            # Documents and versions in statements of their own: many passages share them, and each is read once.
            owners = connection.execute(_versions, {"ids": list({it.version_id for it in found})}).all()
            versions = {row[0]: version_of(row) for row in owners}
            documents = read_documents(connection, {it.document_id for it in versions.values()})
        result: dict[PassageId, LivePassage] = {}
        for it in found:
            of = versions[it.version_id]
            result[it.id] = LivePassage(it, documents[of.document_id], of)
        return result

    def matching(self, filters: Filters) -> list[Version]:
        """See `Catalogue.matching`."""
        with self._store.read() as connection:
            return [version_of(row) for row in connection.execute(_shown_versions(filters)).all()]

    def extent(self, filters: Filters) -> tuple[int, int]:
        """See `Catalogue.extent`."""
        counted = select(func.count(), func.coalesce(func.sum(version.c.passages), 0))
        with self._store.read() as connection:
            versions, passages = connection.execute(_of_shown_versions(counted, filters)).one()
            return int(versions), int(passages)

    def passages_at(self, places: Collection[tuple[VersionId, int]]) -> dict[tuple[VersionId, int], PassageId]:
        """See `Catalogue.passages_at`."""
        # Not by pairs: SQLite then reads the whole table. This finds some too many, and uses the index.
        versions = list({version_id for version_id, _ in places})
        ordinals = list({ordinal for _, ordinal in places})
        columns = passage.c.version_id, passage.c.ordinal, passage.c.id
        found: dict[tuple[VersionId, int], PassageId] = {}
        with self._store.read() as connection:
            for i in range(0, len(versions), _IDS_A_STATEMENT):
                among = passage.c.version_id.in_(versions[i : i + _IDS_A_STATEMENT]), passage.c.ordinal.in_(ordinals)
                found |= {(row[0], row[1]): row[2] for row in connection.execute(select(*columns).where(*among)).all()}
        return {place: found[place] for place in places if place in found}


_owner = version.c.document_id == document.c.id
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_versions = select(version).where(version.c.id.in_(_ids))


# Kept for the filters used last: building the statement takes longer than SQLite takes to answer it.
@lru_cache(maxsize=256)
def _shown_passages(filters: Filters) -> Select[Any]:
    from_ = passage.join(version, passage.c.version_id == version.c.id).join(document, _owner)
    shown = select(passage).select_from(from_).where(passage.c.id.in_(_ids), *_conditions(filters))
    if (
        filters.topic
    ):  # a look at each of the few documents is 5 times as quick here as the list of all that have the topic
        own = document_topic.c.document_id == document.c.id
        shown = shown.where(exists().where(own, document_topic.c.topic.in_(filters.topic)))
    return shown


@lru_cache(maxsize=256)
def _shown_versions(filters: Filters) -> Select[Any]:
    return _of_shown_versions(select(version), filters)


def _of_shown_versions(asked: Select[Any], filters: Filters) -> Select[Any]:
    shown = asked.select_from(version.join(document, _owner)).where(*_conditions(filters))
    if filters.topic:
        having = select(document_topic.c.document_id).where(document_topic.c.topic.in_(filters.topic))
        shown = shown.where(document.c.id.in_(having))
    return shown


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """On `document` and `version`: that it may be shown under the filters, topics aside."""
    conditions: list[ColumnElement[bool]] = [document.c.deleted_at.is_(None), *_described(filters)]
    successor, its_version = document.alias("successor"), version.alias("successor_version")
    if filters.as_of is None:
        conditions.append(version.c.state == VersionState.LIVE)
        in_its_place = its_version.c.state == VersionState.LIVE
    else:
        conditions.append(_in_force(document, version, filters.as_of))
        in_its_place = _in_force(successor, its_version, filters.as_of)
    superseded = exists().where(
        successor.c.id == document.c.superseded_by,
        successor.c.deleted_at.is_(None),
        its_version.c.document_id == successor.c.id,
        in_its_place,
    )
    conditions.append(or_(document.c.superseded_by.is_(None), ~superseded))
    return conditions


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

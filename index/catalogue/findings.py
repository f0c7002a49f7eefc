"""What was found out about a version beside its text: what it says of itself, and which other document says the same or nearly the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from index.catalogue.documents import chain_from, there
from index.catalogue.rows import batched, read_documents, values_of, version_of
from index.catalogue.store import Store
from index.catalogue.tables import (
    dictionary_entry,
    document,
    job,
    near_duplicate,
    signature,
    suggestion,
    topic,
    version,
)
from index.catalogue.versions import version_there
from xuesi.core.domain import (
    Document,
    DocumentId,
    Job,
    Suggestion,
    SuggestionSource,
    Topic,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.errors import DuplicateDocument, NearDuplicateNotFound, WrongState
from xuesi.core.ports import NearDuplicate, Signature

# Similarity from which two texts are nearly the same. Of the official texts that it was tried on, two states of one law have 0.79 and more,
# a law and the code that took it in 0.42 and less.
NEARLY = 0.6
_LOST = (VersionState.FAILED, VersionState.CANCELLED)
_OPEN = ""
_APART, _VERSION = "apart", "version"


class Findings:
    """The part of the catalogue that is about what was found out."""

    _store: Store

    def save_findings(
        self, version_id: VersionId, *, text: Signature, suggestions: Sequence[Suggestion], refuse_same: bool = True
    ) -> None:
        """See `Catalogue.save_findings`."""
        with self._store.write() as connection:
            of = version_of(version_there(connection, version_id))
            for table in (suggestion, signature):
                connection.execute(delete(table).where(table.c.version_id == version_id))
            if refuse_same:
                _refuse_same_text(connection, of, text)
            connection.execute(
                insert(signature).values(version_id=version_id, text_sha256=text.text_sha256, minhash=text.minhash)
            )
            rows = [
                {"version_id": version_id, "field": one.field, "value": one.value, "source": one.source, "quote": one.quote, "ordinal": ordinal}
                for ordinal, one in enumerate(suggestions)
            ]  # fmt: skip
            if rows:
                connection.execute(insert(suggestion), rows)
            _note_near(connection, of, text)

    def text_sha256(self, version_id: VersionId) -> str | None:
        """See `Catalogue.text_sha256`."""
        with self._store.read() as connection:
            asked = select(signature.c.text_sha256).where(signature.c.version_id == version_id)
            return connection.execute(asked).scalar()

    def suggestions(self, version_id: VersionId) -> list[Suggestion]:
        """See `Catalogue.suggestions`."""
        asked = select(suggestion).where(suggestion.c.version_id == version_id).order_by(suggestion.c.ordinal)
        with self._store.read() as connection:
            return [
                Suggestion(row.field, row.value, SuggestionSource(row.source), row.quote)
                for row in connection.execute(asked)
            ]

    def near_duplicates(self, document_id: DocumentId | None = None) -> list[NearDuplicate]:
        """See `Catalogue.near_duplicates`."""
        mine, other = version.alias("mine"), version.alias("other")
        asked = (
            select(near_duplicate, mine.c.document_id, other.c.document_id)
            .join(mine, mine.c.id == near_duplicate.c.version_id)
            .join(other, other.c.id == near_duplicate.c.other_id)
            .where(
                near_duplicate.c.settled == _OPEN,
                mine.c.document_id != other.c.document_id,
                mine.c.state == VersionState.LIVE,
                other.c.state == VersionState.LIVE,
            )
            .order_by(near_duplicate.c.found_at.desc(), near_duplicate.c.version_id, near_duplicate.c.other_id)
        )
        if document_id is not None:
            asked = asked.where(or_(mine.c.document_id == document_id, other.c.document_id == document_id))
        with self._store.read() as connection:
            rows = connection.execute(asked).all()
            documents = read_documents(connection, list({id_ for row in rows for id_ in row[5:7]}))
            versions: dict[str, Version] = {}
            for among in batched({id_ for row in rows for id_ in row[:2]}):
                wanted = select(version).where(version.c.id.in_(among))
                versions |= {row.id: version_of(row) for row in connection.execute(wanted)}
            return [
                NearDuplicate(
                    documents[row[5]],
                    versions[row[0]],
                    documents[row[6]],
                    versions[row[1]],
                    row.similarity,
                    row.found_at,
                )
                for row in rows
                if _is_open(documents[row[5]], documents[row[6]])
            ]

    def keep_apart(self, document_id: DocumentId, other_id: DocumentId) -> None:
        """See `Catalogue.keep_apart`."""
        with self._store.write() as connection:
            there(connection, document_id)
            there(connection, other_id)
            if not _settle(connection, document_id, other_id, _APART):
                raise _no_pair(document_id, other_id)

    def merge(self, document_id: DocumentId, into: DocumentId, *, now: datetime, work: Job) -> Version:
        """See `Catalogue.merge`."""
        with self._store.write() as connection:
            there(connection, document_id)
            there(connection, into)
            moved, replaced = _live(connection, document_id), _live(connection, into)
            if not _settle(connection, document_id, into, _VERSION):
                raise _no_pair(document_id, into)
            retired = {"state": VersionState.RETIRED, "retired_at": now}
            connection.execute(update(version).where(version.c.id == replaced.id).values(retired))
            _move_versions(connection, document_id, into)
            _join_chains(connection, document_id, into)
            connection.execute(update(version).where(version.c.id == moved.id).values(live_from=now))
            connection.execute(
                update(document).where(document.c.id == document_id).values(deleted_at=now, purge_after=now)
            )
            # The title is part of what is embedded.
            embed = replace(work, document_id=into, version_id=moved.id)
            connection.execute(insert(job).values(values_of(embed, job.c.keys())))
            return version_of(connection.execute(select(version).where(version.c.id == moved.id)).one())

    def topics(self) -> list[Topic]:
        """See `Catalogue.topics`."""
        with self._store.read() as connection:
            asked = select(topic.c.name, topic.c.description).order_by(topic.c.name)
            return [Topic(*row) for row in connection.execute(asked)]

    def set_topics(self, topics: Sequence[Topic]) -> None:
        """See `Catalogue.set_topics`."""
        now = datetime.now(UTC)
        with self._store.write() as connection:
            connection.execute(delete(topic))
            rows = [{"name": one.name, "description": one.description, "created_at": now} for one in topics]
            if rows:
                connection.execute(insert(topic), rows)

    def dictionary(self) -> list[str]:
        """See `Catalogue.dictionary`."""
        with self._store.read() as connection:
            return sorted(connection.execute(select(dictionary_entry.c.text)).scalars())

    def set_dictionary(self, entries: Sequence[str]) -> None:
        """See `Catalogue.set_dictionary`."""
        now = datetime.now(UTC)
        with self._store.write() as connection:
            connection.execute(delete(dictionary_entry))
            if entries:
                connection.execute(insert(dictionary_entry), [{"text": it, "created_at": now} for it in entries])


def _refuse_same_text(connection: Connection, of: Version, text: Signature) -> None:
    asked = (
        select(document.c.id, document.c.title)
        .join(version, version.c.document_id == document.c.id)
        .join(signature, signature.c.version_id == version.c.id)
        .where(
            signature.c.text_sha256 == text.text_sha256,
            document.c.id != of.document_id,
            document.c.deleted_at.is_(None),
            version.c.state.not_in(_LOST),
        )
        .order_by(version.c.added_at)
        .limit(1)
    )
    if (row := connection.execute(asked).first()) is not None:
        raise DuplicateDocument(
            f"The same text is in the library already, as “{row.title}” (document {row.id}), in another file.",
            hint="Nothing was added. Open that document; remove this one, or give it as a new version there.",
            document_id=row.id,
        )


def _note_near(connection: Connection, of: Version, text: Signature) -> None:
    """Compare with every text that is in the library; what an administrator has settled stays settled."""
    asked = (
        select(signature.c.version_id, signature.c.minhash)
        .join(version, version.c.id == signature.c.version_id)
        .join(document, document.c.id == version.c.document_id)
        .where(
            document.c.id != of.document_id,
            document.c.deleted_at.is_(None),
            version.c.state.not_in((*_LOST, VersionState.RETIRED)),
        )
    )
    rows = connection.execute(asked).all()
    if not rows:
        return
    own = np.frombuffer(text.minhash, "<u4")
    all_ = np.frombuffer(b"".join(row.minhash for row in rows), "<u4").reshape(len(rows), -1)
    similar = (all_ == own).mean(axis=1)
    known = select(near_duplicate.c.other_id).where(near_duplicate.c.version_id == of.id)
    settled = set(connection.execute(known).scalars())
    found = [
        {"version_id": of.id, "other_id": row.version_id, "similarity": float(share), "settled": _OPEN, "found_at": datetime.now(UTC)}
        for row, share in zip(rows, similar, strict=True)
        if share >= NEARLY and row.version_id not in settled
    ]  # fmt: skip
    if found:
        connection.execute(insert(near_duplicate), found)


def _is_open(document: Document, other: Document) -> bool:
    """Whether both are there. Where one supersedes the other, it has been said what they are to each other."""
    told = document.superseded_by == other.id or other.superseded_by == document.id
    return document.deleted_at is None and other.deleted_at is None and not told


def _settle(connection: Connection, document_id: str, other_id: str, how: str) -> bool:
    """Mark every open pair of versions of the two documents, in either order. Whether there was one."""
    of = {
        id_: select(version.c.id).where(version.c.document_id == id_).scalar_subquery()
        for id_ in (document_id, other_id)
    }
    ways = ((document_id, other_id), (other_id, document_id))
    both = or_(*(and_(near_duplicate.c.version_id.in_(of[a]), near_duplicate.c.other_id.in_(of[b])) for a, b in ways))
    marked = update(near_duplicate).where(near_duplicate.c.settled == _OPEN, both).values(settled=how)
    return connection.execute(marked).rowcount > 0


def _move_versions(connection: Connection, from_: str, into: str) -> None:
    """All versions of the one document follow those of the other, in their order, with their jobs."""
    last = connection.execute(select(func.max(version.c.number)).where(version.c.document_id == into)).scalar_one()
    ids = connection.execute(select(version.c.id).where(version.c.document_id == from_).order_by(version.c.number))
    for number, version_id in enumerate(ids.scalars().all(), start=last + 1):
        moved = {"document_id": into, "number": number}
        connection.execute(update(version).where(version.c.id == version_id).values(moved))
        connection.execute(update(job).where(job.c.version_id == version_id).values(document_id=into))


def _join_chains(connection: Connection, from_: str, into: str) -> None:
    """What the one superseded is superseded by the other; the other has the successor of the one, unless it has one of its own."""
    own, theirs = (chain_from(connection, id_) for id_ in (into, from_))
    ours = [] if from_ in own else own[1:2]  # what led to the one leads to the other itself now
    successor = ours or ([] if into in theirs else theirs[1:2])
    older = update(document).where(document.c.superseded_by == from_, document.c.id != into)
    connection.execute(older.values(superseded_by=into))
    connection.execute(update(document).where(document.c.id == into).values(superseded_by=next(iter(successor), None)))
    connection.execute(update(document).where(document.c.id == from_).values(superseded_by=None))


def _live(connection: Connection, document_id: str) -> Version:
    asked = select(version).where(version.c.document_id == document_id, version.c.state == VersionState.LIVE)
    row = connection.execute(asked).first()
    if row is None:
        raise WrongState(
            f"Document {document_id} has no live version.", hint="Wait until its job is done, or retry it."
        )
    return version_of(row)


def _no_pair(document_id: str, other_id: str) -> NearDuplicateNotFound:
    return NearDuplicateNotFound(
        f"The documents {document_id} and {other_id} do not wait to be settled.",
        hint="The list of near duplicates shows which do.",
    )

"""In what tables does the catalogue keep its truth? The schema that the queries speak of; migrations/ builds it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from xuesi.core.domain import JobKind, JobState, Kind, VersionState


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. SQLite has no type for it: there it is text of one width, which sorts by time and is quick to read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """How this database keeps it."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a time without a zone: it would be read back as another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.isoformat(timespec="microseconds") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The time as it was given, in UTC."""
        del dialect
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        moment: datetime | None = value
        return moment and moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id(name: str = "id", **kwargs: Any) -> Column[str]:
    return Column(name, String(64), **kwargs)


def _of(table: str, name: str) -> Column[str]:
    """Reference to a row without which this one has no meaning: it goes when that one goes."""
    return Column(name, String(64), ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def _word(name: str, words: type[StrEnum]) -> Column[Any]:
    """One of the words, kept as text: a database type for each would make every new word a migration."""
    kept = Enum(words, native_enum=False, length=32, values_callable=lambda enum: [word.value for word in enum])
    return Column(name, kept, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


document = Table(
    "document",
    metadata,
    _id(primary_key=True),
    Column("title", Text, nullable=False),
    _word("kind", Kind),
    Column("issuer", Text, nullable=False),
    Column("published_on", Date),
    Column("effective_on", Date),
    Column("language", String(35), nullable=False),
    Column("visibility", String(64), nullable=False),
    Column("superseded_by", String(64), ForeignKey("document.id", ondelete="SET NULL"), index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("deleted_at", UtcTime),
    Column("document_number", String(200), nullable=False),
    Column("purge_after", UtcTime),
    Index("ix_document_newest", "created_at", "id"),
    # The publisher looks for these several times a second, and there are few.
    Index(
        "ix_document_deleted",
        "deleted_at",
        sqlite_where=text("deleted_at IS NOT NULL"),
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
)

# A table, not JSON in a column: any-of over topics can then use an index in every database.
document_topic = Table(
    "document_topic",
    metadata,
    Column("document_id", String(64), ForeignKey("document.id", ondelete="CASCADE"), primary_key=True),
    Column("topic", String(200), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Index("ix_document_topic_topic", "topic", "document_id"),
)

version = Table(
    "version",
    metadata,
    _id(primary_key=True),
    _of("document", "document_id"),
    Column("number", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("file_name", Text, nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    _word("state", VersionState),
    Column("added_at", UtcTime, nullable=False),
    _count("pages"),
    _count("chars"),
    _count("passages"),
    Column("quality", JSON, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("live_from", UtcTime),
    Column("retired_at", UtcTime),
    Index("uq_version_document_id_number", "document_id", "number", unique=True),
    # Whatever goes wrong elsewhere, a document never has two live versions.
    Index(
        "uq_version_live",
        "document_id",
        unique=True,
        sqlite_where=text("state = 'live'"),
        postgresql_where=text("state = 'live'"),
    ),
    # For the publisher too. Of one state only: an index of all would have SQLite begin every search at all live versions.
    Index(
        "ix_version_publishing",
        "added_at",
        "id",
        sqlite_where=text("state = 'publishing'"),
        postgresql_where=text("state = 'publishing'"),
    ),
)

page = Table(
    "page",
    metadata,
    Column("version_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("width", Float),
    Column("height", Float),
)

passage = Table(
    "passage",
    metadata,
    _id(primary_key=True),
    _of("version", "version_id"),
    Column("ordinal", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("page_from", Integer, nullable=False),
    Column("page_to", Integer, nullable=False),
    Column("heading_path", JSON, nullable=False),
    Column("tokens", Integer, nullable=False),
    Index("uq_passage_version_id_ordinal", "version_id", "ordinal", unique=True),
)

job = Table(
    "job",
    metadata,
    _id(primary_key=True),
    _word("kind", JobKind),
    _of("document", "document_id"),
    _of("version", "version_id"),
    _word("state", JobState),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False, index=True),
    Column("stage", String(32), nullable=False),
    _count("done"),
    _count("total"),
    Column("error_code", String(64), nullable=False),
    Column("error_detail", Text, nullable=False),
    _count("attempts"),
    Column("lease_until", UtcTime),
    Column("started_at", UtcTime),
    Column("stage_started_at", UtcTime),
    _count("deaths"),
    Index("ix_job_newest", "created_at", "id"),
    Index("ix_job_state", "state", "created_at"),
    Index("ix_job_version_id", "version_id"),
    Index("ix_job_document_id", "document_id"),
)

# How each page was read and how good its text is. Apart from `page`, which every citation reads.
page_report = Table(
    "page_report",
    metadata,
    Column("version_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("how", String(32), nullable=False),
    Column("chars", Integer, nullable=False),
    Column("unreadable", Float, nullable=False),
    Column("images", Float, nullable=False),
    Column("language", String(35), nullable=False),
    Column("note", Text, nullable=False),
)

suggestion = Table(
    "suggestion",
    metadata,
    Column("version_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True),
    Column("field", String(32), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("source", String(32), nullable=False),
    Column("quote", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
)

# What tells the same text in other bytes (SHA-256) and nearly the same text (MinHash).
signature = Table(
    "signature",
    metadata,
    Column("version_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True),
    Column("text_sha256", String(64), nullable=False, index=True),
    Column("minhash", LargeBinary, nullable=False),
)

near_duplicate = Table(
    "near_duplicate",
    metadata,
    Column("version_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", String(64), ForeignKey("version.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("similarity", Float, nullable=False),
    Column("settled", String(16), nullable=False),
    Column("found_at", UtcTime, nullable=False),
)

# The administrator's list, to which documents are compared; a document's own topics stand in document_topic.
topic = Table(
    "topic",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("description", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

# Names and set phrases that the administrator wants found whole.
dictionary_entry = Table(
    "dictionary_entry",
    metadata,
    Column("text", String(200), primary_key=True),
    Column("created_at", UtcTime, nullable=False),
)

watched = Table(
    "watched",
    metadata,
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("document_id", String(64), ForeignKey("document.id", ondelete="SET NULL"), index=True),
    Column("problem", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("missing_since", UtcTime),
)

fact = Table("fact", metadata, Column("key", String(200), primary_key=True), Column("value", Text, nullable=False))

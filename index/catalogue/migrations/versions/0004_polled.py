"""Indexes for what the publisher looks for several times a second."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name, table, columns, where in (
        ("ix_document_deleted", "document", ["deleted_at"], "deleted_at IS NOT NULL"),
        ("ix_version_publishing", "version", ["added_at", "id"], "state = 'publishing'"),
    ):
        op.create_index(
            name, table, columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )

"""When a job's stage began, and how many processes died over it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("job", sa.Column("stage_started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job", sa.Column("deaths", sa.Integer(), nullable=False, server_default=sa.text("0")))

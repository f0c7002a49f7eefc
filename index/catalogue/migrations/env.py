"""Runs the migrations on the connection it is given, within that connection's transaction."""

from alembic import context

from index.catalogue.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # true of SQLite too once BEGIN is ours; Alembic assumes the driver's handling
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

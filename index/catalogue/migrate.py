"""Does the database have the tables this program expects? Brought up to date at every start, or refused if it is newer.

Each file in migrations/versions is named by its revision, 0001_…, 0002_…, in the order in which they are applied.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from xuesi.core.errors import NewerCatalogue

_FOLDER = Path(__file__).with_name("migrations")


def revisions() -> list[str]:
    """The revisions that this program knows, oldest first."""
    return sorted(path.name.split("_", 1)[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def is_current(connection: Connection, name: str) -> bool:
    """Whether the tables are those of the newest revision known.

    Raises:
        NewerCatalogue: If a newer program has written them.
    """
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    known = revisions()
    if found is not None and found not in known:
        raise NewerCatalogue(
            f"The catalogue {name} was written by a newer version of Xuesi (its tables are at revision {found}; this program knows "
            f"them up to {known[-1]}).",
            hint="Start the newer program, or restore a backup that was made with this one.",
            found=found,
            known=known[-1],
        )
    return found == known[-1]


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest revision, inside the transaction that `connection` is in: all of it happens or nothing."""
    from alembic import command  # noqa: PLC0415 a start with current tables does not pay for the import
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

"""Which versions does one mean? Those that both indexes hold, and every one there is, those in the trash too."""

from xuesi.core.domain import Version, VersionState
from xuesi.core.ports import Catalogue

INDEXED = (VersionState.LIVE, VersionState.RETIRED)


def every_version(catalogue: Catalogue) -> list[Version]:
    """All versions of all documents; those of removed ones, which can still be restored, last."""
    removed = [version for _, its in catalogue.deleted() for version in its]
    return [*catalogue.all_versions(tuple(VersionState)), *removed]

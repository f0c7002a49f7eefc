"""In which order is all that looked at, and mended? The catalogue first, since everything else is compared with it."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from index.doctor.books import examine_catalogue
from index.doctor.embedding import examine_models
from index.doctor.finding import ERROR, NOTE, WARNING, Finding, Parts
from index.doctor.indexed import examine_indexes
from index.doctor.leftovers import examine_leftovers
from index.doctor.stored import examine_files
from index.doctor.work import examine_jobs
from xuesi.core.errors import XuesiError

_log = logging.getLogger("xuesi.doctor")
_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was mended, and what is still wrong."""

    mended: tuple[Finding, ...]
    left: tuple[Finding, ...]


def examine(parts: Parts, *, deep: bool = False) -> list[Finding]:
    """Everything that is wrong, errors first. With `deep` every byte is read: originals against their sums, indexed vectors against the stored ones."""
    books = examine_catalogue(parts.catalogue)
    if any(finding.code == "catalogue-damaged" and not finding.repairable for finding in books):
        return books  # what it says of the rest cannot be relied on
    findings = [
        *books,
        *examine_files(parts, deep=deep),
        *examine_indexes(parts, deep=deep),
        *examine_leftovers(parts),
        *examine_jobs(parts),
        *_space(parts),
        *examine_models(parts),
    ]
    return sorted(findings, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity))


def repair(parts: Parts, *, deep: bool = False) -> Repaired:
    """Mend what can be mended. What fails is logged, and found again."""
    tried = [finding for finding in examine(parts, deep=deep) if _mended(finding)]
    left = examine(parts, deep=deep)
    still = {finding.code for finding in left}
    return Repaired(tuple(finding for finding in tried if finding.code not in still), tuple(left))


def _mended(finding: Finding) -> bool:
    if finding.mend is None:
        return False
    try:
        finding.mend()
    except (XuesiError, OSError) as error:
        _log.error("%s could not be mended: %s", finding.code, error)
        return False
    return True


def _space(parts: Parts) -> Sequence[Finding]:
    """Little space: less than what is needed to write indexes and catalogue anew, which a purge or `xuesi reindex` does."""
    folder = parts.settings.data_dir
    catalogue = sum(path.stat().st_size for path in folder.glob("catalogue.db*"))
    needed = max(_LEAST_FREE_BYTES, parts.indexes.bytes() + catalogue)
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return []
    return [
        Finding(
            "little-space",
            WARNING,
            f"Only {free / 1e6:.0f} MB are free where {folder} lies; writing the indexes anew may take {needed / 1e6:.0f} MB.",
            "Free some space, or move the data folder.",
        )
    ]

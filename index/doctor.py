"""What is wrong with this installation, and how is it mended? Compares catalogue, files and both indexes."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.indexes import Indexes
from index.publish import Publisher
from xuesi.core.domain import JobState, PassageId, Version, VersionState
from xuesi.core.errors import Corrupt
from xuesi.core.ports import Catalogue, Files

_INDEXED = (VersionState.LIVE, VersionState.RETIRED)
_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `severity` is "error" or "warning"; `repairable` says whether `mend` can do something about it."""

    code: str
    severity: str
    detail: str
    hint: str
    repairable: bool = False


def examine(catalogue: Catalogue, files: Files, indexes: Indexes, *, data_dir: Path) -> list[Finding]:
    """Everything that is wrong, errors first."""
    versions = catalogue.all_versions(_INDEXED)
    findings = [*_files(versions, files), *_indexes(versions, catalogue, indexes), *_jobs(catalogue), *_disk(data_dir)]
    return sorted(findings, key=lambda finding: finding.severity)


def mend(
    findings: Sequence[Finding], *, catalogue: Catalogue, files: Files, indexes: Indexes, publisher: Publisher
) -> None:
    """Bring the indexes in line with the catalogue: what is missing is taken in again, what is unknown is thrown out."""
    codes = {finding.code for finding in findings if finding.repairable}
    if not codes & {"missing-in-index", "unknown-in-index"}:
        return
    versions = catalogue.all_versions(_INDEXED)
    wanted = {passage.id: version for version in versions for passage in catalogue.passages(version.id)}
    in_vectors, in_lexical = set(indexes.vectors.ids()), set(indexes.lexical.ids())
    indexes.vectors.remove(sorted(in_vectors - wanted.keys()))
    indexes.lexical.remove_passages(sorted(in_lexical - wanted.keys()))
    missing = {wanted[passage].id: wanted[passage] for passage in wanted.keys() - (in_vectors & in_lexical)}
    sound = [version for version in missing.values() if not _broken(version, files)]
    publisher.index(sound)


def _files(versions: Sequence[Version], files: Files) -> list[Finding]:
    found = []
    for version in versions:
        broken = _broken(version, files)
        if broken:
            found.append(
                Finding(
                    "file-damaged",
                    "error",
                    f"Version {version.number} of document {version.document_id}: {broken}",
                    "Add the file again: xuesi replace ID PATH.",
                )
            )
    return found


def _broken(version: Version, files: Files) -> str:
    """What is wrong with the version's files, or nothing."""
    try:
        files.original(version.sha256)
        chars, rows = len(files.text(version)), len(files.vectors(version))
    except (Corrupt, OSError, ValueError) as error:
        return str(error)
    if chars != version.chars:
        return f"its text has {chars} characters; the catalogue knows of {version.chars}."
    if rows != version.passages:
        return f"it has {rows} vectors; the catalogue knows of {version.passages} passages."
    return ""


def _indexes(versions: Sequence[Version], catalogue: Catalogue, indexes: Indexes) -> list[Finding]:
    wanted: set[PassageId] = {passage.id for version in versions for passage in catalogue.passages(version.id)}
    found = []
    for name, held in (("vector", set(indexes.vectors.ids())), ("lexical", set(indexes.lexical.ids()))):
        if missing := wanted - held:
            found.append(
                Finding(
                    "missing-in-index",
                    "error",
                    f"The {name} index lacks {len(missing)} passages.",
                    "xuesi doctor --repair takes them in again.",
                    repairable=True,
                )
            )
        if unknown := held - wanted:
            found.append(
                Finding("unknown-in-index", "warning", f"The {name} index holds {len(unknown)} passages that the catalogue does not know; they are never shown.",
                        "xuesi doctor --repair throws them out.", repairable=True)
            )  # fmt: skip
    return found


def _jobs(catalogue: Catalogue) -> list[Finding]:
    failed, _ = catalogue.jobs(state=JobState.FAILED, limit=100)
    return [
        Finding(
            "job-failed",
            "warning",
            f"Job {job.id} failed: {job.error_detail}",
            f"Mend the cause, then: xuesi retry {job.id}",
        )
        for job in failed
    ]


def _disk(data_dir: Path) -> list[Finding]:
    free = shutil.disk_usage(data_dir).free
    if free >= _LEAST_FREE_BYTES:
        return []
    return [
        Finding(
            "little-space",
            "warning",
            f"Only {free / 1e6:.0f} MB are free where {data_dir} lies.",
            "Free some space, or move the data folder.",
        )
    ]

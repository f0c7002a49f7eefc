"""Are the files of every version there, whole, and such as the catalogue says? Originals, texts, boxes, passages and vectors."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from index.doctor.finding import ERROR, WARNING, Finding, Names, Parts
from index.doctor.work import jobs_in, queue_jobs
from index.versions import INDEXED
from xuesi.core.domain import JobKind, JobState, Version, VersionId
from xuesi.core.errors import Corrupt, NotFound
from xuesi.core.ports import Catalogue, Files, Floats
from xuesi.core.text import counted

_READ_AGAIN = "xuesi doctor --repair reads the file again and puts back what was made of it."
_SAME_FILE = "Give the same file again, which puts it back in its place: xuesi replace ID PATH. Or restore a backup."
# In the order of what is told first: code, severity, what is wrong, what a person does about it, and the job that mends it.
_KINDS: dict[str, tuple[str, str, str, JobKind | None]] = {
    "original-missing": (ERROR, "Originals are not there", _SAME_FILE, None),
    "original-damaged": (ERROR, "Originals have other bytes than were added", _SAME_FILE, None),
    "text-damaged": (ERROR, "Texts that were read are missing or not as they were", _READ_AGAIN, JobKind.READ_AGAIN),
    "passages-differ": (ERROR, "Passages do not stand in the text where the catalogue says", _READ_AGAIN, JobKind.READ_AGAIN),
    "boxes-damaged": (WARNING, "Places of the characters on the pages, by which quotes are marked, cannot be used", _READ_AGAIN, JobKind.READ_AGAIN),
    "vectors-damaged": (ERROR, "Stored vectors are missing or do not fit their passages", "xuesi doctor --repair embeds the passages anew.", JobKind.EMBED),
}  # fmt: skip


def examine_files(parts: Parts, *, deep: bool = False) -> list[Finding]:
    """Look at the files of all live and retired versions, those in the trash too, a finding a kind of damage.

    A version that has a job is left out: what the job makes is looked at when it is done.
    """
    catalogue = parts.catalogue
    removed = catalogue.deleted()
    names, in_trash = Names(document for document, _ in removed), {document.id for document, _ in removed}
    busy = {job.version_id for state in (JobState.QUEUED, JobState.RUNNING) for job in jobs_in(parts.catalogue, state)}
    versions = [*catalogue.all_versions(INDEXED), *(v for _, its in removed for v in its if v.state in INDEXED)]
    found: dict[str, list[tuple[Version, str]]] = {code: [] for code in _KINDS}
    for version in versions:
        if version.id in busy:
            continue
        for code, why in _confirmed(version, parts, deep=deep):
            if code == "vectors-damaged" and version.document_id in in_trash and _of_other_model(version, parts):
                continue
            where = names.of(version, catalogue) + (", in the trash" if version.document_id in in_trash else "")
            found[code].append((version, f"{where}: {why}"))
    lost = {version.id for code in ("original-missing", "original-damaged") for version, _ in found[code]}
    lost |= {version.id for _, its in removed for version in its}
    return [_finding(parts, code, having, lost) for code, having in found.items() if having]


def _confirmed(version: Version, parts: Parts, *, deep: bool) -> list[tuple[str, str]]:
    """The faults of its files that a second look finds too, if nobody has removed it or begun to work on it since it was listed."""

    def look() -> list[tuple[str, str]]:
        return list(
            faults_of(
                version,
                catalogue=parts.catalogue,
                files=parts.files,
                fingerprint=parts.fingerprint,
                dimension=parts.dimension,
                deep=deep,
            )
        )

    if not look() or _has_moved(version, parts):
        return []
    return look()


def _has_moved(version: Version, parts: Parts) -> bool:
    removed = [it for _, its in parts.catalogue.deleted({version.document_id}) for it in its]
    try:
        now = removed or [parts.catalogue.version_by_id(version.id)]
    except NotFound:
        return True
    return version not in now or any(
        job.version_id == version.id
        for state in (JobState.QUEUED, JobState.RUNNING)
        for job in jobs_in(parts.catalogue, state)
    )


def _finding(parts: Parts, code: str, having: list[tuple[Version, str]], lost: set[VersionId]) -> Finding:
    """The finding of this kind; versions in `lost` cannot be read again."""
    severity, what, hint, kind = _KINDS[code]
    mendable = [version for version, _ in having if version.id not in lost]
    if kind and len(mendable) < len(having):
        hint += " Not for what is in the trash, which must be restored first, or has lost its original, which must be put back first."
    mend = partial(queue_jobs, parts, mendable, kind) if kind and mendable else None
    detail = f"{what}: {counted(len(having), 'version')}."
    return Finding(code, severity, detail, hint, tuple(item for _, item in having), mend, by_job=True)


def _of_other_model(version: Version, parts: Parts) -> bool:
    """Whether its vectors were made by a model before: if it is restored, it is embedded anew."""
    try:
        found = parts.files.embedded(version)
    except OSError:
        return False
    return bool(found) and parts.fingerprint not in found


def faults_of(
    version: Version, *, catalogue: Catalogue, files: Files, fingerprint: str, dimension: int | None, deep: bool = False
) -> Iterator[tuple[str, str]]:
    """What is wrong with the files of a version that was live: the kind of damage and its description.

    `fingerprint` is that of the model whose vectors count, `dimension` theirs; None: they may have any.
    """
    yield from _told("original-missing", lambda: _original(version, files, deep=deep))
    text_faults = list(_told("text-damaged", lambda: _text(version, files)))
    yield from text_faults or _told("passages-differ", lambda: _passages(version, catalogue, files))
    yield from _told("boxes-damaged", lambda: _boxes(version, files))
    yield from _told("vectors-damaged", lambda: _vectors(version, files, fingerprint, dimension, deep=deep))


def _told(code: str, look: Callable[[], tuple[str, str] | None]) -> Iterator[tuple[str, str]]:
    """What `look` finds; what cannot be opened at all is of kind `code`."""
    try:
        if (fault := look()) is not None:
            yield fault
    except Corrupt as error:
        yield code, error.detail
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:  # cut off, or not what it should be
        yield code, str(error) or type(error).__name__


def _original(version: Version, files: Files, *, deep: bool) -> tuple[str, str] | None:
    place = files.original(version.sha256)
    if (size := place.stat().st_size) != version.bytes:
        return "original-damaged", f"it has {counted(size, 'byte')} and not {version.bytes}."
    if deep:
        with place.open("rb") as file:
            if (found := hashlib.file_digest(file, "sha256").hexdigest()) != version.sha256:
                return "original-damaged", f"the SHA-256 of its bytes is {found} and not {version.sha256}."
    return None


def _text(version: Version, files: Files) -> tuple[str, str] | None:
    chars = len(files.text(version))
    if chars != version.chars:
        return "text-damaged", f"its text has {counted(chars, 'character')} and not {version.chars}."
    files.outline(version)
    return None


def _passages(version: Version, catalogue: Catalogue, files: Files) -> tuple[str, str] | None:
    text, passages = files.text(version), catalogue.passages(version.id)
    differing = sum(passage.span.of(text) != passage.text for passage in passages)
    if differing:
        return "passages-differ", f"{counted(differing, 'passage')} of {len(passages)}."
    if len(passages) != version.passages:
        return "text-damaged", f"it has {counted(len(passages), 'passage')} and not {version.passages}."
    return None


def _boxes(version: Version, files: Files) -> tuple[str, str] | None:
    boxes = files.boxes(version)
    if boxes is not None and boxes.shape != (version.chars, 4):
        return "boxes-damaged", f"they are {boxes.shape[0]} and not {version.chars}."
    return None


def _vectors(
    version: Version, files: Files, fingerprint: str, dimension: int | None, *, deep: bool
) -> tuple[str, str] | None:
    vectors, sentences = files.vectors(version, fingerprint), files.sentences(version, fingerprint)
    wanted = (version.passages, vectors.shape[-1] if dimension is None else dimension)
    if vectors.shape != wanted and version.passages:
        return "vectors-damaged", f"they are of shape {vectors.shape} and not {wanted}."
    rows = {len(sentences.spans), len(sentences.passages), len(sentences.vectors)}
    if len(rows) > 1 or sentences.vectors.shape[1:] != wanted[1:]:
        return "vectors-damaged", "the vectors of its sentences do not fit each other."
    tokens = files.tokens(version, fingerprint)
    if tokens is not None and (len(tokens.starts) != len(vectors) + 1 or tokens.starts[-1] != len(tokens.codes)):
        return "vectors-damaged", "the tokens of its passages do not fit each other."
    if deep and not _are_units(vectors):
        return "vectors-damaged", "some are not of unit length."
    return None


def _are_units(vectors: Floats) -> bool:
    return bool(np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3))

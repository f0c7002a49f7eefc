"""How does a backup become a library again? Unpacked beside everything else, compared with its sums, indexed, and only then put in place.

All happens in `restoring/` within the data folder. What was made there is moved up at the end, the catalogue last: a folder with `restoring/` and
without a catalogue is one whose restore was interrupted, which no server opens and the next restore clears.
"""

import hashlib
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, BinaryIO

from index.backup import CATALOGUE, FORMAT, MANIFEST, ROOT, SUMS, counts
from index.catalogue.catalogue import SqlCatalogue, open_catalogue
from index.catalogue.files import FileStore
from index.doctor.stored import faults_of
from index.indexes import Indexes
from index.owner import ADDRESS, LOCK
from index.publish import Publisher
from index.rebuild import Rebuilt, rebuild
from index.versions import INDEXED, every_version
from xuesi.core.disk import disk_errors
from xuesi.core.errors import IndexMismatch, Misconfigured, UnusableBackup, WrongState
from xuesi.core.models import fingerprint_in_force

_RESTORING = "restoring"
_MOVED = ("files", "vectors", "lexical", CATALOGUE)  # the catalogue last: with it there is a library
_UNTOUCHED = frozenset({_RESTORING, "models", LOCK, ADDRESS})
_CHUNK_BYTES = 1 << 20
# No part may begin with a dot, so no name leads anywhere else.
_MEMBER = re.compile(
    rf"{ROOT}/(files/[0-9a-f]{{64}}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){{1,3}}|{CATALOGUE}|{MANIFEST}|{SUMS})"
)
_ANY_FORMAT = re.compile(r"xuesi-backup-([0-9]+)/")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to. `problems` are sentences about what was missing or damaged when the backup was taken.

    `counts` as in `index.backup.counts`; `indexed` is None where the indexes have to be made by another command, which `problems` names.
    """

    made_at: str
    program: str
    counts: dict[str, int]
    indexed: Rebuilt | None
    problems: tuple[str, ...]


def restore(source: BinaryIO, data_dir: Path) -> Restored:
    """Make the library of a backup in an empty data folder, which the caller owns; a prepared model may lie in it.

    Raises:
        UnusableBackup: If the file is no whole and unaltered backup; nothing is left of it then.
        NewerCatalogue: If a newer program took it.
        WrongState: If there is something in the folder already; it stays as it is.
        StorageFull: If the disk is too small.
    """
    work = data_dir / _RESTORING
    _make_room(data_dir)
    try:
        with disk_errors(data_dir):
            work.mkdir()
            manifest, damaged = _unpack(source, work)
            restored = _open_and_index(work, manifest, damaged)
            _put_in_place(work, data_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return restored


def refuse_interrupted(data_dir: Path) -> None:
    """Raises Misconfigured if the data folder is one whose restore was interrupted."""
    if (data_dir / _RESTORING).is_dir() and not (data_dir / CATALOGUE).exists():
        raise Misconfigured(
            f"A restore into the data folder {data_dir} was interrupted.", hint="Run it again: xuesi restore FILE"
        )


def _make_room(data_dir: Path) -> None:
    """Clear what an interrupted restore left, and see that nothing else is there."""
    cleared = _MOVED[:-1] if (data_dir / _RESTORING).is_dir() and not (data_dir / CATALOGUE).exists() else ()
    there = sorted({path.name for path in data_dir.iterdir()} - _UNTOUCHED - {*cleared})
    if there:
        shown = ", ".join(there[:5]) + (", …" if len(there) > 5 else "")
        raise WrongState(
            f"The data folder {data_dir} is not empty ({shown}); a backup is restored into an empty one only. Nothing was changed.",
            hint="Move what is there away, or choose another folder with XUESI_DATA_DIR.",
        )
    for name in (*cleared, _RESTORING):
        shutil.rmtree(data_dir / name, ignore_errors=True)


def _unpack(source: BinaryIO, work: Path) -> tuple[dict[str, Any], list[str]]:
    """Every member into `work`, and its sum compared with the list; the manifest, and what was damaged before the backup was taken."""
    made = work / f"{SUMS}.made"
    last, damaged = "", []
    try:
        with made.open("w", encoding="utf-8") as sums, tarfile.open(fileobj=source, mode="r|") as archive:
            for info in archive:
                name = _name_of(info, begun=bool(last))
                member = archive.extractfile(info)
                assert member is not None
                digest = _write(member, work / name)
                if name != SUMS:
                    sums.write(f"{digest}  {name}\n")
                if name.endswith("/original") and digest != name.split("/")[1]:
                    damaged.append(f"{name} was damaged already when the backup was taken.")
                last = name
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise (_cut_off() if last else _foreign()) from error
    if last != SUMS:
        raise _cut_off() if last else _foreign()
    _compare(listed=work / SUMS, made=made)
    if not (work / MANIFEST).is_file() or not (work / CATALOGUE).is_file():
        raise _altered("")
    return json.loads((work / MANIFEST).read_bytes()), damaged


def _name_of(info: tarfile.TarInfo, *, begun: bool) -> str:
    """The member's name below the archive's folder; refused if no backup has such a member."""
    found = _MEMBER.fullmatch(info.name)
    if found is not None and info.isreg() and not info.issparse():
        return found.group(1)
    other = _ANY_FORMAT.match(info.name)
    if other and int(other.group(1)) > FORMAT:
        raise UnusableBackup(
            f"The backup has form {other.group(1)}; this program knows forms up to {FORMAT}.",
            hint="Restore it with the newer version of Xuesi that took it.",
        )
    if not begun and not other:
        raise _foreign()
    raise UnusableBackup(
        f"The backup holds {info.name!r}, which no backup of Xuesi holds. Nothing was restored.",
        hint="It was altered after it was taken; use another one.",
    )


def _write(member: IO[bytes], place: Path) -> str:
    """Write a member; its SHA-256 in hexadecimal digits."""
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        file = place.open("xb")
    except FileExistsError as error:
        raise _altered(place.name) from error
    with file:
        while piece := member.read(_CHUNK_BYTES):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _compare(*, listed: Path, made: Path) -> None:
    with listed.open("rb") as said, made.open("rb") as found:
        for line, own in zip_longest(said, found):
            if line != own:
                raise _altered((own or line).decode("ascii", "replace").strip().partition("  ")[2])


def _open_and_index(work: Path, manifest: dict[str, Any], damaged: list[str]) -> Restored:
    with _catalogue(work) as catalogue:
        found, said = counts(catalogue), manifest["counts"]
        if any(
            found[name] != said[name] for name in found.keys() & said.keys()
        ):  # another version may count other things
            raise _altered(CATALOGUE)
        _sweep(work / "files", catalogue)
        files = FileStore(work / "files")
        fingerprint = fingerprint_in_force(catalogue) or ""
        with closing(Indexes(work, catalogue=catalogue, fingerprint=fingerprint)) as indexes:
            publisher = Publisher(catalogue=catalogue, files=files, indexes=indexes)
            indexed, problems = _indexed(indexes, catalogue, publisher)
        problems += [
            f"Version {version.number} of document {version.document_id}: {why}"
            for version in catalogue.all_versions(INDEXED)
            for code, why in faults_of(
                version, catalogue=catalogue, files=files, fingerprint=fingerprint, dimension=None
            )
            if code != "original-damaged"  # told already, by its sum
        ]
    return Restored(manifest["made_at"], manifest["program"], found, indexed, (*damaged, *problems))


def _sweep(folder: Path, catalogue: SqlCatalogue) -> None:
    """Delete files of no version: of a document that was purged during the backup, when some of its files were written already."""
    versions = every_version(catalogue)
    known = {version.sha256 for version in versions} | {version.id for version in versions}
    for place in (*folder.glob("*"), *folder.glob("*/*")):
        if place.is_dir() and place.name not in known:
            shutil.rmtree(place)


@contextmanager
def _catalogue(work: Path) -> Iterator[SqlCatalogue]:
    with open_catalogue(f"sqlite:///{(work / CATALOGUE).absolute()}") as catalogue:
        yield catalogue
    # Closed by the last who had it open, it is one file; with a journal beside it, moving it alone would lose what stands there.
    assert not (work / f"{CATALOGUE}-wal").exists()


def _indexed(indexes: Indexes, catalogue: SqlCatalogue, publisher: Publisher) -> tuple[Rebuilt | None, list[str]]:
    try:
        return rebuild(indexes, catalogue=catalogue, publisher=publisher), []
    except IndexMismatch as error:  # a change of the model was interrupted before the backup; the documents are whole
        return None, [str(error)]


def _put_in_place(work: Path, data_dir: Path) -> None:
    if os.name == "posix":
        os.sync()  # what was unpacked lasts through a loss of power before the catalogue says that it is there
    with ExitStack() as undo:
        for name in _MOVED:
            _move(work / name, data_dir / name)
            undo.callback(_move, data_dir / name, work / name)
        undo.pop_all()


def _move(place: Path, to: Path) -> None:
    if to.exists():
        raise WrongState(f"{to} came to be while the backup was restored.", hint="Stop what works there.")
    place.replace(to)


def _foreign() -> UnusableBackup:
    return UnusableBackup("This file is no backup of Xuesi.", hint="Give the file that `xuesi backup FILE` wrote.")


def _cut_off() -> UnusableBackup:
    return UnusableBackup(
        "The backup ends before its end, or is damaged: what should follow cannot be read. Nothing was restored.",
        hint="Copy it again from where it was made, or take another backup.",
    )


def _altered(name: str) -> UnusableBackup:
    return UnusableBackup(
        f"The backup is damaged: {name or 'its list of members'} is not what it was when the backup was taken. Nothing was restored.",
        hint="Copy it again from where it was made, or take another backup.",
    )

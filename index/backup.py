"""How is a library carried away whole? As one tar archive of all that it cannot be rebuilt without, made while it is worked with.

    xuesi-backup-1/files/<sha256>/original                  and what was made of each version beside it, as index/catalogue/files.py keeps it
    xuesi-backup-1/catalogue.db                             as it was at one moment
    xuesi-backup-1/manifest.json                            who made it, when, by which embedding model, and how much there is
    xuesi-backup-1/SHA256SUMS                               of every member before it, in their order, as `sha256sum -c` reads it

The catalogue is copied first and then the files that the copy names: an original is there before the catalogue speaks of it, and what is made
of a live version is never changed, only replaced. Documents that are purged meanwhile lose their files and are taken out of the copy before it is
written. Indexes are made anew from this; models, waiting wake-ups and passwords are no part of it. Nothing but the catalogue's copy is written
to the disk, and no file is held in memory.
"""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import xuesi
from index.catalogue.catalogue import open_catalogue
from index.publish import PURGED_FACT
from index.versions import every_version
from xuesi.core.disk import disk_errors
from xuesi.core.domain import DocumentId, JobState, Version
from xuesi.core.errors import Corrupt, DocumentNotFound
from xuesi.core.ids import new_id
from xuesi.core.models import fingerprint_in_force
from xuesi.core.ports import Catalogue, Files

FORMAT = 1
ROOT = f"xuesi-backup-{FORMAT}"
CATALOGUE, MANIFEST, SUMS = "catalogue.db", "manifest.json", "SHA256SUMS"
_FOLDER = "backing-up-"
_CHUNK_BYTES = 1 << 20


@contextmanager
def open_backup(*, catalogue: Catalogue, files: Files, data_dir: Path) -> Iterator[Iterator[bytes]]:
    """Take a backup: the library as it is now, in pieces of a megabyte at most, to be read until the block ends.

    Raises:
        WrongState: If the catalogue is a database that has its own tools for this.
        StorageFull: If there is no space for a second catalogue.
    """
    folder = data_dir / f"{_FOLDER}{new_id()}"
    with disk_errors(data_dir):
        folder.mkdir()
    try:
        catalogue.snapshot(folder / CATALOGUE)
        with closing(_Archive(catalogue=catalogue, files=files, folder=folder).pieces()) as pieces:
            yield pieces
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_interrupted(data_dir: Path) -> None:
    """Delete what backups left that were interrupted by the end of their process; nobody else may be taking one."""
    for folder in data_dir.glob(f"{_FOLDER}*"):
        shutil.rmtree(folder, ignore_errors=True)


class _Archive:
    """One backup under way: `folder` holds the catalogue's copy and grows the list of sums."""

    def __init__(self, *, catalogue: Catalogue, files: Files, folder: Path) -> None:
        self._catalogue = catalogue
        self._files = files
        self._copy = folder / CATALOGUE
        self._sums = folder / SUMS
        self._made_at = datetime.now(UTC)
        self._incomplete: set[DocumentId] = set()
        self._members = 0
        self._bytes = 0

    def pieces(self) -> Generator[bytes]:
        """The archive from its first byte to its last."""
        with self._sums.open("wb") as sums:
            for member, file in self._kept_files():
                yield from self._member(member, file, sums)
            manifest = self._finish_copy()
            with self._copy.open("rb") as file:
                yield from self._member(CATALOGUE, file, sums)
            yield from self._member(MANIFEST, io.BytesIO(json.dumps(manifest, indent=2).encode()), sums)
        with self._sums.open("rb") as file:
            yield from self._member(SUMS, file, io.BytesIO())
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _kept_files(self) -> Iterator[tuple[str, IO[bytes]]]:
        written = ""
        for version in self._versions():
            with self._files.opened(version) as kept:
                names = {name.rpartition("/")[2] for name, _ in kept}
                if "original" not in names or (version.chars and "text.txt" not in names):
                    self._incomplete.add(version.document_id)
                for name, file in kept:
                    if name != written:  # versions with the same bytes have one original
                        yield f"files/{name}", file
                    if name.endswith("/original"):
                        written = name

    def _versions(self) -> list[Version]:
        """All versions that the copy knows, those of deleted documents too: they can still be restored from the trash."""
        with open_catalogue(f"sqlite:///{self._copy}") as copy:
            versions = every_version(copy)
        return sorted(versions, key=lambda version: (version.sha256, version.id))

    def _finish_copy(self) -> dict[str, object]:
        """Take purged documents out of the catalogue's copy; what it holds then, as the manifest says it.

        A document whose files are not all there although nobody removed it stays: the file is lost, and whoever restores is told.
        """
        with open_catalogue(f"sqlite:///{self._copy}") as copy:
            purged = [document_id for document_id in self._incomplete if not self._is_there(document_id)]
            for document_id in purged:
                with suppress(DocumentNotFound):  # deleted before the copy was made
                    copy.delete_document(document_id, at=self._made_at)
                copy.purge(document_id)
            if purged or copy.get_fact(PURGED_FACT):
                copy.compact()  # rows that are gone stay in free pages, and nobody would look for them in a backup
            return {
                "format": FORMAT,
                "program": xuesi.__version__,
                "made_at": self._made_at.isoformat(timespec="seconds"),
                "embedding_fingerprint": fingerprint_in_force(copy),
                "counts": counts(copy),
                "files": self._members,
                "file_bytes": self._bytes,
            }

    def _is_there(self, document_id: DocumentId) -> bool:
        try:
            self._catalogue.document(document_id)
        except DocumentNotFound:
            return False
        return True

    def _member(self, name: str, file: IO[bytes], sums: IO[bytes]) -> Iterator[bytes]:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        header = tarfile.TarInfo(f"{ROOT}/{name}")
        header.size, header.mode, header.mtime = size, 0o600, int(self._made_at.timestamp())
        yield header.tobuf(tarfile.PAX_FORMAT)
        digest, left = hashlib.sha256(), size
        while left:
            piece = file.read(min(left, _CHUNK_BYTES))
            if not piece:
                raise Corrupt(f"{name} became shorter while it was backed up.", hint="Take the backup again.")
            digest.update(piece)
            left -= len(piece)
            yield piece
        yield bytes(-size % tarfile.BLOCKSIZE)
        sums.write(f"{digest.hexdigest()}  {name}\n".encode())
        self._members += 1
        self._bytes += size


def counts(catalogue: Catalogue) -> dict[str, int]:
    """What a catalogue holds: as `Catalogue.counts`, and the jobs that are not finished."""
    jobs = catalogue.job_counts()
    return {**catalogue.counts(), "unfinished_jobs": jobs[JobState.QUEUED] + jobs[JobState.RUNNING]}

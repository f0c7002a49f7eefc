"""Where do the bytes of a version lie, and how do they get there whole? The port `Files` on a folder.

    files/<sha256>/original
    files/<sha256>/<version id>/text.txt  boxes.npy  outline.json
    files/<sha256>/<version id>/vectors.json  vectors-<id>/         as index/catalogue/vectors.py says

Every file is written under a temporary name, flushed to the disk and renamed, so that a name always stands for a whole file. Names given by
users are no part of any path.

An original belongs to every version with its bytes. Whoever adds such a version, or finds that there is none left and removes the original,
holds a lock in files.locks/ from the first look to the last step, or the one could take away what the other has just been given.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from index.catalogue import vectors
from index.catalogue.disk import (
    flush,
    flush_folder,
    missing,
    opened,
    replacing,
    save_array,
    whole_files,
)
from index.catalogue.leftovers import leftovers
from index.catalogue.texts import Texts
from xuesi.core.arrays import mapped
from xuesi.core.disk import disk_errors
from xuesi.core.domain import OutlineEntry, Version
from xuesi.core.errors import Corrupt, DocumentTooLarge, EmptyFile
from xuesi.core.ids import new_id
from xuesi.core.ports import Bits, Floats, Halves, Ints, Reading, SentenceVectors, StoredFile, TokenCodes

_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


class FileStore:
    """The port `Files` on the folder `folder`. Safe to share among threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks = folder.with_name(f"{folder.name}.locks")
        self._texts = Texts()
        with disk_errors(folder):
            for needed in (folder, self._locks):
                needed.mkdir(parents=True, exist_ok=True)

    # Originals

    @contextmanager
    def put_original(
        self, source: BinaryIO, *, limit_bytes: int, wanted: Callable[[str], bool]
    ) -> Iterator[StoredFile]:
        """See `Files.put_original`."""
        temporary = self._folder / f"incoming-{new_id()}"
        try:
            with disk_errors(self._folder), temporary.open("wb") as target:
                stored = _copy(source, target, limit_bytes)
                flush(target)
            with self._held(stored.sha256):
                try:
                    with disk_errors(self._folder):
                        self._put_in_place(temporary, self._of(stored.sha256) / "original")
                    yield stored
                finally:
                    self._drop(stored.sha256, wanted)
        finally:
            temporary.unlink(missing_ok=True)

    def original(self, sha256: str) -> Path:
        """See `Files.original`."""
        place = self._of(sha256) / "original"
        if not place.is_file():
            raise missing(place)
        return place

    # What was read

    def put_reading(self, version: Version, reading: Reading) -> None:
        """See `Files.put_reading`."""
        folder = self._made(version)
        self._write(folder / "text.txt", lambda file: file.write(reading.text.encode("utf-8")))
        outline = [asdict(entry) for entry in reading.outline]
        self._write(folder / "outline.json", lambda file: file.write(json.dumps(outline, ensure_ascii=False).encode()))
        if (boxes := reading.boxes) is None:
            (folder / "boxes.npy").unlink(missing_ok=True)
        else:
            self._write(folder / "boxes.npy", partial(save_array, boxes.astype(np.float32, copy=False)))

    def text(self, version: Version) -> str:
        """See `Files.text`. Raises FileMissing if nothing was read yet."""
        return _found(lambda: self._texts.read(self._version(version) / "text.txt"))

    def boxes(self, version: Version) -> Floats | None:
        """See `Files.boxes`."""
        try:
            boxes: Floats = _mapped(self._version(version) / "boxes.npy")
        except FileNotFoundError:
            return None
        return boxes

    def outline(self, version: Version) -> tuple[OutlineEntry, ...]:
        """See `Files.outline`. Raises FileMissing if nothing was read yet."""
        entries = json.loads(_found((self._version(version) / "outline.json").read_bytes))
        return tuple(OutlineEntry(**entry) for entry in entries)

    # Vectors

    def put_vectors(
        self,
        version: Version,
        *,
        fingerprint: str,
        title: str,
        passages: Floats,
        sentences: SentenceVectors,
        tokens: TokenCodes | None = None,
    ) -> None:
        """See `Files.put_vectors`. A reader sees the vectors from before or these, never some of each."""
        arrays: dict[str, vectors.Array] = {
            "passages": passages.astype(np.float32, copy=False),
            "sentences": sentences.vectors.astype(np.float16, copy=False),
            "sentence_spans": sentences.spans.astype(np.int32, copy=False),
            "sentence_passages": sentences.passages.astype(np.int32, copy=False),
        }
        if tokens is not None:
            arrays |= {"tokens": tokens.codes, "token_starts": tokens.starts.astype(np.int32, copy=False)}
        with disk_errors(self._folder):
            vectors.write(
                self._made(version),
                arrays,
                fingerprint=fingerprint,
                title=title,
                alone=partial(self._held, version.sha256),
            )

    def embedded(self, version: Version) -> dict[str, str | None]:
        """See `Files.embedded`."""
        return {fingerprint: it.title for fingerprint, it in vectors.kept(self._version(version)).items()}

    def vectors(self, version: Version, fingerprint: str) -> Floats:
        """See `Files.vectors`."""
        return vectors.read(self._version(version), fingerprint, lambda folder: _mapped(folder / "passages.npy"))

    def sentences(self, version: Version, fingerprint: str) -> SentenceVectors:
        """See `Files.sentences`."""

        def load(folder: Path) -> SentenceVectors:
            spans: Ints = _mapped(folder / "sentence_spans.npy")
            passages: Ints = _mapped(folder / "sentence_passages.npy")
            halves: Halves = _mapped(folder / "sentences.npy")
            return SentenceVectors(spans, passages, halves)

        return vectors.read(self._version(version), fingerprint, load)

    def tokens(self, version: Version, fingerprint: str) -> TokenCodes | None:
        """See `Files.tokens`."""

        def load(folder: Path) -> TokenCodes | None:
            try:
                starts: Ints = _mapped(folder / "token_starts.npy")
            except FileNotFoundError:
                if folder.is_dir():
                    return None
                raise
            codes: Bits = _mapped(folder / "tokens.npy")
            return TokenCodes(codes, starts)

        return vectors.read(self._version(version), fingerprint, load)

    def vector_bytes(self, version: Version) -> dict[str, int]:
        """See `Files.vector_bytes`."""
        place = self._version(version)
        return {fingerprint: vectors.size(place / it.folder) for fingerprint, it in vectors.kept(place).items()}

    def drop_vectors(self, version: Version, *, keep: Collection[str]) -> int:
        """See `Files.drop_vectors`."""
        place = self._version(version)
        if vectors.kept(place).keys() <= set(keep):  # most have none to drop: no lock is taken for them
            return 0
        with disk_errors(self._folder):
            return vectors.drop(place, keep=keep, alone=partial(self._held, version.sha256))

    @contextmanager
    def filling(self, version: Version) -> Iterator[bool]:
        """See `Files.filling`."""
        with ExitStack() as stack:
            try:
                with disk_errors(self._locks):
                    stack.enter_context(FileLock(self._locks / f"filling-{version.sha256[:2]}", timeout=0))
            except Timeout:
                yield False
            else:
                yield True

    # All of it

    @contextmanager
    def opened(self, version: Version) -> Iterator[list[tuple[str, BinaryIO]]]:
        """See `Files.opened`. A removal is seen whole or not at all."""
        with ExitStack() as stack:
            with self._held(version.sha256):
                made = [place for place in whole_files(self._version(version)) if place.name != vectors.NAMING]
                places = [self._of(version.sha256) / "original", *made]
                found = [(place, file) for place in places if (file := opened(place, stack)) is not None]
                found += vectors.open_all(self._version(version), stack)
            yield [(place.relative_to(self._folder).as_posix(), file) for place, file in found]

    # Removal

    def remove(self, version: Version) -> None:
        """See `Files.remove`."""
        self._texts.forget(self._version(version))
        with self._held(version.sha256):
            shutil.rmtree(self._version(version), ignore_errors=True)

    def leftovers(self, versions: Callable[[], Collection[Version]], *, older_than_s: float) -> list[str]:
        """See `Files.leftovers`."""
        return leftovers(self._folder, versions, older_than_s=older_than_s)

    def remove_leftover(self, name: str, *, wanted: Callable[[str], bool]) -> None:
        """See `Files.remove_leftover`."""
        place = self._folder / name
        if not _SHA256.fullmatch(name):
            _delete(place)
            return
        with self._held(name):
            if not wanted(name):
                _delete(place)

    def remove_original(self, sha256: str, *, wanted: Callable[[str], bool]) -> None:
        """See `Files.remove_original`."""
        with self._held(sha256):
            self._drop(sha256, wanted)

    def _drop(self, sha256: str, wanted: Callable[[str], bool]) -> None:
        if wanted(sha256):
            return
        (self._of(sha256) / "original").unlink(missing_ok=True)
        with suppress(OSError):  # another version's folder is still in it
            self._of(sha256).rmdir()

    @contextmanager
    def _held(self, sha256: str) -> Iterator[None]:
        """Nobody else adds or removes this original until the block ends; a few others wait too, for there are 256 locks in all."""
        with ExitStack() as stack:
            with disk_errors(self._locks):
                stack.enter_context(FileLock(self._locks / sha256[:2]))
            yield

    def _put_in_place(self, temporary: Path, place: Path) -> None:
        place.parent.mkdir(exist_ok=True)
        temporary.replace(place)
        flush_folder(place.parent)
        flush_folder(self._folder)

    # Places

    def _of(self, sha256: str) -> Path:
        assert _SHA256.fullmatch(sha256), sha256
        return self._folder / sha256

    def _version(self, version: Version) -> Path:
        assert "/" not in version.id
        assert version.id not in ("", ".", ".."), version.id
        return self._of(version.sha256) / version.id

    def _made(self, version: Version) -> Path:
        folder = self._version(version)
        with disk_errors(self._folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _write(self, place: Path, write: Callable[[IO[bytes]], object]) -> None:
        with disk_errors(self._folder), replacing(place) as file:
            write(file)


def _delete(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _copy(source: BinaryIO, target: IO[bytes], limit_bytes: int) -> StoredFile:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit_bytes:
            raise DocumentTooLarge(
                f"The file is larger than {limit_bytes / 1e6:g} MB, the most that is taken.",
                hint="Split it, or have max_file_mb raised.",
                limit_bytes=limit_bytes,
            )
        digest.update(chunk)
        target.write(chunk)
    if not size:
        raise EmptyFile("The file is empty: it has no bytes.", hint="Save it again where it comes from and add that.")
    return StoredFile(digest.hexdigest(), size)


def _mapped(place: Path) -> Any:
    try:
        return mapped(place)
    except (ValueError, EOFError) as error:
        raise Corrupt(f"The file {place} is damaged: {error}.", hint="Mend it: xuesi doctor --repair") from error


def _found(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except FileNotFoundError as error:
        raise missing(Path(error.filename)) from error

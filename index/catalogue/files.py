"""Where do the bytes of a version lie, and how do they get there whole? The port `Files` on a folder.

    files/<sha256>/original
    files/<sha256>/<version id>/text.txt  boxes.npy  outline.json
    files/<sha256>/<version id>/vectors.json                        names the folder of vectors in force, and the model that made them
    files/<sha256>/<version id>/vectors-<id>/passages.npy  sentences.npy  sentence_spans.npy  sentence_passages.npy

Every file is written under a temporary name, flushed to the disk and renamed, so that a name always stands for a whole file. Vectors are
several files that must fit each other, while a live version may be read during its embedding anew: so they lie in a folder of their
own, and one small file, replaced at once, says which folder counts. Names given by users are no part of any path.
"""

import errno
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.catalogue.disk import disk_errors, flush, flush_folder, replacing
from index.catalogue.texts import Texts
from xuesi.core.domain import OutlineEntry, Version
from xuesi.core.errors import DocumentTooLarge, EmptyFile, FileMissing
from xuesi.core.ids import new_id
from xuesi.core.ports import Floats, Halves, Ints, Reading, SentenceVectors, StoredFile

_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


class FileStore:
    """The port `Files` on the folder `folder`. Safe to share among threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts = Texts()
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    # Originals

    def put_original(self, source: BinaryIO, *, limit_bytes: int) -> StoredFile:
        """See `Files.put_original`."""
        temporary = self._folder / f"incoming-{new_id()}"
        try:
            with disk_errors(self._folder), temporary.open("wb") as target:
                stored = _copy(source, target, limit_bytes)
                flush(target)
            # Two uploads of the same bytes end with the same name and the same content, whichever comes last.
            with disk_errors(self._folder):
                place = self._of(stored.sha256) / "original"
                place.parent.mkdir(exist_ok=True)
                temporary.replace(place)
                flush_folder(place.parent)
                flush_folder(self._folder)
        finally:
            temporary.unlink(missing_ok=True)
        return stored

    def original(self, sha256: str) -> Path:
        """See `Files.original`."""
        place = self._of(sha256) / "original"
        if not place.is_file():
            raise _missing(place)
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
            self._write(folder / "boxes.npy", partial(_save, boxes.astype(np.float32, copy=False)))

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

    def put_vectors(self, version: Version, *, fingerprint: str, passages: Floats, sentences: SentenceVectors) -> None:
        """See `Files.put_vectors`. A reader sees the vectors from before or these, never some of each."""
        folder = self._made(version)
        name = f"vectors-{new_id()}"
        arrays: dict[str, NDArray[Any]] = {
            "passages": passages.astype(np.float32, copy=False),
            "sentences": sentences.vectors.astype(np.float16, copy=False),
            "sentence_spans": sentences.spans.astype(np.int32, copy=False),
            "sentence_passages": sentences.passages.astype(np.int32, copy=False),
        }
        try:
            with disk_errors(self._folder):
                (folder / name).mkdir()
            for of, array in arrays.items():
                self._write(folder / name / f"{of}.npy", partial(_save, array))
            named = json.dumps({"folder": name, "fingerprint": fingerprint}).encode()
            self._write(folder / "vectors.json", lambda file: file.write(named))
        except BaseException:
            shutil.rmtree(folder / name, ignore_errors=True)
            raise
        for old in folder.glob("vectors-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)

    def fingerprint(self, version: Version) -> str | None:
        """See `Files.fingerprint`."""
        try:
            return str(self._vectors_in_force(version)["fingerprint"])
        except FileNotFoundError:
            return None

    def vectors(self, version: Version) -> Floats:
        """See `Files.vectors`. Raises FileMissing if none are kept."""
        return self._in_force(version, lambda folder: _mapped(folder / "passages.npy"))

    def sentences(self, version: Version) -> SentenceVectors:
        """See `Files.sentences`. Raises FileMissing if none are kept."""

        def load(folder: Path) -> SentenceVectors:
            spans: Ints = _mapped(folder / "sentence_spans.npy")
            passages: Ints = _mapped(folder / "sentence_passages.npy")
            vectors: Halves = _mapped(folder / "sentences.npy")
            return SentenceVectors(spans, passages, vectors)

        return self._in_force(version, load)

    # Removal

    def remove(self, version: Version, *, with_original: bool) -> None:
        """See `Files.remove`. What is gone already is passed over."""
        shutil.rmtree(self._version(version), ignore_errors=True)
        if with_original:
            (self._of(version.sha256) / "original").unlink(missing_ok=True)
            with suppress(OSError):  # another version's folder is still in it
                self._of(version.sha256).rmdir()

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

    def _vectors_in_force(self, version: Version) -> dict[str, Any]:
        named: dict[str, Any] = json.loads((self._version(version) / "vectors.json").read_bytes())
        return named

    def _in_force(self, version: Version, load: Callable[[Path], _T]) -> _T:
        tried = ""
        while (name := _found(lambda: self._vectors_in_force(version)["folder"])) != tried:
            try:
                return load(self._version(version) / name)
            except (
                FileNotFoundError
            ):  # replaced between the two steps, as often as others write; missing if the name is still the same
                tried = name
        return _found(lambda: load(self._version(version) / tried))


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


def _save(array: NDArray[Any], file: IO[bytes]) -> None:
    try:
        np.save(file, array, allow_pickle=False)
    except OSError as error:
        if error.errno is None:  # NumPy says how many values it could write, but not why: the disk is full
            raise OSError(errno.ENOSPC, str(error)) from error
        raise


def _mapped(place: Path) -> Any:
    return np.load(place, mmap_mode="r", allow_pickle=False)


def _found(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except FileNotFoundError as error:
        raise _missing(Path(error.filename)) from error


def _missing(place: Path) -> FileMissing:
    return FileMissing(
        f"The file {place} is not there.", hint="Restore it from a backup, or remove the document and add it again."
    )

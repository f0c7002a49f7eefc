"""Where do the vectors of a version lie, those of several models side by side? A part of `FileStore`, on the folder of one version.

    vectors.json                        for each model: the folder of its vectors in force, and the title that the passages were embedded with
    vectors-<id>/passages.npy  sentences.npy  sentence_spans.npy  sentence_passages.npy  tokens.npy  token_starts.npy

Vectors are several files that must fit each other, while a live version may be read during its embedding anew: so they lie in a folder of
their own, and one small file, replaced at once, says which folders count. Whoever changes that file holds `alone`: two workers may bring
the vectors of two models at the same time.
"""

import io
import json
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from numpy.typing import NDArray

from index.catalogue.disk import missing, opened, replacing, save_array, whole_files
from xuesi.core.ids import new_id

NAMING = "vectors.json"
_T = TypeVar("_T")
Array = NDArray[Any]
Alone = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Vectors of one model: their folder, and the title that was embedded with each passage; None if an older program did not say."""

    folder: str
    title: str | None


def kept(place: Path) -> dict[str, Kept]:
    """The vectors in force, by the fingerprint of their model."""
    try:
        return _read((place / NAMING).read_bytes())
    except FileNotFoundError:
        return {}


def write(place: Path, arrays: Mapping[str, Array], *, fingerprint: str, title: str, alone: Alone) -> None:
    """Put these in the place of the same model's vectors; a reader sees those or these, never some of each."""
    now = Kept(f"vectors-{new_id()}", title)
    folder = place / now.folder
    try:
        folder.mkdir()
        for name, array in arrays.items():
            _replace(folder / f"{name}.npy", partial(save_array, array))
        with alone():
            before = kept(place)
            _name(place, {**before, fingerprint: now})
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if fingerprint in before:
        shutil.rmtree(place / before[fingerprint].folder, ignore_errors=True)


def read(place: Path, fingerprint: str, load: Callable[[Path], _T]) -> _T:
    """What `load` makes of the model's folder. Raises FileMissing."""
    tried = ""
    while True:
        found = kept(place).get(fingerprint)
        if found is None:
            raise missing(place / NAMING)
        try:
            return load(place / found.folder)
        except FileNotFoundError as error:
            if found.folder == tried:  # else replaced between the two steps, as often as others write
                raise missing(Path(error.filename)) from error
            tried = found.folder


def drop(place: Path, *, keep: Collection[str], alone: Alone) -> int:
    """Delete the vectors of all models but these.

    Returns:
        The bytes that were freed.
    """
    with alone():
        before = kept(place)
        gone = {fingerprint: it for fingerprint, it in before.items() if fingerprint not in keep}
        if gone:
            _name(place, {fingerprint: it for fingerprint, it in before.items() if fingerprint in keep})
    freed = sum(size(place / it.folder) for it in gone.values())
    for it in gone.values():
        shutil.rmtree(place / it.folder, ignore_errors=True)
    return freed


def size(folder: Path) -> int:
    """The bytes of the files in a folder; 0 where there is none."""
    total = 0
    for path in folder.glob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # replaced meanwhile
            continue
    return total


def open_all(place: Path, stack: ExitStack) -> list[tuple[Path, BinaryIO]]:
    """The file that names the folders in force, and all vectors; as in `read`, a worker may replace them meanwhile."""
    tried: bytes | None = None
    while True:
        try:
            named = (place / NAMING).read_bytes()
        except FileNotFoundError:
            return []
        folders = [place / it.folder for it in _read(named).values()]
        files = [(file, opened(file, stack)) for folder in folders for file in whole_files(folder)]
        there = [(file, it) for file, it in files if it is not None]
        complete = len(there) == len(files) and all(whole_files(folder) for folder in folders)
        if named == tried or (complete and (place / NAMING).read_bytes() == named):
            return [(place / NAMING, io.BytesIO(named)), *there]
        tried = named


def _read(named: bytes) -> dict[str, Kept]:
    try:
        facts: dict[str, Any] = json.loads(named)
        if "folder" in facts:  # as it was when a version had the vectors of one model
            return {facts["fingerprint"]: Kept(facts["folder"], None)}
        return {fingerprint: Kept(**it) for fingerprint, it in facts.items()}
    except (ValueError, KeyError, TypeError):  # damaged: whoever embeds the version again writes it anew
        return {}


def _name(place: Path, by_model: Mapping[str, Kept]) -> None:
    named = json.dumps({fingerprint: asdict(it) for fingerprint, it in by_model.items()}, ensure_ascii=False).encode()
    _replace(place / NAMING, lambda file: file.write(named))


def _replace(place: Path, fill: Callable[[Any], object]) -> None:
    with replacing(place) as file:
        fill(file)

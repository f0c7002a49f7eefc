"""What in the folder of files belongs to nobody? Uploads and files whose writing was cut off, vectors that none points to, folders of purged versions."""

import re
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from index.catalogue import vectors
from xuesi.core.domain import Version

_SHA256 = re.compile(r"[0-9a-f]{64}")


def leftovers(folder: Path, versions: Callable[[], Collection[Version]], *, older_than_s: float) -> list[str]:
    """See `Files.leftovers`."""
    before = time.time() - older_than_s
    found = [*_unfinished(folder.glob("incoming-*"), before)]
    originals = [place for place in folder.iterdir() if place.is_dir() and _SHA256.fullmatch(place.name)]
    made = [place for original in originals for place in _folders(original)]
    known = versions()  # now, after the look: a folder is never made before its version is written down
    sums, ids = {version.sha256 for version in known}, {version.id for version in known}
    found += [place for place in originals if place.name not in sums]
    for original in originals:
        if original.name in sums:
            found += _unfinished(original.glob(".*"), before)
    for place in made:
        if place.parent.name in sums:
            found += [place] if place.name not in ids else _in_version(place, before)
    return sorted(place.relative_to(folder).as_posix() for place in found)


def _in_version(place: Path, before: float) -> Iterator[Path]:
    """Files that were being written, and vectors that are not in force, unless they are so young that somebody may be at it."""
    yield from _unfinished(place.glob(".*"), before)
    try:
        named = {it.folder for it in vectors.kept(place).values()}
    except OSError:  # which ones are in force cannot be said, so none is a leftover
        return
    yield from _unfinished((it for it in place.glob("vectors-*") if it.name not in named), before)


def _folders(place: Path) -> list[Path]:
    try:
        return [inner for inner in place.iterdir() if inner.is_dir()]
    except FileNotFoundError:  # purged meanwhile
        return []


def _unfinished(places: Iterator[Path], before: float) -> Iterator[Path]:
    for place in places:
        try:
            if place.stat().st_mtime < before:
                yield place
        except FileNotFoundError:  # finished meanwhile
            continue

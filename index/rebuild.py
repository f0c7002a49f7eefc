"""How are both indexes made anew from the catalogue and the stored vectors, without reading or embedding again, while the old ones answer?"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from index.indexes import Generation, Indexes
from index.publish import Publisher, batches
from index.versions import INDEXED
from xuesi.core.domain import Version
from xuesi.core.errors import Corrupt, NotFound, WrongState, XuesiError
from xuesi.core.ports import Catalogue

_log = logging.getLogger("xuesi.rebuild")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the new indexes hold, and which versions could not be taken in, with the reason."""

    versions: int
    passages: int
    skipped: tuple[str, ...]
    took_s: float


def rebuild(
    indexes: Indexes, *, catalogue: Catalogue, publisher: Publisher, stop: threading.Event | None = None
) -> Rebuilt:
    """Build both indexes anew, and let them take the place of those in force when they are whole.

    Publishing and search go on meanwhile. A version whose vectors are damaged or missing is skipped and named.

    Raises:
        IndexMismatch: If a version's vectors were made by another embedding model; the old indexes stay.
        WrongState: If a rebuild is under way, or `stop` was set before the end; the old indexes stay.
    """
    started = time.perf_counter()
    versions, skipped = 0, []
    with indexes.building() as new:
        for batch in batches(catalogue.all_versions(INDEXED), passages=lambda version: version.passages):
            if stop is not None and stop.is_set():
                raise WrongState("The rebuild was stopped.", hint="Run it again: xuesi reindex")
            # Read and written under the lock, lest older vectors overwrite those that the publisher took in meanwhile.
            with indexes.writing():
                taken, left = take_in(batch, new, publisher)
            versions += taken
            skipped += left
        passages = new.lexical.count()
    return Rebuilt(versions, passages, tuple(skipped), time.perf_counter() - started)


def renew(stop: threading.Event, *, indexes: Indexes, catalogue: Catalogue, publisher: Publisher) -> None:
    """Rebuild the indexes if an earlier version of the program cut texts otherwise; they answer meanwhile. What prevents it is logged."""
    if not indexes.outdated:
        return
    _log.info("The indexes are rebuilt in the background: this version of Xuesi cuts texts into other words.")
    try:
        done = rebuild(indexes, catalogue=catalogue, publisher=publisher, stop=stop)
    except XuesiError as error:
        _log.warning("The indexes were not rebuilt, which is tried again at the next start: %s", error)
    else:
        _log.info("The indexes are rebuilt: %d passages in %.0f s.", done.passages, done.took_s)


def take_in(batch: Sequence[Version], new: Generation, publisher: Publisher) -> tuple[int, list[str]]:
    """Write versions to the indexes that are being built: how many, and why others were left out."""
    entries, skipped = [], []
    for version in batch:
        try:
            entries.append(publisher.entries(version, new.fingerprint))
        except NotFound:  # deleted meanwhile
            continue
        except Corrupt as error:
            _log.error("Version %s is left out of the indexes: %s", version.id, error)
            skipped.append(f"Version {version.number} of document {version.document_id}: {error}")
    new.add(entries)
    return len(entries), skipped

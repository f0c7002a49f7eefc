"""Was the library of this corpus built before? A folder of built libraries, so that what counts at search only is tried without embedding again.

    FOLDER/<recipe>/library/      the data folder
    FOLDER/<recipe>/record.json   what it was built from, and which document is which entry; written last, so what lacks it was not finished

The recipe is a digest of corpus, settings that shape a library, and embedding model: another one of these has a place of its own, and nothing
that was built is ever replaced. The program itself is no part of it. Where its reading, cutting or embedding has changed since, that is said;
where its indexes have, they are made anew from the kept vectors.
"""

import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import index.embedders
import index.prepared
import ingest
import xuesi.core.dates
import xuesi.core.text
from eval.dataset import Entry
from eval.machine import commit
from index.owner import owned
from xuesi.core.domain import DocumentId
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.services import Services
from xuesi.wiring import open_model

_log = logging.getLogger("xuesi.eval")
# The settings that decide what a library holds. The embedding model is known by its fingerprint instead.
SHAPING = ("passage_chars", "vector_store", "max_file_mb", "max_pages", "max_unpacked_mb", "read_memory_mb")
_READING = (ingest, index.embedders, index.prepared, xuesi.core.text, xuesi.core.dates)
_INDEXES = (index,)


@dataclass(frozen=True, slots=True)
class Record:
    """What a kept library is. `entries` maps documents to corpus ids; `reading` and `indexes` are digests of the program's parts that made it."""

    corpus: str
    settings: Mapping[str, object]
    model: str
    reading: str
    indexes: str
    commit: str
    built_at: str
    took_s: float
    entries: Mapping[DocumentId, str]
    refused: tuple[str, ...]


class Shelf:
    """The place of one library among those that are kept."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @property
    def library(self) -> Path:
        """Its data folder."""
        return self._place / "library"

    def record(self) -> Record | None:
        """What stands there, or None if nothing whole does; what is left of an interrupted build is cleared away."""
        try:
            facts = json.loads(self._record.read_text(encoding="utf-8"))
            return Record(**facts | {"refused": tuple(facts["refused"])})
        except FileNotFoundError:
            shutil.rmtree(self.library, ignore_errors=True)
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self._unusable(f"{self._record.name} cannot be read") from error

    def put(self, record: Record) -> None:
        """The library is whole, and this is what it is."""
        partial = self._record.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(record), ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(self._record)

    def refresh(self, record: Record, services: Services) -> None:
        """Bring a library that an earlier program made to what this one needs: new indexes from the kept vectors, if theirs changed."""
        if record.reading != _digest(_READING):
            _log.warning(
                "%s was built at %s; how files are read, cut or embedded has changed since. For figures of this program remove it.",
                self._place,
                record.commit,
            )
        if record.indexes != _digest(_INDEXES):
            skipped = services.reindex().skipped
            if skipped:
                raise self._unusable(skipped[0])
            self.put(Record(**asdict(record) | {"indexes": _digest(_INDEXES)}))

    def _unusable(self, why: str) -> InvalidInput:
        return InvalidInput(
            f"The kept library {self._place} cannot be used: {why}.",
            hint="Remove this folder; the library is built again.",
        )

    @property
    def _record(self) -> Path:
        return self._place / "record.json"


@contextlib.contextmanager
def shelf(folder: Path, corpus: Sequence[Entry], settings: Settings) -> Iterator[Shelf]:
    """The place for the library of this corpus under these settings, owned until the block ends.

    Raises:
        DataFolderBusy: If another evaluation uses it.
        DataFolderReadOnly: If the folder cannot be written.
    """
    place = folder.absolute() / _recipe(corpus, settings)
    with owned(place):
        yield Shelf(place)


def a_record(
    corpus: Sequence[Entry],
    settings: Settings,
    *,
    model: str,
    entries: Mapping[DocumentId, str],
    refused: tuple[str, ...],
    took_s: float,
) -> Record:
    """The record of a library that this program has just built."""
    return Record(
        corpus=_corpus_digest(corpus),
        settings=_shaping(settings),
        model=model,
        reading=_digest(_READING),
        indexes=_digest(_INDEXES),
        commit=commit(),
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        took_s=took_s,
        entries=entries,
        refused=refused,
    )


def _recipe(corpus: Sequence[Entry], settings: Settings) -> str:
    parts = (_corpus_digest(corpus), json.dumps(_shaping(settings)), open_model(settings).fingerprint)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _shaping(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in SHAPING}


def _corpus_digest(corpus: Sequence[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in corpus:
        held = hashlib.sha256(entry.file.read_bytes()).hexdigest() if entry.file else entry.text
        digest.update(json.dumps([entry.id, entry.title, held]).encode())
    return digest.hexdigest()


def _digest(parts: Sequence[ModuleType]) -> str:
    """Of the source of these parts of the program: modules, or packages with all that is in them."""
    digest = hashlib.sha256()
    for part in parts:
        source = Path(str(part.__file__))
        for path in sorted(source.parent.rglob("*.py")) if source.name == "__init__.py" else [source]:
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

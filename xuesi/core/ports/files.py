"""What is kept in files, beside the catalogue?"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from xuesi.core.domain import (
    OutlineEntry,
    Version,
)
from xuesi.core.ports.arrays import Floats, Halves, Ints
from xuesi.core.ports.embedding import TokenCodes
from xuesi.core.ports.reading import Reading


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An original as it was kept."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """The sentences of a version's passages: `spans` (m, 2) int32 in the text, `passages` (m,) int32 ordinals, `vectors` (m, dimension) float16."""

    spans: Ints
    passages: Ints
    vectors: Halves


class Files(Protocol):
    """The bytes that belong to versions: originals under their SHA-256, and beside them what was made of them, a folder a version."""

    def put_original(
        self, source: BinaryIO, *, limit_bytes: int, wanted: Callable[[str], bool]
    ) -> AbstractContextManager[StoredFile]:
        """Keep the bytes while the block lasts, and after it if `wanted(sha256)` says then that a version has them.

        Nobody removes them, in this process or another, before that is known.

        Raises:
            EmptyFile: If there are none.
            DocumentTooLarge: If there are more than `limit_bytes`.
            StorageFull: If the disk is.
        """
        ...

    def original(self, sha256: str) -> Path:
        """Where the original lies.

        Raises:
            FileMissing: If it does not.
        """
        ...

    def put_reading(self, version: Version, reading: Reading) -> None:
        """Keep text, boxes and outline of the version, replacing what an earlier attempt left."""
        ...

    def text(self, version: Version) -> str:
        """The version's canonical text."""
        ...

    def boxes(self, version: Version) -> Floats | None:
        """(chars, 4) float32 as in `Reading.boxes`, memory-mapped, or None."""
        ...

    def outline(self, version: Version) -> tuple[OutlineEntry, ...]:
        """The bookmarks or headings of the version."""
        ...

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
        """Keep the vectors of the version's passages in order of their ordinals, of their sentences and tokens, beside those of other models.

        `fingerprint` is the embedder's, `title` what was embedded with each passage.
        """
        ...

    def embedded(self, version: Version) -> Mapping[str, str | None]:
        """The models, by fingerprint, whose vectors are kept, each with the title they were made with; None where that is not known."""
        ...

    def vectors(self, version: Version, fingerprint: str) -> Floats:
        """(passages, dimension) float32 of that model, memory-mapped; row = ordinal. Raises FileMissing if there are none."""
        ...

    def sentences(self, version: Version, fingerprint: str) -> SentenceVectors:
        """The version's sentences with the vectors of that model, memory-mapped. Raises FileMissing if there are none."""
        ...

    def tokens(self, version: Version, fingerprint: str) -> TokenCodes | None:
        """The tokens of the version's passages by that model, memory-mapped; None if it shows none. Raises FileMissing if there are no vectors."""
        ...

    def vector_bytes(self, version: Version) -> Mapping[str, int]:
        """How much room the vectors of each model take."""
        ...

    def drop_vectors(self, version: Version, *, keep: Collection[str]) -> int:
        """Delete the vectors of all models but these. Returns the bytes that were freed."""
        ...

    def filling(self, version: Version) -> AbstractContextManager[bool]:
        """True if nobody else, in this process or another, is making vectors of this version in the background until the block ends."""
        ...

    def opened(self, version: Version) -> AbstractContextManager[list[tuple[str, BinaryIO]]]:
        """All that is there of the version, its original too, opened until the block ends, each with its path within the store.

        What is replaced or removed from here on is still read as it was. Of vectors, those in force of every model. What is not there is left out.
        """
        ...

    def remove(self, version: Version) -> None:
        """Delete what was made of the version; what is gone already is passed over."""
        ...

    def leftovers(self, versions: Callable[[], Collection[Version]], *, older_than_s: float) -> list[str]:
        """What crashes left in the store, each by its path in it: what belongs to none of the versions, and what was being written so long ago.

        `versions` is asked after the store was looked through, so that what is added meanwhile is known.
        """
        ...

    def remove_leftover(self, name: str, *, wanted: Callable[[str], bool]) -> None:
        """Delete one of them, unless it is an original of which `wanted(sha256)` says by now that a version has it."""
        ...

    def remove_original(self, sha256: str, *, wanted: Callable[[str], bool]) -> None:
        """Delete the original, unless `wanted(sha256)` says that a version has it; waits for whoever is adding the same bytes."""
        ...

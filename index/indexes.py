"""Where are the two indexes, and how are they replaced while they answer? Search reads them here, the publisher writes to them here.

Under the data folder lie `vectors/<generation>/` and `lexical/<generation>/`; a fact in the catalogue names the generation that counts.
A rebuild makes the next one beside it. Whatever is added or removed meanwhile goes to both.
"""

import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.lexical import TantivyIndex
from index.tokens import tokens
from index.vectors.chroma import ChromaIndex
from xuesi.core.domain import PassageId, VersionId
from xuesi.core.errors import IndexCorrupt, WrongState
from xuesi.core.ports import Catalogue, Floats, LexicalEntry, LexicalIndex, VectorIndex

_FACT = "index_generation"
_FOLDERS = ("vectors", "lexical")


@dataclass(frozen=True, slots=True)
class Entries:
    """The passages of one version as they go into the indexes: `vectors` (passages, dimension), row i that of `lexical[i]`."""

    version_id: VersionId
    lexical: tuple[LexicalEntry, ...]
    vectors: Floats


@dataclass(frozen=True, slots=True)
class Generation:
    """Both indexes, holding the same passages."""

    number: int
    vectors: VectorIndex
    lexical: LexicalIndex

    def add(self, versions: Sequence[Entries]) -> None:
        """Add or replace the passages of these versions, with one commit."""
        entries = [entry for version in versions for entry in version.lexical]
        if entries:
            self.vectors.add([e.id for e in entries], np.concatenate([v.vectors for v in versions if len(v.vectors)]))
            self.lexical.add(entries)

    def remove(self, version_ids: Collection[VersionId], passage_ids: Sequence[PassageId]) -> None:
        """Forget these versions with their passages."""
        self.vectors.remove(passage_ids)
        self.lexical.remove(version_ids)

    def close(self) -> None:
        """Let go of both."""
        self.vectors.close()
        self.lexical.close()


class Indexes:
    """The indexes in force. Safe to share among threads."""

    def __init__(self, data_dir: Path, *, catalogue: Catalogue, replace_damaged: bool = False) -> None:
        """Open the generation that the catalogue names, and clear away what an interrupted rebuild left.

        Args:
            data_dir: Folder under which they lie.
            catalogue: Remembers the generation.
            replace_damaged: Work with empty indexes where the present ones are damaged; for a rebuild, which then replaces them.

        Raises:
            IndexCorrupt: If one is damaged.
        """
        self._data_dir = data_dir
        self._catalogue = catalogue
        self._writing = threading.RLock()
        self._readers = threading.Condition()
        self._reading: dict[int, int] = {}
        self._next: Generation | None = None
        number = int(catalogue.get_fact(_FACT) or 1)
        for found in self._numbers() - {number}:
            self._discard(found)
        try:
            self._current = self._open(number)
        except IndexCorrupt:
            if not replace_damaged:
                raise
            self._current = self._open(number + 1)

    @property
    def vectors(self) -> VectorIndex:
        """The vectors in force."""
        return self._current.vectors

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index in force."""
        return self._current.lexical

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order, as they are indexed."""
        return tokens(text)

    def close(self) -> None:
        """Let go of the folders."""
        with self._writing:
            self._current.close()

    @contextmanager
    def reading(self) -> Iterator[Generation]:
        """The indexes in force, which stay open until the block ends."""
        with self._readers:
            current = self._current
            self._reading[current.number] = self._reading.get(current.number, 0) + 1
        try:
            yield current
        finally:
            with self._readers:
                self._reading[current.number] -= 1
                self._readers.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Nobody else writes until the block ends."""
        with self._writing:
            yield

    def add(self, versions: Sequence[Entries]) -> None:
        """Add or replace the passages of these versions, also in the indexes that are being built."""
        with self._writing:
            for generation in self._written():
                generation.add(versions)

    def remove(self, version_ids: Collection[VersionId], passage_ids: Sequence[PassageId]) -> None:
        """Forget these versions with their passages, also in the indexes that are being built."""
        with self._writing:
            for generation in self._written():
                generation.remove(version_ids, passage_ids)

    @contextmanager
    def building(self) -> Iterator[Generation]:
        """Empty indexes that take the place of those in force when the block ends well, and are thrown away when it does not.

        Raises:
            WrongState: If others are being built.
        """
        with self._writing:
            if self._next is not None:
                raise WrongState("The indexes are being rebuilt already.", hint="Wait until that is done.")
            number = max(self._numbers()) + 1
            self._next = self._open(number)
        try:
            yield self._next
            self._switch()
        finally:
            with self._writing:
                unused, self._next = self._next, None
                if unused is not None:
                    unused.close()
                    self._discard(unused.number)

    def _switch(self) -> None:
        with self._writing:
            assert self._next is not None
            self._catalogue.set_fact(_FACT, str(self._next.number))
            with self._readers:
                old, self._current, self._next = self._current, self._next, None
                self._readers.wait_for(lambda: not self._reading.get(old.number))
            old.close()
            for found in self._numbers() - {self._current.number}:
                self._discard(found)

    def _written(self) -> list[Generation]:
        return [self._current] if self._next is None else [self._current, self._next]

    def _open(self, number: int) -> Generation:
        vectors, lexical = (self._data_dir / name / str(number) for name in _FOLDERS)
        return Generation(number, ChromaIndex(vectors), TantivyIndex(lexical))

    def _numbers(self) -> set[int]:
        found = (path.name for name in _FOLDERS for path in (self._data_dir / name).glob("*"))
        return {int(name) for name in found if name.isdecimal()}

    def _discard(self, number: int) -> None:
        for name in _FOLDERS:
            shutil.rmtree(self._data_dir / name / str(number), ignore_errors=True)

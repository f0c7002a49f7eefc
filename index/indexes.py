"""Where are the two indexes, and how are they replaced while they answer? Search reads them here, the publisher writes to them here.

Under the data folder lie `vectors/<generation>/` and `lexical/<generation>/`; a fact in the catalogue names the generation that counts.
A rebuild makes the next one beside it, with vectors of the same model or of another. Whatever is added or removed meanwhile goes to both.
"""

import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from index.lexical import TantivyIndex
from index.tokens import FORM, tokens
from xuesi.core.domain import PassageId, Version, VersionId
from xuesi.core.errors import IndexCorrupt, WrongState
from xuesi.core.ports import Catalogue, Floats, LexicalEntry, LexicalIndex, TokenCodes, VectorIndex

_FACT = "index_generation"
_FORM_FACT = "token_form"  # of the lexical index in force
_FOLDERS = ("vectors", "lexical")


@dataclass(frozen=True, slots=True)
class Entries:
    """The passages of one version as they go into the indexes: `vectors` (passages, dimension) and `tokens`, row i that of `lexical[i]`, made by `fingerprint`."""

    version: Version
    fingerprint: str
    lexical: tuple[LexicalEntry, ...]
    vectors: Floats
    tokens: TokenCodes | None


@dataclass(frozen=True, slots=True)
class Generation:
    """Both indexes, holding the same passages, and the fingerprint of the model that made the vectors."""

    number: int
    fingerprint: str
    vectors: VectorIndex
    lexical: LexicalIndex

    def add(self, versions: Sequence[Entries]) -> None:
        """Add or replace the passages of these versions, with one commit."""
        having = [version for version in versions if version.lexical]
        entries = [entry for version in having for entry in version.lexical]
        if entries:
            # an embedder shows the tokens of all passages or of none
            tokens = [its.tokens.of(place) for its in having if its.tokens for place in range(len(its.lexical))]
            self.vectors.add([e.id for e in entries], np.concatenate([its.vectors for its in having]), tokens)
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

    def __init__(
        self, data_dir: Path, *, catalogue: Catalogue, fingerprint: str, replace_damaged: bool = False
    ) -> None:
        """Open the generation that the catalogue names, and clear away what an interrupted rebuild left.

        Args:
            data_dir: Folder under which they lie.
            catalogue: Remembers the generation.
            fingerprint: Of the model whose vectors they hold.
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
        self._failure: Exception | None = None
        number = int(catalogue.get_fact(_FACT) or 1)
        for found in self._numbers() - {number}:
            self._discard(found)
        try:
            self._current = self._open(number, fingerprint)
        except IndexCorrupt:
            if not replace_damaged:
                raise
            self._current = self._open(number + 1, fingerprint)
        if not self._current.lexical.count():
            catalogue.set_fact(_FORM_FACT, FORM)

    @property
    def outdated(self) -> bool:
        """Whether another version of the program cut the texts in the lexical index into tokens otherwise than questions are cut now."""
        return self._catalogue.get_fact(_FORM_FACT) != FORM

    @property
    def fingerprint(self) -> str:
        """Of the model whose vectors are in force."""
        return self._current.fingerprint

    @property
    def vectors(self) -> VectorIndex:
        """The vectors in force."""
        return self._current.vectors

    @property
    def lexical(self) -> LexicalIndex:
        """The lexical index in force."""
        return self._current.lexical

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where both lie."""
        return tuple(self._data_dir / name / str(self._current.number) for name in _FOLDERS)

    def bytes(self) -> int:
        """What both take on the disk, with those that are being built."""
        total = 0
        for path in (path for name in _FOLDERS for path in (self._data_dir / name).rglob("*")):
            with suppress(FileNotFoundError):  # merged into another meanwhile
                total += path.stat().st_size if path.is_file() else 0
        return total

    def leftovers(self) -> list[Path]:
        """Folders of generations that are neither in force nor being built."""
        with self._writing:
            used = {str(it.number) for it in (self._current, self._next) if it is not None}
            found = [path for name in _FOLDERS for path in (self._data_dir / name).glob("*") if path.name not in used]
        return [path for path in found if path.name.isdecimal()]

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

    def add(self, entries: Callable[[str], Sequence[Entries]]) -> None:
        """Add or replace the passages of versions, also in the indexes that are being built.

        Args:
            entries: Gives them with the vectors of the model whose fingerprint it is called with.
        """
        self._write(lambda generation: generation.add(entries(generation.fingerprint)))

    def remove(self, version_ids: Collection[VersionId], passage_ids: Sequence[PassageId]) -> None:
        """Forget these versions with their passages, also in the indexes that are being built."""
        self._write(lambda generation: generation.remove(version_ids, passage_ids))

    @contextmanager
    def building(
        self, fingerprint: str = "", *, facts: Mapping[str, str | None] = MappingProxyType({})
    ) -> Iterator[Generation]:
        """Empty indexes that take the place of those in force when the block ends well, and are thrown away when it does not.

        Args:
            fingerprint: Of the model whose vectors they will hold; of the one in force if none is given.
            facts: What the catalogue is to know from the same moment on.

        Raises:
            WrongState: If others are being built.
        """
        with self._writing:
            if self._next is not None:
                raise WrongState("The indexes are being rebuilt already.", hint="Wait until that is done.")
            number = max(self._numbers()) + 1
            self._next, self._failure = self._open(number, fingerprint or self.fingerprint), None
        try:
            yield self._next
            self._switch(facts)
        finally:
            with self._writing:
                unused, self._next = self._next, None
                if unused is not None:
                    unused.close()
                    self._discard(unused.number)

    def _switch(self, facts: Mapping[str, str | None]) -> None:
        with self._writing:
            assert self._next is not None
            if self._failure is not None:
                raise self._failure
            self._catalogue.set_facts({**facts, _FACT: str(self._next.number), _FORM_FACT: FORM})
            with self._readers:
                old, self._current, self._next = self._current, self._next, None
                self._readers.wait_for(lambda: not self._reading.get(old.number))
            old.close()
            for found in self._numbers() - {self._current.number}:
                self._discard(found)

    def _write(self, change: Callable[[Generation], None]) -> None:
        """Change what is in force, and what is being built. A failure there does no harm here: the building ends with it."""
        with self._writing:
            change(self._current)
            if self._next is not None and self._failure is None:
                try:
                    change(self._next)
                except Exception as error:  # noqa: BLE001 whatever it is, `building` raises it
                    self._failure = error

    def _open(self, number: int, fingerprint: str) -> Generation:
        vectors, lexical = (self._data_dir / name / str(number) for name in _FOLDERS)
        from index.vectors.chroma import ChromaIndex  # noqa: PLC0415 a second to import, and a worker opens no index

        return Generation(number, fingerprint, ChromaIndex(vectors), TantivyIndex(lexical))

    def _numbers(self) -> set[int]:
        found = (path.name for name in _FOLDERS for path in (self._data_dir / name).glob("*"))
        return {int(name) for name in found if name.isdecimal()}

    def _discard(self, number: int) -> None:
        for name in _FOLDERS:
            shutil.rmtree(self._data_dir / name / str(number), ignore_errors=True)

"""Which passages are near a vector, and which have the words?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    PassageId,
    TermScore,
    VersionId,
)
from xuesi.core.ports.arrays import Bits, Floats


class VectorIndex(Protocol):
    """Passages by their vectors."""

    def add(self, ids: Sequence[PassageId], vectors: Floats, tokens: Sequence[Bits] = ()) -> None:
        """Add or replace. `vectors` (n, dimension), unit norm; `tokens`, if any, n times (its tokens, bits / 8) as in `TokenCodes`."""
        ...

    def remove(self, ids: Sequence[PassageId]) -> None:
        """Forget these; unknown ones are passed over."""
        ...

    def query(self, vector: Floats, limit: int) -> list[tuple[PassageId, float]]:
        """The nearest by cosine, best first, with the cosine in [-1, 1]."""
        ...

    def get(self, ids: Sequence[PassageId]) -> dict[PassageId, Floats]:
        """The vectors of those that are there."""
        ...

    def tokens(self, ids: Sequence[PassageId]) -> dict[PassageId, Bits]:
        """The tokens of those that came with some, (its tokens, bits / 8)."""
        ...

    def count(self) -> int:
        """How many are held."""
        ...

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        ...

    def close(self) -> None:
        """Let go of the store; nothing else may be called afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """A passage as it goes into the lexical index."""

    id: PassageId
    version_id: VersionId
    title: str
    heading_path: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """A question in the lexical index's tokens: each with its idf in the index as it is now; `ceiling` is their sum, >= 0.

    `passages` is how many passages the idf are counted from: from a few, they say little.
    """

    idf: Mapping[str, float]
    ceiling: float
    passages: int


class LexicalIndex(Protocol):
    """Passages by their words, BM25."""

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Add or replace, and commit."""
        ...

    def remove(self, version_ids: Collection[VersionId]) -> None:
        """Forget the passages of these versions, and commit."""
        ...

    def remove_passages(self, ids: Collection[PassageId]) -> None:
        """Forget these passages, and commit; unknown ones are passed over."""
        ...

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order, as they are indexed."""
        ...

    def parse(self, query: str) -> LexicalQuery:
        """The question's tokens and their weights. Words that the corpus lacks count with the highest idf."""
        ...

    def search(
        self,
        query: LexicalQuery,
        *,
        limit: int,
        within: Collection[VersionId] | None = None,
        phrases: Collection[str] = (),
    ) -> list[tuple[PassageId, float]]:
        """Best first with the BM25 score, > 0; of these versions only, and having all of these phrases, if given."""
        ...

    @property
    def has_phrases(self) -> bool:
        """Whether phrases can be found: not in an index that an earlier version of the program made."""
        ...

    def having(self, phrase: str, ids: Collection[PassageId]) -> set[PassageId]:
        """Those of the passages that have the phrase whole, whatever punctuation or white space is in it, in title, a heading or text."""
        ...

    def score(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, float]:
        """The same BM25 score for passages named; 0 where no token fits or the passage is not there."""
        ...

    def explain(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, tuple[TermScore, ...]]:
        """What each token gave each passage, best first; those that gave nothing are left out."""
        ...

    def count(self) -> int:
        """How many passages are held."""
        ...

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        ...

    def close(self) -> None:
        """Let go of the store; nothing else may be called afterwards."""
        ...

"""What does an embedding model make of texts and questions?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    Span,
)
from xuesi.core.ports.arrays import Bits, Floats, Ints


@dataclass(frozen=True, slots=True)
class EmbedInput:
    """One passage as it goes through the model: title, heading path and passage joined, with its sentences as spans of that text."""

    text: str
    sentences: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenCodes:
    """The token vectors of several passages, a bit for each number; special tokens and prefix are left out.

    `codes` (tokens of all, bits / 8) uint8; `starts` (passages + 1,) int32, where each passage begins in them, and their end.
    """

    codes: Bits
    starts: Ints

    def of(self, place: int) -> Bits:
        """Those of one passage, (its tokens, bits / 8)."""
        its: Bits = self.codes[self.starts[place] : self.starts[place + 1]]
        return its


@dataclass(frozen=True, slots=True)
class Embedded:
    """`passages` (n, dimension) of unit norm; for each, `sentences` (its sentences, dimension) of unit norm, (0, dimension) if the embedder has none.

    `tokens` are None if it shows none.
    """

    passages: Floats
    sentences: tuple[Floats, ...]
    tokens: TokenCodes | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedQuery:
    """`vector` (dimension,) of unit norm; `tokens` (its tokens, bits) of unit norm, to compare with `TokenCodes`, None if the embedder shows none."""

    vector: Floats
    tokens: Floats | None = None


class Embedder(Protocol):
    """Text to vectors in one space for questions and passages."""

    @property
    def fingerprint(self) -> str:
        """Names model, weights, prefixes and pooling; stored with an index and compared when it is opened."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, prefix and special tokens included; what is longer is cut by the model."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a passage, prefix and special tokens included."""
        ...

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        """Vectors in the order of `inputs`.

        Raises:
            ModelUnavailable: If the model does not answer.
        """
        ...

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector and, where the embedder has them, its token vectors.

        Raises:
            ModelUnavailable: If the model does not answer.
        """
        ...

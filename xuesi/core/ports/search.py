"""Which passages fit a question?"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    AS_ASKED,
    NO_FILTERS,
    Filters,
    Hit,
    Understood,
)
from xuesi.core.ports.embedding import EmbeddedQuery, Embedder
from xuesi.core.ports.indexes import LexicalQuery


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, the question as it was embedded and tokenised, the time it took, and what it was taken to mean.

    `embedder` made the question's vector: only vectors of the same model may be compared with it.
    """

    hits: tuple[Hit, ...]
    query: EmbeddedQuery
    lexical: LexicalQuery
    took_ms: float
    embedder: Embedder
    understood: Understood = AS_ASKED


class Searcher(Protocol):
    """Which live passages fit a query?"""

    def search(
        self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS, without: Collection[str] = ()
    ) -> SearchResult:
        """Periods and documents named by the words in `without` are not preferred. Raises EmptyQuestion, QuestionTooLong, InvalidInput."""
        ...

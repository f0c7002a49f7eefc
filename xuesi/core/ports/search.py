"""Which passages fit a question?"""

from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    NO_FILTERS,
    Filters,
    Hit,
)
from xuesi.core.ports.embedding import EmbeddedQuery, Embedder
from xuesi.core.ports.indexes import LexicalQuery


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, the question as it was embedded and tokenised, and the time it took.

    `embedder` made the question's vector: only vectors of the same model may be compared with it.
    """

    hits: tuple[Hit, ...]
    query: EmbeddedQuery
    lexical: LexicalQuery
    took_ms: float
    embedder: Embedder


class Searcher(Protocol):
    """Which live passages fit a query?"""

    def search(self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS) -> SearchResult:
        """Raises EmptyQuestion, QuestionTooLong, InvalidInput."""
        ...

"""Which passages fit a question?"""

from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    NO_FILTERS,
    Filters,
    Hit,
    Phrase,
)
from xuesi.core.ports.embedding import EmbeddedQuery, Embedder
from xuesi.core.ports.indexes import LexicalQuery


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, the question as it was embedded and tokenised, and the time it took.

    `embedder` made the question's vector: only vectors of the same model may be compared with it. `phrases` are those of the question.
    """

    hits: tuple[Hit, ...]
    query: EmbeddedQuery
    lexical: LexicalQuery
    took_ms: float
    embedder: Embedder
    phrases: tuple[Phrase, ...] = ()


class Searcher(Protocol):
    """Which live passages fit a query?"""

    def search(
        self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS, strict: bool = True
    ) -> SearchResult:
        """With `strict` hits have what the query quotes, where any passage has it; otherwise those that have it are preferred.

        Raises EmptyQuestion, QuestionTooLong, InvalidInput.
        """
        ...

"""Which passages fit a question?"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from xuesi.core.domain import (
    AS_ASKED,
    NO_FILTERS,
    Filters,
    Hit,
    Phrase,
    Understood,
)
from xuesi.core.ports.embedding import EmbeddedQuery, Embedder
from xuesi.core.ports.indexes import LexicalQuery


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, the question as it was embedded and tokenised, the time it took, and what it was taken to mean.

    `embedder` made the question's vector: only vectors of the same model may be compared with it. `phrases` are those of the question.
    """

    hits: tuple[Hit, ...]
    query: EmbeddedQuery
    lexical: LexicalQuery
    took_ms: float
    embedder: Embedder
    phrases: tuple[Phrase, ...] = ()
    understood: Understood = AS_ASKED


class Searcher(Protocol):
    """Which live passages fit a query?"""

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        strict: bool = True,
        without: Collection[str] = (),
    ) -> SearchResult:
        """With `strict` hits have what the query quotes, where any passage has it; otherwise those that have it are preferred.

        Periods and documents named by the words in `without` are not preferred. Raises EmptyQuestion, QuestionTooLong, InvalidInput.
        """
        ...

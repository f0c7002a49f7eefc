"""Which live passages fit a query? The whole path: normalise → dense ∥ lexical → fuse → hits with the explanation of their scores."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from index.candidates import CandidateFinder, Candidates, Question
from index.fuse import Fused, fuse
from index.indexes import Generation, Indexes
from xuesi.core.domain import NO_FILTERS, Explanation, Filters, Hit
from xuesi.core.errors import EmptyQuestion, InvalidInput, QuestionTooLong
from xuesi.core.ports import Catalogue, Embedder, Files, LexicalQuery, SearchResult
from xuesi.core.text import has_words

_THREADS = 8  # searches whose lexical half runs beside their dense half; further ones take turns


class HybridSearcher:
    """Implements `Searcher` on an embedder, both indexes and the catalogue. Safe to share among threads."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        indexes: Indexes,
        catalogue: Catalogue,
        files: Files,
        weight: float,
        candidates: int,
        max_chars: int,
    ) -> None:
        """`weight` is the say of the words in the score, `candidates` the passages taken from each index, `max_chars` the longest query."""
        self._embedder = embedder
        self._indexes = indexes
        self._weight = weight
        self._candidates = candidates
        self._max_chars = max_chars
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
        self._finder = CandidateFinder(catalogue=catalogue, files=files, pool=self._pool)

    def search(self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS) -> SearchResult:
        """The best live passages under the filters, best first, ties by id; fewer than `limit` only where there are no more candidates.

        Raises:
            EmptyQuestion: If there is no letter or digit in the query.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If `limit` is not positive.
            ModelUnavailable: If the embedder does not answer.
        """
        started = time.perf_counter()
        self._check(query, limit)
        with self._indexes.reading() as indexes:
            parsing = self._pool.submit(indexes.lexical.parse, query)
            embedded = self._embedder.embed_query(query)
            words = parsing.result()
            question = Question(embedded.vector, words, filters, wanted=max(limit, self._candidates))
            found = self._finder.find(question, indexes)
            ranked = fuse(found.dense, found.lexical, ceiling=words.ceiling or 1.0, weight=self._weight)[:limit]
            hits = _explained(ranked, found, words, indexes)
        return SearchResult(hits, embedded, words, took_ms=(time.perf_counter() - started) * 1000)

    def _check(self, query: str, limit: int) -> None:
        if len(query) > self._max_chars:
            raise QuestionTooLong(
                f"The question has {len(query)} characters; {self._max_chars} are allowed.",
                hint="Shorten it to what you want to know.",
                limit_chars=self._max_chars,
            )
        if not has_words(query):
            raise EmptyQuestion("The question has no letter and no digit.", hint="Write at least one word to look for.")
        if limit < 1:
            raise InvalidInput(f"At least one hit must be asked for, not {limit}.", hint="Set limit to 1 or more.")


def _explained(ranked: Sequence[Fused], found: Candidates, words: LexicalQuery, indexes: Generation) -> tuple[Hit, ...]:
    terms = indexes.lexical.explain(words, [fused.id for fused in ranked])
    hits = []
    for rank, fused in enumerate(ranked, start=1):
        of = found.live[fused.id]
        explain = Explanation(dense=fused.dense, coverage=fused.coverage, terms=terms[fused.id])
        hits.append(
            Hit(
                rank=rank,
                score=fused.score,
                passage=of.passage,
                document=of.document,
                version=of.version.number,
                explain=explain,
            )
        )
    return tuple(hits)

"""Which passages come into question, and what does each of the two rankings give them? The first half of the search.

The best of both indexes are candidates, and each gets both scores: its cosine where only its words were found, its BM25 where only its vector was.
"""

import heapq
import logging
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from index.indexes import Generation
from xuesi.core.domain import Filters, PassageId, VersionId
from xuesi.core.errors import Corrupt
from xuesi.core.ports import Catalogue, Files, Floats, LexicalQuery, LivePassage

_Ranked = dict[PassageId, float]  # best first
_log = logging.getLogger("xuesi.search")
# Neighbours come at little cost by the hundred, and each found this way need not have its vector looked up.
_NEIGHBOURS = 4
_MARGIN = 1.5  # over-fetched beyond what the share of matching passages asks for: they lie unevenly
_WIDEN = 8
# What the two ways to search within filters cost, in ms (benchmarks/search.py): for a version its vectors opened, against fetching
# and checking one more candidate of both indexes.
_VERSION_MS, _CANDIDATE_MS = 0.3, 0.03


@dataclass(frozen=True, slots=True)
class Question:
    """A question as both indexes take it, with its filters. At least `limit` passages are needed, `wanted` are taken from each index."""

    vector: Floats
    words: LexicalQuery
    filters: Filters
    limit: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages with their cosine in [-1, 1] and their BM25 score, >= 0. `complete`: there are no others.

    `live` is what the catalogue says of those that may be shown, None where it has not been asked yet.
    """

    dense: dict[PassageId, float]
    lexical: dict[PassageId, float]
    live: dict[PassageId, LivePassage] | None
    complete: bool


class CandidateFinder:
    """Finds candidates in both indexes at the same time."""

    def __init__(self, *, catalogue: Catalogue, files: Files, pool: ThreadPoolExecutor) -> None:
        self._catalogue = catalogue
        self._files = files
        self._pool = pool

    def anywhere(self, question: Question, indexes: Generation) -> Iterator[Candidates]:
        """The best of each index, in ever wider circles: for when too many of the first turn out not to be live."""
        held, fetch = indexes.lexical.count(), question.wanted
        while True:
            nearest, worded = self._both(question, indexes, fetch)
            chosen = {*list(nearest)[:fetch], *worded}
            yield self._scored(question, indexes, chosen, (nearest, worded), complete=fetch >= held)
            if fetch >= held:
                return
            fetch *= _WIDEN

    def within(self, question: Question, indexes: Generation) -> Candidates:
        """The best of each index under the filters; a filter that leaves one document of ten thousand still finds it."""
        held = indexes.lexical.count()  # the vector index holds the same, but takes milliseconds to say so
        versions, matching = self._catalogue.extent(question.filters)
        if not matching:
            return Candidates({}, {}, {}, complete=True)
        least = min(matching, max(question.limit, question.wanted // 2))
        fetch = min(held, math.ceil(_MARGIN * question.wanted * held / matching))
        while versions * _VERSION_MS > fetch * _CANDIDATE_MS:
            nearest, worded = self._both(question, indexes, fetch)
            live = self._catalogue.live({*list(nearest)[:fetch], *worded}, question.filters)
            by_vector = [key for key in nearest if key in live][: question.wanted]
            if len(by_vector) >= least or fetch >= held:
                by_words = [key for key in worded if key in live][: question.wanted]
                chosen = {*by_vector, *by_words}
                return self._scored(question, indexes, chosen, (nearest, worded), live=live, complete=True)
            fetch *= _WIDEN
        return self._exactly(question, indexes)

    def _both(self, question: Question, indexes: Generation, fetch: int) -> tuple[_Ranked, _Ranked]:
        """The best `fetch` of each index, best first; some more of the nearest."""
        searching = self._pool.submit(indexes.lexical.search, question.words, limit=fetch)
        nearest = indexes.vectors.query(question.vector, max(fetch, _NEIGHBOURS * question.wanted))
        return dict(nearest), dict(searching.result())

    def _scored(
        self,
        question: Question,
        indexes: Generation,
        chosen: set[PassageId],
        known: tuple[_Ranked, _Ranked],
        *,
        complete: bool,
        live: dict[PassageId, LivePassage] | None = None,
    ) -> Candidates:
        """Each with both scores, looked up where they are not known."""
        nearest, worded = known
        dense = {key: nearest[key] for key in chosen if key in nearest}
        for key, vector in indexes.vectors.get(sorted(chosen - dense.keys())).items():
            dense[key] = float(vector @ question.vector)
        lexical = {key: worded[key] for key in chosen if key in worded}
        lexical |= indexes.lexical.score(question.words, sorted(chosen - lexical.keys()))
        return Candidates(dense, lexical, live, complete)

    def _exactly(self, question: Question, indexes: Generation) -> Candidates:
        """Candidates from every passage of the versions that match."""
        versions = self._catalogue.matching(question.filters)
        within = [version.id for version in versions]
        searching = self._pool.submit(indexes.lexical.search, question.words, limit=question.wanted, within=within)
        cosines: dict[tuple[VersionId, int], float] = {}
        for version in versions:
            try:
                scores = (self._files.vectors(version) @ question.vector).tolist()
            except Corrupt as error:
                _log.warning("Version %s is searched by its words only: %s", version.id, error)
                continue
            cosines.update({(version.id, ordinal): score for ordinal, score in enumerate(scores)})
        best = heapq.nlargest(question.wanted, cosines, key=lambda place: (cosines[place], place))
        ids = self._catalogue.passages_at(best)
        nearest = {ids[place]: cosines[place] for place in best if place in ids}
        worded = dict(searching.result())
        return self._scored(question, indexes, {*nearest, *worded}, (nearest, worded), complete=True)

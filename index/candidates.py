"""Which passages come into question, and what does each of the two rankings give them? The first half of the search.

The best of both indexes are candidates, and each gets both scores: its cosine where only its words were found, its BM25 where only its vector was.
"""

import heapq
import logging
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from index.indexes import Generation
from xuesi.core.domain import Filters, PassageId, VersionId
from xuesi.core.errors import Corrupt
from xuesi.core.ports import Catalogue, Files, Floats, LexicalQuery, LivePassage

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
    """A question as both indexes take it, with its filters; `wanted` candidates are taken from each."""

    vector: Floats
    words: LexicalQuery
    filters: Filters
    wanted: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages that may be shown: each with its cosine in [-1, 1] and its BM25 score, >= 0."""

    dense: dict[PassageId, float]
    lexical: dict[PassageId, float]
    live: dict[PassageId, LivePassage]


class CandidateFinder:
    """Finds candidates in both indexes at the same time, and keeps those that the catalogue calls live."""

    def __init__(self, *, catalogue: Catalogue, files: Files, pool: ThreadPoolExecutor) -> None:
        self._catalogue = catalogue
        self._files = files
        self._pool = pool

    def find(self, question: Question, indexes: Generation) -> Candidates:
        """The best of each index that may be shown; a filter that leaves one document of ten thousand still finds it."""
        held = indexes.vectors.count()
        fetch, matching = question.wanted, held
        if question.filters:
            versions, matching = self._catalogue.extent(question.filters)
            if not matching:
                return Candidates({}, {}, {})
            fetch = min(held, math.ceil(_MARGIN * question.wanted * held / matching))
            if versions * _VERSION_MS < fetch * _CANDIDATE_MS:
                return self._exactly(question, indexes)
        while True:
            found, nearest = self._fetched(question, indexes, fetch)
            if nearest >= min(question.wanted, matching) or fetch >= held:
                return found
            if question.filters and versions * _VERSION_MS < _WIDEN * fetch * _CANDIDATE_MS:
                return self._exactly(question, indexes)
            fetch *= _WIDEN

    def _fetched(self, question: Question, indexes: Generation, fetch: int) -> tuple[Candidates, int]:
        """Candidates among the first `fetch` of each index, and how many of the nearest are among them."""
        searching = self._pool.submit(indexes.lexical.search, question.words, limit=fetch)
        nearest = indexes.vectors.query(question.vector, max(fetch, _NEIGHBOURS * question.wanted))
        worded = searching.result()
        cosines = dict(nearest)
        live = self._catalogue.live(
            {*(key for key, _ in nearest[:fetch]), *(key for key, _ in worded)}, question.filters
        )
        by_vector = _first((key for key, _ in nearest[:fetch]), live, question.wanted)
        by_words = _first((key for key, _ in worded), live, question.wanted)
        unknown = [key for key in by_words if key not in cosines]
        for key, vector in indexes.vectors.get(unknown).items():
            cosines[key] = float(vector @ question.vector)
        chosen = {*by_vector, *by_words}
        dense = {key: cosines[key] for key in chosen if key in cosines}
        return Candidates(dense, _worded(question, indexes, chosen, dict(worded)), live), len(by_vector)

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
        worded = dict(searching.result())
        live = self._catalogue.live({*self._catalogue.passages_at(best).values(), *worded}, question.filters)
        dense = {
            key: cosines[place] for key, it in live.items() if (place := (it.version.id, it.passage.ordinal)) in cosines
        }
        return Candidates(dense, _worded(question, indexes, set(live), worded), live)


def _first(ranked: Iterable[PassageId], live: dict[PassageId, LivePassage], wanted: int) -> list[PassageId]:
    return [key for key in ranked if key in live][:wanted]


def _worded(
    question: Question, indexes: Generation, chosen: set[PassageId], known: dict[PassageId, float]
) -> dict[PassageId, float]:
    """BM25 of each that was chosen, looked up where it is not known."""
    scores = {key: known[key] for key in chosen if key in known}
    return scores | indexes.lexical.score(question.words, sorted(chosen - scores.keys()))

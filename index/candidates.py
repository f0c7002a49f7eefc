"""Which passages come into question, and what does each of the two rankings give them? The first half of the search.

The best of both indexes are candidates, and each gets both scores: its cosine where only its words were found, its BM25 where only its vector was.
"""

import heapq
import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from index.indexes import Generation
from xuesi.core.domain import AS_ASKED, DocumentId, Filters, PassageId, Phrase, PhraseSource, Understood, VersionId
from xuesi.core.errors import Corrupt
from xuesi.core.ports import Catalogue, EmbeddedQuery, Files, Floats, LexicalQuery

_Ranked = dict[PassageId, float]  # best first
_log = logging.getLogger("xuesi.search")
_MARGIN = 1.5  # over-fetched beyond what the share of matching passages asks for: they lie unevenly
_WIDEN = 8
# What the two ways to search within filters cost, in ms (benchmarks/search.py): for a version its vectors opened, against fetching
# and checking one more candidate of both indexes.
_VERSION_MS, _CANDIDATE_MS = 0.3, 0.03
_FEW_VERSIONS = 1000  # so many are named to the lexical index when a phrase is looked for; of more, what does not match is passed over


@dataclass(frozen=True, slots=True)
class Phrased:
    """The phrases of a question, and the best passages that have one, live under the filters. With `only`, no others are hits."""

    phrases: tuple[Phrase, ...] = ()
    having: frozenset[PassageId] = frozenset()
    only: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is found out of a question while its vector is made.

    With filters `extent` is how many versions match, and how many passages they have. Without, `worded` are the best of the lexical index
    with their BM25 score, best first, and `vectors` theirs.
    """

    words: LexicalQuery
    extent: tuple[int, int] | None
    worded: _Ranked
    vectors: Mapping[PassageId, Floats]
    phrased: Phrased = Phrased()


@dataclass(frozen=True, slots=True)
class Question:
    """A question as both indexes take it, with its filters and what it is taken to mean. At least `limit` passages are needed, `wanted` are taken from each index."""

    embedded: EmbeddedQuery
    begun: Beginning
    filters: Filters
    limit: int
    wanted: int
    meant: Understood = AS_ASKED

    @property
    def vector(self) -> Floats:
        """The question's vector."""
        return self.embedded.vector

    @property
    def words(self) -> LexicalQuery:
        """The question in the lexical index's tokens."""
        return self.begun.words


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages with their cosine in [-1, 1] and their BM25 score, >= 0."""

    dense: dict[PassageId, float]
    lexical: dict[PassageId, float]

    def __or__(self, other: "Candidates") -> "Candidates":
        return Candidates(self.dense | other.dense, self.lexical | other.lexical)


class CandidateFinder:
    """Finds candidates in both indexes at the same time."""

    def __init__(self, *, catalogue: Catalogue, files: Files, pool: ThreadPoolExecutor) -> None:
        self._catalogue = catalogue
        self._files = files
        self._pool = pool

    def begin(
        self,
        query: str,
        filters: Filters,
        indexes: Generation,
        *,
        wanted: int,
        phrases: Sequence[Phrase] = (),
        strict: bool = True,
    ) -> Beginning:
        """Whatever needs no vector of the question: one core can do it while another one makes the vector.

        With `strict` those phrases that the question quotes must be had, as far as any passage has them.
        """
        words = indexes.lexical.parse(query)
        extent = self._catalogue.extent(filters) if filters else None
        phrased = Phrased()
        if phrases and indexes.lexical.has_phrases:
            within = self._few_versions(filters, extent)
            phrased = self._phrased(phrases, words, filters, indexes, wanted=wanted, within=within, strict=strict)
        if filters:
            return Beginning(words, extent, {}, {}, phrased)
        worded = {} if phrased.only else dict(indexes.lexical.search(words, limit=wanted))
        return Beginning(words, None, worded, indexes.vectors.get([*{*worded, *phrased.having}]), phrased)

    def _phrased(
        self,
        phrases: Sequence[Phrase],
        words: LexicalQuery,
        filters: Filters,
        indexes: Generation,
        *,
        wanted: int,
        within: Collection[VersionId] | None,
        strict: bool,
    ) -> Phrased:
        def having(*texts: str) -> set[PassageId]:
            """The best passages that have all of these, looking further where too few are live."""
            fetch = math.ceil(_MARGIN * wanted)
            while True:
                found = indexes.lexical.search(words, limit=fetch, within=within, phrases=texts)
                live = self._catalogue.live_ids([key for key, _ in found], filters)
                if len(live) >= wanted or len(found) < fetch:
                    return live
                fetch *= _WIDEN

        each = {phrase: having(phrase.text) for phrase in phrases}
        looked_for = tuple(replace(phrase, found=bool(those)) for phrase, those in each.items())
        quoted = [it.text for it in looked_for if strict and it.found and it.source is PhraseSource.QUOTED]
        if not quoted:
            return Phrased(looked_for, frozenset().union(*each.values()))
        together = having(*quoted) if len(quoted) > 1 else set()
        some = frozenset().union(*(those for phrase, those in each.items() if phrase.text in quoted))
        return Phrased(looked_for, frozenset(together) or some, only=True)

    def _few_versions(self, filters: Filters, extent: tuple[int, int] | None) -> Collection[VersionId] | None:
        """The versions that match the filters, if they are few; None otherwise."""
        few = extent is not None and extent[0] <= _FEW_VERSIONS
        return [version.id for version in self._catalogue.matching(filters)] if few else None

    def having_phrases(self, question: Question, indexes: Generation) -> Candidates:
        """Only the passages that have what the question quotes."""
        return self._scored(question, indexes, set(question.begun.phrased.having), ({}, {}))

    def anywhere(self, question: Question, indexes: Generation) -> Iterator[Candidates]:
        """The best of each index, in ever wider circles: for when too many of the first turn out not to be live."""
        held, fetch = indexes.lexical.count(), question.wanted
        nearest, worded = dict(indexes.vectors.query(question.vector, fetch)), question.begun.worded
        while True:
            chosen = {*nearest, *worded, *question.begun.phrased.having}
            yield self._scored(question, indexes, chosen, (nearest, worded))
            if fetch >= held:
                return
            fetch *= _WIDEN
            nearest, worded = self._both(question, indexes, fetch)

    def within(self, question: Question, extent: tuple[int, int], indexes: Generation) -> Candidates:
        """The best of each index under the filters; a filter that leaves one document of ten thousand still finds it.

        `extent` is how many versions match, and how many passages they have.
        """
        held = indexes.lexical.count()  # the vector index holds the same, but takes milliseconds to say so
        versions, matching = extent
        if not matching:
            return Candidates({}, {})
        least = min(matching, max(question.limit, question.wanted // 2))
        fetch = min(held, math.ceil(_MARGIN * question.wanted * held / matching))
        while versions * _VERSION_MS > fetch * _CANDIDATE_MS:
            nearest, worded = self._both(question, indexes, fetch)
            live = self._catalogue.live_ids({*nearest, *worded}, question.filters)
            by_vector = [key for key in nearest if key in live][: question.wanted]
            if len(by_vector) >= least or fetch >= held:
                by_words = [key for key in worded if key in live][: question.wanted]
                chosen = {*by_vector, *by_words, *question.begun.phrased.having}
                return self._scored(question, indexes, chosen, (nearest, worded))
            fetch *= _WIDEN
        return self._exactly(question, indexes)

    def of_documents(self, ids: Sequence[DocumentId], question: Question, indexes: Generation) -> Candidates:
        """The best of these documents, however many others are better; `ids` are of documents that may be shown under the filters."""
        if not ids:
            return Candidates({}, {})
        narrowed = replace(question, filters=replace(question.filters, document_id=tuple(ids)))
        return self.within(narrowed, self._catalogue.extent(narrowed.filters), indexes)

    def _both(self, question: Question, indexes: Generation, fetch: int) -> tuple[_Ranked, _Ranked]:
        """The best `fetch` of each index, best first."""
        searching = self._pool.submit(indexes.lexical.search, question.words, limit=fetch)
        nearest = indexes.vectors.query(question.vector, fetch)
        return dict(nearest), dict(searching.result())

    def _scored(
        self, question: Question, indexes: Generation, chosen: set[PassageId], known: tuple[_Ranked, _Ranked]
    ) -> Candidates:
        """Each with both scores, looked up where they are not known, in both indexes at the same time."""
        dense, lexical = ({key: ranked[key] for key in chosen if key in ranked} for ranked in known)
        scoring = self._pool.submit(indexes.lexical.score, question.words, chosen - lexical.keys())
        missing = chosen - dense.keys()
        vectors = {key: question.begun.vectors[key] for key in missing & question.begun.vectors.keys()}
        vectors |= indexes.vectors.get(list(missing - vectors.keys()))
        dense |= {key: float(vector @ question.vector) for key, vector in vectors.items()}
        return Candidates(dense, lexical | scoring.result())

    def _exactly(self, question: Question, indexes: Generation) -> Candidates:
        """Candidates from every passage of the versions that match."""
        versions = self._catalogue.matching(question.filters)
        within = [version.id for version in versions]
        searching = self._pool.submit(indexes.lexical.search, question.words, limit=question.wanted, within=within)
        cosines: dict[tuple[VersionId, int], float] = {}
        for version in versions:
            try:
                scores = (self._files.vectors(version, indexes.fingerprint) @ question.vector).tolist()
            except Corrupt as error:
                _log.warning("Version %s is searched by its words only: %s", version.id, error)
                continue
            cosines.update({(version.id, ordinal): score for ordinal, score in enumerate(scores)})
        best = heapq.nlargest(question.wanted, cosines, key=lambda place: (cosines[place], place))
        ids = self._catalogue.passages_at(best)
        nearest = {ids[place]: cosines[place] for place in best if place in ids}
        worded = dict(searching.result())
        chosen = {*nearest, *worded, *question.begun.phrased.having}
        return self._scored(question, indexes, chosen, (nearest, worded))

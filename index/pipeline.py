"""Which live passages fit a query? The whole path: normalise → dense ∥ lexical ∥ understand → fuse → late interaction → prefer → hits with the explanation of their scores."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, date, datetime

from index.candidates import CandidateFinder, Candidates, Question
from index.fuse import Fused, fuse, with_late
from index.indexes import Generation, Indexes
from index.late import late_scores
from index.understanding import prefer, understood
from xuesi.core.domain import NO_FILTERS, Explanation, Filters, Hit
from xuesi.core.errors import EmptyQuestion, InvalidInput, QuestionTooLong
from xuesi.core.ports import Catalogue, Embedder, Files, LexicalQuery, LivePassage, SearchResult
from xuesi.core.text import has_words

_Shown = tuple[Fused, LivePassage]
_SPARE = 5  # candidates checked beyond the limit, lest one retired passage cost a second look
_THREADS = 8  # searches whose lexical half runs beside their dense half; further ones take turns


class HybridSearcher:
    """Implements `Searcher` on an embedder, both indexes and the catalogue. Safe to share among threads."""

    def __init__(
        self,
        *,
        embedders: Mapping[str, Embedder],
        indexes: Indexes,
        catalogue: Catalogue,
        files: Files,
        weight: float,
        late_weight: float,
        candidates: int,
        max_chars: int,
    ) -> None:
        """`embedders` are those of the models whose vectors the indexes hold, by fingerprint; `weight` is the say of the words in the score, `late_weight` that of the single tokens, `candidates` the passages taken from each index, `max_chars` the longest query."""
        self._embedders = embedders
        self._indexes = indexes
        self._catalogue = catalogue
        self._weight = weight
        self._late_weight = late_weight
        self._candidates = candidates
        self._max_chars = max_chars
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
        self._finder = CandidateFinder(catalogue=catalogue, files=files, pool=self._pool)

    def search(
        self, query: str, *, limit: int = 10, filters: Filters = NO_FILTERS, without: Collection[str] = ()
    ) -> SearchResult:
        """The best live passages under the filters, best first, ties by id; fewer than `limit` only where there are no more candidates.

        Those of periods and documents that the query names are preferred, unless the words that name them stand in `without`.

        Raises:
            EmptyQuestion: If there is no letter or digit in the query.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If `limit` is not positive.
            ModelUnavailable: If the embedder does not answer.
        """
        started = time.perf_counter()
        self._check(query, limit)
        with self._indexes.reading() as indexes:
            embedder = self._embedders[indexes.fingerprint]  # of these indexes, whatever takes their place meanwhile
            wanted = max(limit, self._candidates)
            beginning = self._pool.submit(self._finder.begin, query, filters, indexes, wanted=wanted)
            understanding = self._pool.submit(
                understood, query, catalogue=self._catalogue, filters=filters, today=_day(filters), without=without
            )
            try:
                embedded = embedder.embed_query(query)
            finally:
                wait([beginning])  # it reads indexes that may be closed after this block
            meant = understanding.result()
            question = Question(embedded, beginning.result(), filters, limit=limit, wanted=wanted, meant=meant)
            hits = _explained(self._shown(question, indexes), question.words, indexes)
        if filters.as_of or filters.document_id:  # nothing else brings up what is not current
            hits = self._dated(hits)
        took_ms = (time.perf_counter() - started) * 1000
        return SearchResult(hits, embedded, question.words, took_ms, embedder, meant)

    def _shown(self, question: Question, indexes: Generation) -> list[_Shown]:
        """The best candidates that may be shown, at most `limit`, looking further where too few of them may."""
        named = self._finder.of_documents([it.id for it in question.meant.documents], question, indexes)
        if question.begun.extent:  # None without filters
            return self._live(self._finder.within(question, question.begun.extent, indexes) | named, question, indexes)
        shown: list[_Shown] = []
        for found in self._finder.anywhere(question, indexes):
            shown = self._live(found | named, question, indexes)
            if len(shown) == question.limit:
                break
        return shown

    def _live(self, found: Candidates, question: Question, indexes: Generation) -> list[_Shown]:
        """The best live ones in order. The catalogue is asked for as many as are needed, not for all."""
        ranked = self._ranked(found, question, indexes)
        if question.meant:
            every = self._catalogue.live([it.id for it in ranked], question.filters)
            return [(it, every[it.id]) for it in prefer(ranked, every, question.meant)[: question.limit]]
        shown: list[_Shown] = []
        step = question.limit + _SPARE
        for i in range(0, len(ranked), step):
            part = ranked[i : i + step]
            live = self._catalogue.live([it.id for it in part], question.filters)
            shown += [(it, live[it.id]) for it in part if it.id in live]
            if len(shown) >= question.limit:
                break
        return shown[: question.limit]

    def _ranked(self, found: Candidates, question: Question, indexes: Generation) -> list[Fused]:
        ceiling = question.words.ceiling or 1.0  # without a token there are no lexical scores either
        ranked = fuse(found.dense, found.lexical, ceiling=ceiling, weight=self._weight)
        if question.embedded.tokens is None or not self._late_weight:
            return ranked
        # Of what is preferred also one that lies behind may come first, so that each is to have its whole score.
        first = ranked[: question.wanted * (3 if question.meant else 1)]
        codes = indexes.vectors.tokens([it.id for it in first])
        late = dict(zip(codes, late_scores(question.embedded.tokens, list(codes.values())).tolist(), strict=True))
        return with_late(ranked, late, weight=self._late_weight)

    def _dated(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The hits, each that is not current with what stands in its place."""
        old = self._catalogue.outdated({hit.passage.version_id for hit in hits})
        return tuple(
            replace(hit, current=False, superseded_by=old[version])
            if (version := hit.passage.version_id) in old
            else hit
            for hit in hits
        )

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


def _day(filters: Filters) -> date:
    """From which day "last year" is counted: the one that is asked as of, else today, where the server stands."""
    return filters.as_of or datetime.now(UTC).astimezone().date()


def _explained(shown: Sequence[_Shown], words: LexicalQuery, indexes: Generation) -> tuple[Hit, ...]:
    terms = indexes.lexical.explain(words, [fused.id for fused, _ in shown])
    return tuple(
        Hit(
            rank=rank,
            score=fused.score,
            passage=of.passage,
            document=of.document,
            version=of.version.number,
            explain=Explanation(fused.dense, fused.coverage, fused.late, terms[fused.id], fused.preferred),
        )
        for rank, (fused, of) in enumerate(shown, start=1)
    )

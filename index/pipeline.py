"""Which live passages fit a query? The whole path: normalise → dense ∥ lexical ∥ understand → fuse → late interaction → prefer → rerank, if set → hits with the explanation of their scores."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, date, datetime

from index.candidates import CandidateFinder, Candidates, Question
from index.fuse import Fused, fuse, with_late, with_phrases
from index.indexes import Generation, Indexes
from index.late import late_scores
from index.phrases import Dictionary, phrases_of
from index.rerank import Reranking, Shown
from index.understanding import prefer, understood
from xuesi.core.domain import NO_FILTERS, Explanation, Filters, Hit, PassageId, PhraseSource
from xuesi.core.errors import EmptyQuestion, InvalidInput, QuestionTooLong
from xuesi.core.ports import Catalogue, Embedder, Files, LexicalQuery, SearchResult
from xuesi.core.text import has_words

_SPARE = 5  # candidates checked beyond the limit, lest one retired passage cost a second look
# What a passage is given for a phrase that it has whole; measured in docs/experiments.md.
_PHRASE = {PhraseSource.QUOTED: 0.2, PhraseSource.DICTIONARY: 0.05, PhraseSource.TITLE: 0.02}
_THREADS = 16  # two for each search that has its lexical half, and what it means, found beside its dense half; further ones take turns


class HybridSearcher:
    """Implements `Searcher` on an embedder, both indexes and the catalogue. Safe to share among threads."""

    def __init__(  # noqa: PLR0913 each is a part or a setting
        self,
        *,
        embedders: Mapping[str, Embedder],
        indexes: Indexes,
        catalogue: Catalogue,
        files: Files,
        dictionary: Dictionary,
        weight: float,
        late_weight: float,
        candidates: int,
        max_chars: int,
        reranking: Reranking | None = None,
    ) -> None:
        """`embedders` are those of the models whose vectors the indexes hold, by fingerprint; `dictionary` has the names and set phrases that belong together; `weight` is the say of the words in the score, `late_weight` that of the single tokens, `candidates` the passages taken from each index, `max_chars` the longest query; `reranking` ranks the best anew."""
        self._embedders = embedders
        self._indexes = indexes
        self._catalogue = catalogue
        self._dictionary = dictionary
        self._weight = weight
        self._late_weight = late_weight
        self._candidates = candidates
        self._max_chars = max_chars
        self._reranking = reranking
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
        self._finder = CandidateFinder(catalogue=catalogue, files=files, pool=self._pool)

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        strict: bool = True,
        without: Collection[str] = (),
    ) -> SearchResult:
        """The best live passages under the filters, best first, ties by id; fewer than `limit` only where there are no more candidates.

        With `strict`, if any passage has a wording that the query quotes, hits have all that it quotes, or some of it where none has all.
        Those of periods and documents that the query names are preferred, unless the words that name them stand in `without`. Those that a
        reranker scored are in the order of its scores and before the others; `score` is as without one.

        Raises:
            EmptyQuestion: If there is no letter or digit in the query.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If `limit` is not positive.
            ModelUnavailable: If the embedder does not answer.
        """
        started = time.perf_counter()
        self._check(query, limit)
        phrases = phrases_of(query, self._dictionary)
        with self._indexes.reading() as indexes:
            embedder = self._embedders[indexes.fingerprint]  # of these indexes, whatever takes their place meanwhile
            least = max(limit, self._reranking.candidates) if self._reranking else limit
            wanted = max(least, self._candidates)
            beginning = self._pool.submit(
                self._finder.begin, query, filters, indexes, wanted=wanted, phrases=phrases, strict=strict
            )
            understanding = self._pool.submit(
                understood, query, catalogue=self._catalogue, filters=filters, today=_day(filters), without=without
            )
            try:
                embedded = embedder.embed_query(query)
            finally:
                wait([beginning])  # it reads indexes that may be closed after this block
                wait([understanding])
            meant = understanding.result()
            question = Question(embedded, beginning.result(), filters, limit=least, wanted=wanted, meant=meant)
            shown = self._shown(question, indexes)
            if self._reranking:
                shown = self._reranking.ranked(query, shown)
            hits = _explained(shown[:limit], question.words, indexes)
        if filters.as_of or filters.document_id:  # nothing else brings up what is not current
            hits = self._dated(hits)
        took_ms = (time.perf_counter() - started) * 1000
        return SearchResult(hits, embedded, question.words, took_ms, embedder, question.begun.phrased.phrases, meant)

    def _shown(self, question: Question, indexes: Generation) -> list[Shown]:
        """The best candidates that may be shown, at most `limit`, looking further where too few of them may."""
        if question.begun.phrased.only:
            return self._live(self._finder.having_phrases(question, indexes), question, indexes)
        named = self._finder.of_documents([it.id for it in question.meant.documents], question, indexes)
        if question.begun.extent:  # None without filters
            return self._live(self._finder.within(question, question.begun.extent, indexes) | named, question, indexes)
        shown: list[Shown] = []
        for found in self._finder.anywhere(question, indexes):
            shown = self._live(found | named, question, indexes)
            if len(shown) == question.limit:
                break
        return shown

    def _live(self, found: Candidates, question: Question, indexes: Generation) -> list[Shown]:
        """The best live ones in order. The catalogue is asked for as many as are needed, not for all."""
        ranked = self._ranked(found, question, indexes)
        if question.meant:
            every = self._catalogue.live([it.id for it in ranked], question.filters)
            return [(it, every[it.id]) for it in prefer(ranked, every, question.meant)[: question.limit]]
        shown: list[Shown] = []
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
        if question.begun.phrased.having:
            ranked = with_phrases(ranked, _given(question, ranked, indexes))
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


def _given(question: Question, ranked: Sequence[Fused], indexes: Generation) -> dict[PassageId, float]:
    """What each candidate is given for the phrases that it has whole; those that have none are left out."""
    given: dict[PassageId, float] = {}
    for phrase in question.begun.phrased.phrases:
        if phrase.found:
            for passage_id in indexes.lexical.having(phrase.text, [it.id for it in ranked]):
                given[passage_id] = given.get(passage_id, 0.0) + _PHRASE[phrase.source]
    return given


def _explained(shown: Sequence[Shown], words: LexicalQuery, indexes: Generation) -> tuple[Hit, ...]:
    terms = indexes.lexical.explain(words, [fused.id for fused, _ in shown])
    return tuple(
        Hit(
            rank=rank,
            score=fused.score,
            passage=of.passage,
            document=of.document,
            version=of.version.number,
            explain=Explanation(
                fused.dense,
                fused.coverage,
                fused.late,
                terms[fused.id],
                fused.phrases,
                fused.preferred,
                fused.rerank,
                fused.rerank_state,
            ),
        )
        for rank, (fused, of) in enumerate(shown, start=1)
    )

"""What does the material say, and where? Search, choose sentences, compose, verify: answers without any language model."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from answer.compose import Draft, Place, compose
from answer.confidence import confidence
from answer.evidence import gather
from answer.sources import Sources
from answer.typical import TypicalQuestion
from answer.verify import page_at, verify
from xuesi.core.domain import NO_FILTERS, Answer, Citation, Filters, Hit, Statement, Turn
from xuesi.core.errors import CitationBroken, InvalidInput, ModelUnavailable, VersionNotFound
from xuesi.core.ports import AnswerEvent, Catalogue, EmbeddedQuery, Files, Searcher

_log = logging.getLogger(__name__)

# Passages whose sentences are weighed, and hits shown where nothing answers.
_PASSAGES = 10
_NEAREST = 5


class ExtractiveAnswerer:
    """Answers in the material's own words; every sentence carries citations that were verified. The same question gives the same answer."""

    def __init__(
        self,
        searcher: Searcher,
        *,
        catalogue: Catalogue,
        files: Files,
        tokens: Callable[[str], list[str]],
        embed: Callable[[str], EmbeddedQuery],
        threshold: float,
        max_statements: int,
    ) -> None:
        self._searcher = searcher
        self._catalogue = catalogue
        self._files = files
        self._tokens = tokens
        self._typical = TypicalQuestion(embed)
        self._threshold = threshold
        self._max_statements = max_statements

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
    ) -> Iterator[AnswerEvent]:
        """Search at once, so that what is wrong with the question is raised here; then the events as `Answerer.ask` says.

        `conversation` is taken and not used: each question is answered by itself.
        """
        del conversation
        started = time.perf_counter()
        _check(mode)
        found = self._searcher.search(question, limit=_PASSAGES, filters=filters)
        sources = Sources(self._catalogue, self._files)
        ranked = gather(
            question,
            found,
            sentences_of=lambda version_id: sources.of(version_id).sentences,
            tokens=self._tokens,
            typical=self._typical.vector,
        )
        sure = confidence(question, found, ranked)
        drafts = compose(ranked, most=self._max_statements) if sure >= self._threshold else []
        return self._tell(drafts, sources=sources, hits=found.hits, sure=sure, started=started)

    def _tell(
        self, drafts: Sequence[Draft], *, sources: Sources, hits: Sequence[Hit], sure: float, started: float
    ) -> Iterator[AnswerEvent]:
        statements: list[Statement] = []
        citations: list[Citation] = []
        for draft in drafts:
            fresh = list(_verified(draft, sources, first=len(citations) + 1))
            if not fresh:
                continue
            citations += fresh
            statements.append(Statement(draft.text, tuple(c.number for c in fresh)))
            yield from fresh
            yield statements[-1]
        yield Answer(
            status="answered" if statements else "not_in_material",
            mode="extractive",
            confidence=sure,
            statements=tuple(statements),
            citations=tuple(citations),
            nearest=() if statements else tuple(hits[:_NEAREST]),
            took_ms=(time.perf_counter() - started) * 1000,
        )


def _check(mode: str) -> None:
    if mode == "generative":
        raise ModelUnavailable(
            "There is no chat model to write an answer.", hint="Ask in mode auto or extractive, which need none."
        )
    if mode not in ("auto", "extractive"):
        raise InvalidInput(f"There is no mode {mode!r}.", hint="The modes are auto, extractive and generative.")


def _verified(draft: Draft, sources: Sources, *, first: int) -> Iterator[Citation]:
    """The citations of the draft that hold, numbered on from `first`; one that does not is logged and left out."""
    number = first
    for place in draft.places:
        source = sources.of(place.hit.passage.version_id)
        try:
            cited = _cited(place, number=number, page=page_at(source.pages, place.span.start))
            citation = verify(cited, version=source.version, text=source.text, pages=source.pages)
        except (CitationBroken, VersionNotFound) as error:
            _log.error("A citation was withheld. %s", error)
            continue
        number += 1
        yield citation


def _cited(place: Place, *, number: int, page: int) -> Citation:
    hit = place.hit
    return Citation(
        number=number,
        document_id=hit.document.id,
        version=hit.version,
        title=hit.document.title,
        published_on=hit.document.published_on,
        page=page,
        span=place.span,
        quote=place.text,
    )

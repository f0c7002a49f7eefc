"""What does the material say, and where? Search, choose sentences, compose, verify: answers without any language model."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from answer.asked import asked
from answer.compose import Draft, Place, compose
from answer.confidence import confidence
from answer.evidence import gather
from answer.followup.complete import completed
from answer.sources import Sources
from answer.typical import TypicalQuestion
from answer.verify import page_at, verify
from xuesi.core.domain import NO_FILTERS, Answer, Citation, Filters, Statement, Turn, Understood, Withheld
from xuesi.core.errors import Corrupt, InvalidInput, ModelUnavailable, VersionNotFound
from xuesi.core.ports import AnswerEvent, Catalogue, Embedder, Files, Searcher, SearchResult

_log = logging.getLogger("xuesi.answer")

# Passages whose sentences are weighed, and hits shown where nothing answers.
_PASSAGES = 10
_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found for a question: hits, their sources, the confidence, and what would be said in the material's own words; nothing below the threshold.

    `question` is the completed one where the conversation completes it, `understood` says so. `started` is when it came, by `time.perf_counter`.
    """

    question: str
    understood: Understood
    found: SearchResult
    sources: Sources
    sure: float
    drafts: Sequence[Draft]
    started: float

    @property
    def took_ms(self) -> float:
        """Milliseconds since the question came."""
        return (time.perf_counter() - self.started) * 1000


class ExtractiveAnswerer:
    """Answers in the material's own words; every sentence carries citations that were verified. The same question gives the same answer."""

    def __init__(
        self,
        searcher: Searcher,
        *,
        catalogue: Catalogue,
        files: Files,
        tokens: Callable[[str], list[str]],
        threshold: float,
        max_statements: int,
        max_chars: int,
    ) -> None:
        """`threshold` is the confidence in [0, 1] below which nothing is answered, `max_chars` the longest question."""
        self._searcher = searcher
        self._catalogue = catalogue
        self._files = files
        self._tokens = tokens
        self._typical: tuple[Embedder, TypicalQuestion] | None = None
        self._threshold = threshold
        self._max_statements = max_statements
        self._max_chars = max_chars

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
        without: Collection[str] = (),
    ) -> Iterator[AnswerEvent]:
        """Search at once, so that what is wrong with the question is raised here; then the events as `Answerer.ask` says."""
        _check(mode)
        return self._tell(self.look(question, filters=filters, conversation=conversation, without=without))

    def look(
        self,
        question: str,
        *,
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
        without: Collection[str] = (),
    ) -> Findings:
        """Complete the question, search, and choose what would be said. Raises EmptyQuestion, QuestionTooLong, InvalidInput."""
        started = time.perf_counter()
        whole = completed(question, conversation, most_chars=self._max_chars)
        question = whole or question
        found = self._searcher.search(question, limit=_PASSAGES, filters=filters, strict=False, without=without)
        understood = replace(found.understood, question=whole)
        sources = Sources(self._catalogue, self._files, fingerprint=found.embedder.fingerprint)
        found = replace(found, hits=tuple(hit for hit in found.hits if sources.has(hit.passage.version_id)))
        about = asked(question, found.lexical, tokens=self._tokens)
        ranked = gather(
            question,
            found,
            about=about,
            sentences_of=lambda version_id: sources.of(version_id).sentences,
            tokens=self._tokens,
            typical=self._typical_of(found.embedder).vector,
        )
        sure = confidence(question, found, ranked, about=about, tokens=self._tokens)
        drafts = compose(ranked, most=self._max_statements) if sure >= self._threshold else []
        return Findings(question, understood, found, sources, sure, drafts, started)

    def _typical_of(self, embedder: Embedder) -> TypicalQuestion:
        """The one of that model, kept until another model is in force."""
        kept = self._typical
        if kept is None or kept[0] is not embedder:
            self._typical = kept = embedder, TypicalQuestion(embedder.embed_query)
        return kept[1]

    def _tell(self, findings: Findings) -> Iterator[AnswerEvent]:
        if findings.understood:
            yield findings.understood
        yield from self.say(findings)

    def say(
        self, findings: Findings, *, fallback: str = "", withheld: Sequence[Withheld] = ()
    ) -> Iterator[AnswerEvent]:
        """The answer in the material's own words. `fallback` and `withheld` are those of a chat model in whose place it comes."""
        statements: list[Statement] = []
        citations: list[Citation] = []
        for draft in findings.drafts:
            fresh = list(verified(draft.places, findings.sources, first=len(citations) + 1))
            if not fresh:
                continue
            citations += fresh
            # In the words of the first place that holds: those of one that was withheld may stand nowhere.
            statements.append(Statement(fresh[0].quote, tuple(c.number for c in fresh)))
            yield from fresh
            yield statements[-1]
        yield Answer(
            status="answered" if statements else "not_in_material",
            mode="extractive",
            confidence=findings.sure,
            statements=tuple(statements),
            citations=tuple(citations),
            nearest=() if statements else findings.found.hits[:_NEAREST],
            took_ms=findings.took_ms,
            phrases=findings.found.phrases,
            understood=findings.understood,
            withheld=tuple(withheld),
            fallback=fallback,
        )


def _check(mode: str) -> None:
    if mode == "generative":
        raise ModelUnavailable(
            "There is no chat model to write an answer.", hint="Ask in mode auto or extractive, which need none."
        )
    if mode not in ("auto", "extractive"):
        raise InvalidInput(f"There is no mode {mode!r}.", hint="The modes are auto, extractive and generative.")


def verified(places: Sequence[Place], sources: Sources, *, first: int) -> Iterator[Citation]:
    """The citations of these places that hold, numbered on from `first`; one that does not is logged and left out."""
    number = first
    for place in places:
        source = sources.of(place.hit.passage.version_id)
        try:
            cited = _cited(place, number=number, page=page_at(source.pages, place.span.start))
            citation = verify(cited, version=source.version, text=source.text, pages=source.pages)
        except (Corrupt, VersionNotFound) as error:
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
        current=hit.current,
        superseded_by=hit.superseded_by,
    )

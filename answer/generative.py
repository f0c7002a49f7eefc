"""What does a chat model make of what the material says? It writes, each sentence is compared with the passages that it cites, and only what they support is said.

Where the model fails, or nothing of what it wrote is supported, the answer comes in the material's own words, and says so.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing

from answer.compose import Place
from answer.pipeline import ExtractiveAnswerer, Findings, verified
from answer.prompt import NO_ANSWER, Prompt, context_of, is_chinese, prompt
from answer.support import Fault, Material, Support
from answer.written import Endless, Written, written
from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Citation,
    Filters,
    Hit,
    Span,
    Statement,
    Turn,
    VersionId,
    Withheld,
)
from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import AnswerEvent, Embedder, EmbedInput, Generator, Trouble, Words

_log = logging.getLogger("xuesi.answer")

# What a model writes in all, in code points, and how often it may be wrong before the rest is not waited for.
_LONGEST_CHARS = 4000
_MOST_WITHHELD = 8

# Why no model's answer came, or not all of it, beside the troubles of the model itself.
OTHER_LANGUAGE, NOTHING_SUPPORTED, NO_ANSWER_WRITTEN, REPEATS = (
    "other_language",
    "nothing_supported",
    "no_answer",
    "repeats",
)


class GenerativeAnswerer:
    """Answers in a chat model's words where the material holds the answer, each statement supported and cited; else as `ExtractiveAnswerer` does.

    Args:
        extractive: Searches, judges whether the material holds the answer, and answers where the model does not.
        generator: The chat model.
        words: The words of a text.
        max_statements: Most statements of an answer; then the model is stopped.
    """

    def __init__(
        self, extractive: ExtractiveAnswerer, generator: Generator, *, words: Words, max_statements: int
    ) -> None:
        self._extractive = extractive
        self._generator = generator
        self._words = words
        self._max_statements = max_statements

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
        without: Collection[str] = (),
    ) -> Iterator[AnswerEvent]:
        """As `Answerer.ask` says; what is wrong with the question is raised here."""
        if mode not in ("auto", "generative"):
            return self._extractive.ask(
                question, mode=mode, filters=filters, conversation=conversation, without=without
            )
        return self._tell(self._extractive.look(question, filters=filters, conversation=conversation, without=without))

    def _tell(self, findings: Findings) -> Iterator[AnswerEvent]:
        hits = findings.found.hits
        if findings.understood:
            yield findings.understood
        if not findings.drafts:
            yield from self._extractive.say(findings)
            return
        if is_chinese(findings.question) != is_chinese(hits[0].passage.text):
            # Words of two languages cannot be compared, and by vectors alone a "not" goes unseen.
            yield from self._extractive.say(findings, fallback=OTHER_LANGUAGE)
            return
        answer = _Answering(findings, prompt(findings.question, hits), words=self._words)
        try:
            with closing(self._generator.write(answer.prompt.instructions, answer.prompt.request)) as pieces:
                yield from answer.events(pieces, most=self._max_statements)
        except ModelUnavailable as error:
            answer.stopped = str(error.facts.get("reason", Trouble.UNREACHABLE))
            # Without the server's own words, which may hold what was asked.
            _log.warning("The chat model did not write to the end: %s.", answer.stopped)
        if answer.statements:
            yield answer.whole()
        else:
            why = answer.stopped or NOTHING_SUPPORTED
            yield from self._extractive.say(findings, fallback=why, withheld=answer.withheld)


class _Answering:
    """One answer as it comes to be."""

    def __init__(self, findings: Findings, told: Prompt, *, words: Words) -> None:
        self.prompt = told
        self.statements: list[Statement] = []
        self.withheld: list[Withheld] = []
        self.stopped = ""
        self._findings = findings
        self._citations: list[Citation] = []
        self._numbers: dict[tuple[VersionId, Span], int] = {}
        self._material = Material(
            [(context_of(hit), hit.passage.text) for hit in told.hits],
            words=words,
            near=nearness(findings.found.embedder),
        )

    def events(self, pieces: Iterator[str], *, most: int) -> Iterator[Citation | Statement]:
        """Each supported sentence with its citations, as soon as it is written; until there are enough, or the model has lost its way."""
        seen: set[str] = set()
        try:
            for sentence in written(_until(pieces, _LONGEST_CHARS)):
                if any(sentence.text.strip(" 。.") == none for none in NO_ANSWER):
                    self.stopped = NO_ANSWER_WRITTEN
                    return
                if (letters := "".join(filter(str.isalnum, sentence.text))) in seen:
                    self.stopped = REPEATS
                    return
                seen.add(letters)
                yield from self._judged(sentence)
                if len(self.statements) >= most:
                    return
                if len(self.withheld) >= _MOST_WITHHELD:
                    return
        except Endless:
            self.stopped = Trouble.TOO_LONG

    def _judged(self, sentence: Written) -> Iterator[Citation | Statement]:
        support = self._material.supports(sentence.text, sentence.numbers)
        numbers: list[int] = []
        for place in self._places(support):
            key = place.hit.passage.version_id, place.span
            if key not in self._numbers:
                for citation in verified([place], self._findings.sources, first=len(self._citations) + 1):
                    self._citations.append(citation)
                    self._numbers[key] = citation.number
                    yield citation
            if key in self._numbers:
                numbers.append(self._numbers[key])
        if numbers:
            self.statements.append(Statement(sentence.text, tuple(numbers)))
            yield self.statements[-1]
        else:
            self.withheld.append(Withheld(sentence.text, support.fault or Fault.UNKNOWN_CITATION))

    def _places(self, support: Support) -> Iterator[Place]:
        for place in support.places:
            hit: Hit = self.prompt.hits[place.number - 1]
            start = hit.passage.span.start
            yield Place(hit, Span(start + place.span.start, start + place.span.end))

    def whole(self) -> Answer:
        """The answer so far."""
        return Answer(
            status="answered",
            mode="generative",
            confidence=self._findings.sure,
            statements=tuple(self.statements),
            citations=tuple(self._citations),
            nearest=(),
            took_ms=self._findings.took_ms,
            phrases=self._findings.found.phrases,
            understood=self._findings.understood,
            withheld=tuple(self.withheld),
            cut_short=self.stopped,
        )


def nearness(embedder: Embedder) -> Callable[[str, str], float]:
    """The cosine of two sentences, both embedded as passages."""

    def near(one: str, other: str) -> float:
        a, b = embedder.embed_passages([EmbedInput(one), EmbedInput(other)]).passages
        return float(a @ b)

    return near


def _until(pieces: Iterator[str], most: int) -> Iterator[str]:
    for piece in pieces:
        yield piece
        most -= len(piece)
        if most < 0:
            raise Endless

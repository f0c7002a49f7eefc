"""In which shape do questions, statements and citations travel?"""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, Field

from api.schemas.search import (
    FiltersIn,
    HitOut,
    MeantOut,
    PhraseOut,
    SuccessorOut,
    Without,
    hits,
    phrases,
    reader_url,
)
from api.schemas.shapes import Strict, Text
from xuesi.core.domain import Answer, Citation, Statement, Turn, Understood


class TurnIn(Strict):
    """One utterance of the conversation so far."""

    role: Literal["user", "assistant"]
    content: Text = Field(max_length=20_000)


class AskIn(Strict):
    """A question. `show_withheld`: with the sentences of a chat model that the material does not support, told apart from the answer."""

    question: Text
    mode: Literal["auto", "extractive", "generative"] = "auto"
    filters: FiltersIn | None = None
    conversation: list[TurnIn] = Field(
        default=[],
        max_length=100,
        description="The turns before the question, oldest first, kept by the caller and by nobody else. Leave it out, and the question is taken "
        "by itself.",
    )
    without: Without = Field(default=[])
    stream: bool = False
    show_withheld: bool = False

    def turns(self) -> list[Turn]:
        """The conversation as the answerer takes it."""
        return [Turn(turn.role, turn.content) for turn in self.conversation]


class UnderstoodOut(MeantOut):
    """What the question was taken to mean. `question` is the whole question that is answered, where the one asked went on from the conversation, else null."""

    question: str | None

    @classmethod
    def of(cls, understood: Understood) -> Self:
        """What was understood."""
        return cls(question=understood.question, **dict(MeantOut.of(understood)))


class StatementOut(BaseModel):
    """One sentence of the answer with the numbers of its citations."""

    text: str
    citations: list[int]


class StatementEvent(StatementOut):
    """A statement as it is streamed: `index` counts from 0."""

    index: int

    @classmethod
    def of(cls, statement: Statement, index: int) -> Self:
        """The statement at this place."""
        return cls(index=index, text=statement.text, citations=list(statement.citations))


class CitationOut(BaseModel):
    """Where a statement stands: `quote` equals the version's text at `span`; `page` is where the span starts; `current` as in `HitOut`."""

    number: int
    document_id: str
    version: int
    title: str
    published_on: date | None
    page: int
    span: tuple[int, int]
    quote: str
    url: str
    current: bool
    superseded_by: SuccessorOut | None

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """The citation with the address of its place."""
        return cls(
            number=citation.number,
            document_id=citation.document_id,
            version=citation.version,
            title=citation.title,
            published_on=citation.published_on,
            page=citation.page,
            span=(citation.span.start, citation.span.end),
            quote=citation.quote,
            url=reader_url(citation.document_id, citation.version, citation.span),
            current=citation.current,
            superseded_by=SuccessorOut.of(citation.superseded_by),
        )


class WithheldOut(BaseModel):
    """A sentence of a chat model that the material does not support, and why: it is no part of the answer."""

    text: str
    reason: str
    supported: Literal[False] = False


class AnswerOut(BaseModel):
    """What the material says to a question; without enough evidence no statement, but the nearest hits.

    `withheld` counts the sentences of a chat model that the material does not support; `withheld_statements` are they, null unless they were asked for.
    `fallback` says why the material's own words came in the place of a model's, `cut_short` why a model did not write to the end; else they are null.
    """

    status: Literal["answered", "not_in_material"]
    statements: list[StatementOut]
    citations: list[CitationOut]
    nearest: list[HitOut]
    confidence: float
    mode: str
    phrases: list[PhraseOut]
    understood: UnderstoodOut
    took_ms: float
    withheld: int
    withheld_statements: list[WithheldOut] | None
    fallback: str | None
    cut_short: str | None

    @classmethod
    def of(cls, answer: Answer, *, show_withheld: bool = False) -> Self:
        """The whole answer."""
        return cls.model_validate(
            {
                "status": answer.status,
                "statements": [{"text": s.text, "citations": list(s.citations)} for s in answer.statements],
                "citations": [CitationOut.of(c) for c in answer.citations],
                "nearest": hits(answer.nearest),
                "confidence": answer.confidence,
                "mode": answer.mode,
                "phrases": phrases(answer.phrases),
                "understood": UnderstoodOut.of(answer.understood),
                "took_ms": answer.took_ms,
                "withheld": len(answer.withheld),
                "withheld_statements": [WithheldOut(text=w.text, reason=w.reason) for w in answer.withheld]
                if show_withheld
                else None,
                "fallback": answer.fallback or None,
                "cut_short": answer.cut_short or None,
            }
        )

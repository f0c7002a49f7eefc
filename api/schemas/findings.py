"""In which shape does travel what was found out about documents: suggestions, near duplicates, topics and the dictionary?"""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.schemas.documents import DocumentChanges, DocumentOut
from api.schemas.shapes import Problem, Strict, Text
from xuesi.core.domain import SuggestionSource
from xuesi.core.ports import NearDuplicate
from xuesi.core.text import has_words

Ids = Annotated[list[Text], Field(min_length=1, max_length=500)]


class SuggestionOut(BaseModel):
    """What may be said of a document: the field, its value, where that was found, and the words that stand there."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    value: str
    source: SuggestionSource
    quote: str


class SuggestionList(BaseModel):
    """What was found about a document, the surest of a field first."""

    items: list[SuggestionOut]
    next: str | None = None


class Accepting(Strict):
    """Take over the surest suggestions for these fields of these documents."""

    ids: Ids
    fields: Annotated[list[Text], Field(min_length=1)]


class ChangeManyIn(Strict):
    """The same changes for many documents."""

    ids: Ids
    changes: DocumentChanges


class Changed(BaseModel):
    """One of many documents: as it is now, or why it was not changed."""

    id: str
    document: DocumentOut | None = None
    problem: Problem | None = None


class ChangedMany(BaseModel):
    """One entry a document, in the order of the ids."""

    documents: list[Changed]


class PairSide(BaseModel):
    """One of two documents that are nearly the same."""

    document_id: str
    title: str
    version: int
    added_at: datetime


class NearDuplicateOut(BaseModel):
    """Two documents that are nearly the same, the later one first; `similarity` in [0, 1]; `diff` is the address of their difference."""

    document: PairSide
    other: PairSide
    similarity: float
    diff: str

    @classmethod
    def of(cls, pair: NearDuplicate) -> Self:
        """The pair on the wire."""
        first, second = pair.version, pair.other_version
        return cls(
            document=PairSide(document_id=pair.document.id, title=pair.document.title, version=first.number, added_at=first.added_at),
            other=PairSide(document_id=pair.other.id, title=pair.other.title, version=second.number, added_at=second.added_at),
            similarity=round(pair.similarity, 3),
            diff=f"/api/v1/documents/{pair.document.id}/versions/{first.number}/diff?against={second.number}&against_document={pair.other.id}",
        )  # fmt: skip


class NearDuplicateList(BaseModel):
    """A part of the pairs that wait for a person."""

    items: list[NearDuplicateOut]
    next: str | None


class SettleIn(Strict):
    """What is to become of two documents that are nearly the same.

    With `as` = `new_version` the first one's file becomes the newest version of the other, and the first document goes; `apart` keeps both.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    document_id: Text
    other_id: Text
    as_: Annotated[str, Field(alias="as", pattern="^(new_version|apart)$")]


class TopicIO(Strict):
    """A topic: its name, and what belongs to it in a few words."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, str_strip_whitespace=True)

    name: Text = Field(min_length=1, max_length=100)
    description: Text = Field(default="", max_length=1000)


class TopicsIn(Strict):
    """The administrator's whole topic list. Each topic has a name of its own."""

    model_config = ConfigDict(extra="forbid")

    items: list[TopicIO] = Field(max_length=500)

    @field_validator("items")
    @classmethod
    def _each_has_its_own_name(cls, items: list[TopicIO]) -> list[TopicIO]:
        if len({it.name for it in items}) < len(items):
            raise ValueError("each topic needs a name of its own")
        return items


class TopicList(BaseModel):
    """A part of the administrator's topic list, by name."""

    items: list[TopicIO]
    next: str | None


class EntryIO(Strict):
    """A name or set phrase that is found whole, such as 枫桥经验: two Chinese characters or a word at least."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: Text = Field(min_length=2, max_length=64)

    @field_validator("text")
    @classmethod
    def _has_words(cls, text: str) -> str:
        if not has_words(text):
            raise ValueError("an entry needs a letter or a digit")
        return " ".join(text.split())


class DictionaryIn(Strict):
    """The administrator's whole dictionary. What stands in it twice is kept once."""

    model_config = ConfigDict(extra="forbid")

    items: list[EntryIO] = Field(max_length=10_000)


class DictionaryList(BaseModel):
    """A part of the dictionary."""

    items: list[EntryIO]
    next: str | None

"""What was found out about documents, and what does a person make of it? Suggestions, near duplicates, topics, the dictionary, and changing many at once."""

from collections.abc import Callable

from fastapi import APIRouter, Request

from api import problems
from api.parts import Limit, part_of
from api.routes.documents import changes_of
from api.schemas.documents import DocumentOut
from api.schemas.findings import (
    Accepting,
    Changed,
    ChangedMany,
    ChangeManyIn,
    DictionaryIn,
    DictionaryList,
    EntryIO,
    NearDuplicateList,
    NearDuplicateOut,
    SettleIn,
    SuggestionList,
    SuggestionOut,
    TopicIO,
    TopicList,
    TopicsIn,
)
from api.services import ServicesDep
from xuesi.core.domain import DocumentId, Topic
from xuesi.core.errors import XuesiError
from xuesi.services import Services

router = APIRouter(tags=["documents"])


@router.get("/documents/{document_id}/suggestions")
def list_suggestions(services: ServicesDep, document_id: str, limit: Limit = 50, cursor: str = "") -> SuggestionList:
    """What the file says of itself, and to which topics of the list it is close; each with the place where it was found."""
    found = list(enumerate(services.suggestions(DocumentId(document_id))))
    part, after = part_of(found, lambda numbered: (numbered[0],), limit=limit, cursor=cursor)
    return SuggestionList(items=[SuggestionOut.model_validate(one) for _, one in part], next=after)


@router.post("/documents/accept")
def accept_suggestions(services: ServicesDep, request: Request, asked: Accepting) -> ChangedMany:
    """Take over the surest suggestions for these fields, for many documents at once."""
    return ChangedMany(
        documents=[_one(services, request, id_, lambda it: services.accept(it, asked.fields)) for id_ in asked.ids]
    )


@router.patch("/documents")
def change_documents(services: ServicesDep, request: Request, asked: ChangeManyIn) -> ChangedMany:
    """Change the same fields of many documents. What cannot be changed is named; the rest is."""
    changes = changes_of(asked.changes)
    return ChangedMany(
        documents=[_one(services, request, id_, lambda it: services.intake.change(it, changes)) for id_ in asked.ids]
    )


def _one(services: Services, request: Request, id_: str, act: Callable[[DocumentId], object]) -> Changed:
    try:
        act(DocumentId(id_))
        return Changed(id=id_, document=DocumentOut.of(services.catalogue.row(DocumentId(id_))))
    except XuesiError as error:
        return Changed(id=id_, problem=problems.report(error, request))


@router.get("/near-duplicates")
def list_near_duplicates(services: ServicesDep, limit: Limit = 50, cursor: str = "") -> NearDuplicateList:
    """Documents whose texts are nearly the same, for a person to settle; newest first."""
    pairs = services.catalogue.near_duplicates()
    items, after = part_of(
        pairs, lambda it: (-it.found_at.timestamp(), it.version.id, it.other_version.id), limit=limit, cursor=cursor
    )
    return NearDuplicateList(items=[NearDuplicateOut.of(pair) for pair in items], next=after)


@router.post("/near-duplicates/settle", status_code=204)
def settle(services: ServicesDep, asked: SettleIn) -> None:
    """Make one the newest version of the other, or keep them apart."""
    document, other = DocumentId(asked.document_id), DocumentId(asked.other_id)
    if asked.as_ == "apart":
        services.catalogue.keep_apart(document, other)
    else:
        services.intake.merge(document, other)


@router.get("/dictionary")
def list_dictionary(services: ServicesDep, limit: Limit = 50, cursor: str = "") -> DictionaryList:
    """The names and set phrases that are found whole, in the order of their characters."""
    items, after = part_of(services.dictionary.entries(), lambda it: (it,), limit=limit, cursor=cursor)
    return DictionaryList(items=[EntryIO(text=text) for text in items], next=after)


@router.put("/dictionary")
def set_dictionary(services: ServicesDep, given: DictionaryIn) -> DictionaryList:
    """Replace the dictionary; the next query goes by it. Answers with its first part."""
    services.dictionary.replace(it.text for it in given.items)
    return list_dictionary(services)


@router.get("/topics")
def list_topics(services: ServicesDep, limit: Limit = 50, cursor: str = "") -> TopicList:
    """The topic list that documents are compared with, by name."""
    items, after = part_of(services.catalogue.topics(), lambda it: (it.name,), limit=limit, cursor=cursor)
    return TopicList(items=[TopicIO.model_validate(topic) for topic in items], next=after)


@router.put("/topics")
def set_topics(services: ServicesDep, given: TopicsIn) -> TopicList:
    """Replace the topic list. Answers with its first part."""
    replace_topics(services, given)
    return list_topics(services)


def replace_topics(services: Services, given: TopicsIn) -> None:
    """Keep these topics instead of those before."""
    services.catalogue.set_topics([Topic(it.name, it.description) for it in given.items])

"""What might be known of a document, and is it nearly another one? A person ticks and settles; also without scripts."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from api.pages.view import see
from api.services import ServicesDep
from ingest.suggest import suggested_value
from xuesi.core.domain import Document, DocumentId, Suggestion
from xuesi.core.errors import InvalidInput
from xuesi.services import Services

router = APIRouter(include_in_schema=False)


def offered(services: Services, document: Document) -> list[tuple[Suggestion, Any]]:
    """The suggestions that would change something, with their values: the surest of each field, and every topic."""
    found: dict[str, tuple[Suggestion, Any]] = {}
    for one in services.suggestions(document.id):
        value = suggested_value(one)
        is_new = value not in document.topics if one.field == "topics" else value != getattr(document, one.field)
        if is_new:
            found.setdefault(f"topics {value}" if one.field == "topics" else one.field, (one, value))
    return list(found.values())


@router.post("/documents/{document_id}/accept")
def accept(services: ServicesDep, document_id: str, chosen: Annotated[list[str], Form()] = []) -> Response:  # noqa: B006 never changed
    """Take over the lines that were ticked."""
    document = services.catalogue.document(DocumentId(document_id))
    ticked = [(one, value) for one, value in offered(services, document) if f"{one.field}={one.value}" in chosen]
    if not ticked:
        raise InvalidInput("Nothing was ticked.", hint="Go back and tick what is right.")
    changes = {one.field: value for one, value in ticked if one.field != "topics"}
    if topics := [value for one, value in ticked if one.field == "topics"]:
        changes["topics"] = (*document.topics, *topics)
    services.intake.change(document.id, changes)
    return see(f"/documents/{document_id}?notice=saved")


@router.post("/documents/{document_id}/settle")
def settle(
    services: ServicesDep,
    document_id: str,
    other_id: Annotated[str, Form()],
    how: Annotated[str, Form(pattern="^(new_version|apart)$")],
    first: Annotated[str, Form(alias="document_id")],
) -> Response:
    """Make the later document the newest version of the other, or keep both."""
    document, other = DocumentId(first), DocumentId(other_id)
    if how == "apart":
        services.catalogue.keep_apart(document, other)
        return see(f"/documents/{document_id}?notice=settled")
    services.intake.merge(document, other)
    return see(f"/documents/{other}?notice=settled")

"""How does one document take the place of another? It is looked for on the document's page and chosen there; also without scripts."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from api.pages.view import see
from api.services import ServicesDep
from xuesi.core.domain import Document, DocumentId
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_OFFERED = 10


def offered(services: Services, document: Document, *, wanted: str) -> list[Document]:
    """The newest documents with these words in title or issuer that may take the place of this one."""
    if not wanted.strip():
        return []
    rows, _ = services.catalogue.rows(q=wanted.strip(), limit=_OFFERED + 2)
    taken = (document.id, document.superseded_by)
    others = [it.document for it in rows if it.document.id not in taken and it.document.superseded_by != document.id]
    return others[:_OFFERED]


@router.post("/documents/{document_id}/supersede")
def supersede(services: ServicesDep, document_id: str, successor: Annotated[str, Form()] = "") -> Response:
    """Put the chosen document in the place of this one; with none, this one stands for itself again."""
    services.intake.change(DocumentId(document_id), {"superseded_by": DocumentId(successor) if successor else None})
    return see(f"/documents/{document_id}?notice=saved")

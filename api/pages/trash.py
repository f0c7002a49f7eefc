"""What was removed, and can it come back? The page that lists it, with restoring and purging; both work without scripts."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from api import security
from api.pages.view import page, see
from api.services import ServicesDep
from xuesi.core.domain import Document, DocumentId
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_NOTICES = ("restored", "purged")


def restorable(services: Services) -> list[Document]:
    """Removed documents that can still be restored, the one removed last in front."""
    now = datetime.now(UTC)
    return [it for it, _ in reversed(services.catalogue.deleted()) if it.purge_after and it.purge_after > now]


@router.get("/trash")
def trash_page(request: Request, services: ServicesDep, notice: str = "") -> Response:
    """What was removed, for who may bring it back: titles of removed documents are not for everybody."""
    seen = security.logged_in(request, services.settings)
    return page(
        request,
        "trash.html",
        documents=restorable(services) if seen else [],
        seen=seen,
        notice=f"trash.notice_{notice}" if notice in _NOTICES else "",
        trash_days=services.settings.trash_days,
    )


@router.post("/trash/{document_id}/restore")
def restore(services: ServicesDep, document_id: str) -> Response:
    """Take a removed document back."""
    services.catalogue.restore_document(DocumentId(document_id), at=datetime.now(UTC))
    return see("/trash?notice=restored")


@router.post("/trash/{document_id}/purge")
def purge(services: ServicesDep, document_id: str) -> Response:
    """Purge it at once; only what was removed before."""
    services.catalogue.expire(DocumentId(document_id))
    return see("/trash?notice=purged")

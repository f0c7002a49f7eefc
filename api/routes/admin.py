"""What does an administrator ask of a running server?"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from api.schemas.admin import DroppedOut, EmbeddingModelOut, FindingOut, ModelAsked, NextModelOut, RebuiltOut, Report
from api.services import ServicesDep
from index.doctor.finding import Finding
from xuesi.services import Services

router = APIRouter(tags=["administration"])


@router.post("/reindex")
def reindex(services: ServicesDep) -> RebuiltOut:
    """Rebuild both indexes from the catalogue while the old ones go on answering; answers when it is done."""
    return RebuiltOut.model_validate(services.reindex())


@router.get("/embedding-model")
def embedding_model(services: ServicesDep) -> EmbeddingModelOut:
    """The embedding model that answers, and how far the change to another one is."""
    return _model(services)


@router.post("/embedding-model", status_code=202)
def change_embedding_model(services: ServicesDep, asked: ModelAsked) -> EmbeddingModelOut:
    """Embed the library with another model in the background; it takes the place of the present one when nothing lacks.

    `next` is null if it is in force already.
    """
    services.change_model(asked.model, base_url=asked.base_url)
    return _model(services)


@router.post("/embedding-model/cancel")
def cancel_embedding_model(services: ServicesDep) -> EmbeddingModelOut:
    """Give the change up; what was embedded is kept, so that it goes on there if the model is asked for again."""
    services.change.cancel()
    return _model(services)


@router.post("/embedding-model/drop-old")
def drop_old_vectors(services: ServicesDep) -> DroppedOut:
    """Delete the vectors of every model but the one that answers and the one that is being prepared."""
    return DroppedOut.model_validate(services.change.drop_old())


def _model(services: Services) -> EmbeddingModelOut:
    progress = services.change.progress()
    return EmbeddingModelOut(
        model=services.embedding_model,
        fingerprint=services.indexes.fingerprint,
        next=NextModelOut.model_validate(progress) if progress else None,
    )


def _pieces(services: ServicesDep) -> Iterator[Iterator[bytes]]:
    """Opened before the answer begins, so that a refusal has its status; closed after it, however it ended."""
    with services.backup() as pieces:
        yield pieces


@router.post(
    "/backup",
    response_class=StreamingResponse,
    responses={200: {"description": "The archive.", "content": {"application/x-tar": {}}}},
)
def backup(pieces: Annotated[Iterator[bytes], Depends(_pieces)]) -> StreamingResponse:
    """The whole library as one tar archive, as it is at this moment, for `xuesi restore`."""
    name = f"xuesi-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
    return StreamingResponse(
        pieces, media_type="application/x-tar", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


Deep = Annotated[bool, Query(description="Read every byte: originals against their sums, indexed vectors against the stored ones.")]  # fmt: skip


@router.get("/doctor")
def doctor(services: ServicesDep, *, deep: Deep = False) -> Report:
    """What is wrong with this installation, and how to mend it. Nothing is changed."""
    return Report(findings=_told(services.doctor(deep=deep)))


@router.post("/doctor/repair")
def repair(services: ServicesDep, *, deep: Deep = False) -> Report:
    """Mend what can be mended. What has to be read or embedded again is queued, and done when its jobs are."""
    done = services.repair(deep=deep)
    return Report(findings=_told(done.left), mended=_told(done.mended))


def _told(findings: Iterable[Finding]) -> list[FindingOut]:
    return [FindingOut.model_validate(finding) for finding in findings]

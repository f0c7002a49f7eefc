"""Is the server alive, is it ready, and how does it fare?"""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from api.services import ServicesDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Not ready; the reasons."}})
def ready(services: ServicesDep) -> Response:
    """Whether questions are answered from all that should be there: 503 with the reasons until then."""
    reasons = services.unready()
    return JSONResponse(
        {"status": "not ready" if reasons else "ready", "reasons": reasons},
        status_code=503 if reasons else 200,
        headers={"Cache-Control": "no-store"},
    )


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
